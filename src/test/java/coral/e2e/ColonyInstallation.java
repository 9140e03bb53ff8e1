package coral.e2e;

import coral.certificate.Identity;
import coral.colony.ColonyFiles;
import coral.model.Endpoint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * A colony's files, and how it is started on them and called, again and again.
 *
 * @param archive of its loaded classes, written when the first run ends: halves every later start
 * @param temporaryFiles where a run unpacks its libraries
 */
record ColonyInstallation(
    ColonyFiles.Created files,
    Endpoint endpoint,
    String classPath,
    Path archive,
    Path temporaryFiles)
    implements WitnessAgent.Network {
  /** Makes a colony, with all that it needs in {@code directory}. */
  static ColonyInstallation in(Path directory) throws IOException {
    return new ColonyInstallation(
        ColonyFiles.create("crash", "test", directory.resolve("home"), InstantSource.system()),
        new Endpoint("127.0.0.1", freePort()),
        jarsOnly(directory),
        directory.resolve("colony.jsa"),
        Files.createDirectory(directory.resolve("tmp")));
  }

  private Map<String, String> environment() {
    return Map.of(
        // colonies/<colony-id> below it
        "CORAL_HOME", String.valueOf(files.directory().resolve("../..").normalize()),
        "CORAL_COLONY_HOST", "127.0.0.1",
        "CORAL_COLONY_PORT", Integer.toString(endpoint.port()),
        "CORAL_COLONY_DEVICE", "user-space",
        "CORAL_WIREGUARD_PORT", "0",
        "CORAL_MANAGEMENT_PORT", "0",
        "CORAL_CLUSTER_PORT", "0");
  }

  @Override
  public ConnectClient client(Optional<ClientCertificate> as) {
    return ConnectClient.https(
        endpoint,
        ClientTls.pinned(files.caFingerprint(), "spiffe://" + files.colonyId() + "/colony", as),
        Duration.ofSeconds(10),
        Duration.ofSeconds(60));
  }

  @Override
  public String colonySecret() {
    return files.secret().reveal();
  }

  /** A client that is the colony's administrator. */
  ConnectClient administrator() throws IOException {
    Identity identity = Identity.load(files.administratorCertificate(), files.administratorKey());
    return client(Optional.of(new ClientCertificate(identity.key(), identity.chain())));
  }

  /** The class path of this process without its tests: an archive needs archives. */
  private static String jarsOnly(Path directory) throws IOException {
    List<String> jars = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(":", -1)) {
      Path path = Path.of(entry);
      if (Files.exists(path.resolve("coral/Main.class"))) {
        jars.add(jar(path, directory.resolve("coral.jar")).toString());
      } else if (Files.isRegularFile(path)) {
        jars.add(entry);
      }
    }
    return String.join(":", jars);
  }

  private static Path jar(Path classes, Path jar) throws IOException {
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
        Stream<Path> files = Files.walk(classes)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        out.putNextEntry(new JarEntry(classes.relativize(file).toString()));
        Files.copy(file, out);
      }
    }
    return jar;
  }

  ChildColony start() throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx384m",
            "-Xshare:auto",
            (Files.exists(archive) ? "-XX:SharedArchiveFile=" : "-XX:ArchiveClassesAtExit=")
                + archive,
            "-XX:-UsePerfData",
            "-Xlog:disable",
            "-Xlog:all=error:stderr",
            "-Djava.io.tmpdir=" + temporaryFiles,
            "-Djna.tmpdir=" + temporaryFiles,
            "-cp",
            classPath,
            "coral.Main",
            "colony",
            "start",
            "--exit-with-parent");
    builder.environment().keySet().removeIf(name -> name.startsWith("CORAL_"));
    builder.environment().putAll(environment());
    return new ChildColony(builder.redirectErrorStream(true).start());
  }

  /** The native libraries of the database that runs have unpacked and not removed. */
  List<Path> unpackedLibraries() throws IOException {
    try (Stream<Path> files = Files.list(temporaryFiles)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("libduckdb_java"))
          .toList();
    }
  }

  /**
   * A TCP port that is free and that the system does not give to clients on its own: while nobody
   * listens on one of those, a client of it may be connected with itself.
   */
  private static int freePort() throws IOException {
    Random random = new Random();
    SocketException lastFailure = new SocketException();
    for (int i = 0; i < 100; i++) {
      int port = 20_000 + random.nextInt(10_000);
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (SocketException e) {
        lastFailure = e; // somebody's
      }
    }
    throw lastFailure;
  }
}
