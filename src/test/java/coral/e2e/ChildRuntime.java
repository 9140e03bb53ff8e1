package coral.e2e;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * What runs children: this Java, with the classes of this process.
 *
 * @param archive of loaded classes, written when the first run ends: halves every later start
 * @param temporaryFiles where a run unpacks its libraries
 */
record ChildRuntime(String classPath, Path archive, Path temporaryFiles) {
  /** One that keeps its files in {@code directory}. */
  static ChildRuntime in(Path directory) throws IOException {
    return new ChildRuntime(
        jarsOnly(directory),
        directory.resolve("classes.jsa"),
        Files.createDirectory(directory.resolve("tmp")));
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

  /**
   * Starts {@code coral}.
   *
   * @param readyText what it logs once it is ready
   */
  KillableProcess start(Map<String, String> environment, String readyText, String... arguments)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
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
                "coral.Main"));
    command.addAll(List.of(arguments));
    command.add("--exit-with-parent");
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("CORAL_"));
    builder.environment().putAll(environment);
    return new KillableProcess(builder.redirectErrorStream(true).start(), readyText);
  }

  /** The native libraries of the database that runs have unpacked and not removed. */
  List<Path> unpackedLibraries() throws IOException {
    try (Stream<Path> files = Files.list(temporaryFiles)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("libduckdb_java"))
          .toList();
    }
  }

  /** As if those who left them had ended long ago. */
  void ageUnpackedLibraries(Instant to) throws IOException {
    for (Path library : unpackedLibraries()) {
      Files.setLastModifiedTime(library, FileTime.from(to));
    }
  }

  /**
   * A TCP port that is free and that the system does not give to clients on its own: while nobody
   * listens on one of those, a client of it may be connected with itself.
   */
  static int freePort() throws IOException {
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
