package coral.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** {@code coral} as a process of its own, on the class path of the tests. */
final class CoralProcess implements AutoCloseable {
  /** For a machine that does a lot else. */
  static final long PATIENCE_SECONDS = 180;

  private final Process process;
  private final BufferedReader out;
  private final CompletableFuture<String> err;
  private final StringBuilder read = new StringBuilder();

  private CoralProcess(Process process) {
    this.process = process;
    this.out = process.inputReader(UTF_8);
    this.err =
        CompletableFuture.supplyAsync(
            () -> process.errorReader(UTF_8).lines().collect(Collectors.joining("\n")));
  }

  /**
   * Starts it.
   *
   * @param temporary for everything that it leaves there while it runs
   */
  static CoralProcess start(Path temporary, Map<String, String> environment, String... arguments)
      throws IOException {
    return start(
        List.of(), System.getProperty("java.class.path"), temporary, environment, arguments);
  }

  /**
   * Starts it through another command, which must become it in the end.
   *
   * @param through such as {@code env} with its options
   */
  static CoralProcess start(
      List<String> through,
      String classPath,
      Path temporary,
      Map<String, String> environment,
      String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(through);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djava.io.tmpdir=" + temporary,
            "-XX:+UseSerialGC",
            "-Xmx256m",
            "-cp",
            classPath,
            "coral.Main"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    return new CoralProcess(builder.start());
  }

  /** Reads standard output up to and including the line that contains this text. */
  String readUntil(String text) throws IOException {
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      read.append(line).append('\n');
      if (line.contains(text)) {
        return read.toString();
      }
    }
    throw new AssertionError("no '" + text + "' in:\n" + read + "\nand on stderr:\n" + err.join());
  }

  /** The rest of standard output, up to its end. */
  String readAll() throws IOException {
    for (String line = out.readLine(); line != null; line = out.readLine()) {
      read.append(line).append('\n');
    }
    return read.toString();
  }

  String err() {
    return err.join();
  }

  /** Every process that it started, and those that these started. */
  Set<ProcessHandle> descendants() {
    return process.descendants().collect(Collectors.toSet());
  }

  /** SIGTERM. */
  void terminate() {
    process.destroy();
  }

  /** SIGINT, which Ctrl-C sends. */
  void interrupt() throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start();
    if (kill.waitFor() != 0) {
      throw new IOException("kill ended with " + kill.exitValue());
    }
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
  }

  int exitCode() throws InterruptedException {
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("still running after " + PATIENCE_SECONDS + " s:\n" + read);
    }
    return process.exitValue();
  }

  @Override
  public void close() {
    Set<ProcessHandle> all = descendants();
    process.destroyForcibly();
    all.forEach(ProcessHandle::destroyForcibly);
  }
}
