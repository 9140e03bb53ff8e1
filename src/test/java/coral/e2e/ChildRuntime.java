package coral.e2e;

import java.io.File;
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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;

/**
 * What runs {@code coral} as processes of their own: this Java, with the classes of this process.
 *
 * @param through another command, which must become Java in the end, such as {@code setpriv}
 * @param archive of loaded classes, written when the first run ends: halves every later start
 * @param temporaryFiles where a run unpacks its libraries
 * @param options of the virtual machine
 */
record ChildRuntime(
    List<String> through,
    String classPath,
    Optional<Path> archive,
    Path temporaryFiles,
    List<String> options) {
  /** For what lives for minutes beside many others: what starts fast peaks high enough. */
  private static final String FAST_START = "-XX:TieredStopAtLevel=1";

  /**
   * Keeps lambdas out of an archive: Java 17.0.15 may crash when it writes those of many classes
   * (SystemDictionaryShared::adjust_lambda_proxy_class_dictionary).
   */
  private static final String NO_LAMBDAS_ARCHIVED =
      "-Djdk.internal.lambda.disableEagerInitialization=true";

  /** A shell that starts something in the background, such as these tests, has it ignore SIGINT. */
  private static final List<String> OBEYING_CTRL_C = List.of("env", "--default-signal=INT");

  /** For a few runs. */
  static ChildRuntime of(Path temporaryFiles, String... options) {
    return new ChildRuntime(
        List.of(),
        System.getProperty("java.class.path"),
        Optional.empty(),
        temporaryFiles,
        List.of(options));
  }

  /** For processes that live beside many others. */
  static ChildRuntime small(Path temporaryFiles, String heap) {
    return of(temporaryFiles, FAST_START, "-Xmx" + heap);
  }

  /** For many runs after each other; keeps its files in {@code directory}. */
  static ChildRuntime archived(Path directory) throws IOException {
    return new ChildRuntime(
        List.of(),
        jarsOnly(directory),
        Optional.of(directory.resolve("classes.jsa")),
        Files.createDirectory(directory.resolve("tmp")),
        List.of(
            FAST_START,
            NO_LAMBDAS_ARCHIVED,
            "-Xmx384m",
            "-Xlog:disable",
            "-Xlog:all=error:stderr"));
  }

  /** The class path of this process without its tests: an archive needs archives. */
  private static String jarsOnly(Path directory) throws IOException {
    List<String> jars = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path path = Path.of(entry);
      if (Files.exists(path.resolve("coral/Main.class"))) {
        jars.add(jar(path, directory.resolve("coral.jar")).toString());
      } else if (Files.isRegularFile(path)) {
        jars.add(entry);
      }
    }
    return String.join(File.pathSeparator, jars);
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
   * Starts a command that runs until it is stopped; it ends with this process, however that does.
   */
  ChildProcess startService(Map<String, String> environment, String... arguments)
      throws IOException {
    String[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = "--exit-with-parent";
    return start(environment, all);
  }

  /**
   * Starts a command.
   *
   * @param environment beside that of this process without {@code CORAL_*}
   */
  ChildProcess start(Map<String, String> environment, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(OBEYING_CTRL_C);
    command.addAll(through);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    archive.ifPresent(
        file ->
            command.add(
                (Files.exists(file) ? "-XX:SharedArchiveFile=" : "-XX:ArchiveClassesAtExit=")
                    + file));
    command.addAll(List.of("-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData"));
    command.addAll(List.of("-Djava.io.tmpdir=" + temporaryFiles, "-Djna.tmpdir=" + temporaryFiles));
    command.addAll(List.of("-cp", classPath, "coral.Main"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(variable -> variable.startsWith("CORAL_"));
    builder.environment().putAll(environment);
    return new ChildProcess(String.join(" ", arguments), builder.start());
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
