package coral.e2e;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The application as a process of its own, on this class path. It ends with this process however
 * that ends: its standard input is a pipe from here, which it watches.
 */
final class ChildProcess implements AutoCloseable {
  /** Ten processes that start at once on a small machine need a minute. */
  static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final int KEPT_LINES = 20_000;
  private static final int TOLD_LINES = 25;

  /**
   * For a process that lives for minutes beside many others: what starts fast peaks high enough.
   */
  static List<String> small(String heap) {
    return List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-Xmx" + heap);
  }

  /** Where a process is started, which decides its network. */
  interface Place {
    Process start(Callable<Process> start) throws Exception;
  }

  private final String name;
  private final Process process;

  /** Of both streams; guarded by itself, which is notified of each line and of the end. */
  private final List<String> lines = new ArrayList<>();

  private ChildProcess(String name, Process process) {
    this.name = name;
    this.process = process;
    read(process.inputReader(StandardCharsets.UTF_8), name + "-output");
    read(process.errorReader(StandardCharsets.UTF_8), name + "-log");
    var unused =
        process
            .onExit()
            .thenRun(
                () -> {
                  synchronized (lines) {
                    lines.notifyAll();
                  }
                });
  }

  /**
   * Starts a command of the application.
   *
   * @param home its {@code CORAL_HOME}, created if need be; also for its temporary files
   * @param options of its virtual machine
   */
  static ChildProcess start(
      String name, Place place, Path home, List<String> options, List<String> arguments)
      throws Exception {
    Path temporary = Files.createDirectories(home.resolve("tmp"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-Djava.io.tmpdir=" + temporary, "-Djna.tmpdir=" + temporary));
    command.addAll(List.of("-XX:-UsePerfData", "-cp", classPath()));
    command.add("coral.Main");
    command.addAll(arguments);
    command.add("--exit-with-parent");
    ProcessBuilder builder = new ProcessBuilder(command).directory(home.toFile());
    builder.environment().keySet().removeIf(variable -> variable.startsWith("CORAL_"));
    builder.environment().put("CORAL_HOME", home.toString());
    return new ChildProcess(name, place.start(builder::start));
  }

  /** That of this process, for a child with another working directory. */
  private static String classPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private void read(BufferedReader reader, String thread) {
    Thread reading =
        new Thread(
            () -> {
              try (reader) {
                reader.lines().forEach(this::keep);
              } catch (IOException | UncheckedIOException e) {
                // the process is gone, and its pipe with it
              }
            },
            thread);
    reading.setDaemon(true);
    reading.start();
  }

  private void keep(String line) {
    synchronized (lines) {
      if (lines.size() < KEPT_LINES) {
        lines.add(line);
      }
      lines.notifyAll();
    }
  }

  String name() {
    return name;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** What it has computed since its start, in all its threads. */
  Duration cpuTime() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** How many lines it has written: where {@link #await} and {@link #linesSince} may begin. */
  int mark() {
    synchronized (lines) {
      return lines.size();
    }
  }

  List<String> linesSince(int mark) {
    synchronized (lines) {
      return List.copyOf(lines.subList(mark, lines.size()));
    }
  }

  /**
   * Waits for a line.
   *
   * @param what is waited for, for the message
   * @throws AssertionError with the end of the log, if the line does not come
   */
  String await(int mark, Predicate<String> wanted, String what) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    synchronized (lines) {
      for (int next = mark; ; ) {
        for (; next < lines.size(); next++) {
          if (wanted.test(lines.get(next))) {
            return lines.get(next);
          }
        }
        long left = deadline - System.nanoTime();
        if (left <= 0 || (!process.isAlive() && drained(next))) {
          throw failure("expected " + what);
        }
        TimeUnit.NANOSECONDS.timedWait(lines, left);
      }
    }
  }

  /** The last lines of a process that has ended may still be in its pipes. */
  private boolean drained(int seen) throws InterruptedException {
    TimeUnit.SECONDS.timedWait(lines, 1);
    return lines.size() == seen;
  }

  /** What went wrong, and what this process said last. */
  AssertionError failure(String message) {
    List<String> told = linesSince(Math.max(0, mark() - TOLD_LINES));
    return new AssertionError(
        name
            + ": "
            + message
            + (process.isAlive() ? "; it runs" : "; it ended with " + process.exitValue())
            + "; its last lines:\n  "
            + String.join("\n  ", told));
  }

  /** SIGKILL; it has ended when this returns. */
  void kill() throws InterruptedException {
    process.destroyForcibly();
    awaitExit();
  }

  /** SIGTERM. Returns the exit code. */
  int terminate() throws InterruptedException {
    process.destroy();
    return awaitExit();
  }

  /** Waits until it has ended. Returns the exit code. */
  int awaitExit() throws InterruptedException {
    if (!process.waitFor(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
      throw failure("expected its end");
    }
    return process.exitValue();
  }

  /** Ends it at once, whatever it does. */
  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
  }
}
