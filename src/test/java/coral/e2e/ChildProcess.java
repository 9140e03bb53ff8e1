package coral.e2e;

import coral.testing.LoggedSecrets;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** One run of {@code coral} as a process of its own: what it says, and its end. */
final class ChildProcess implements AutoCloseable {
  /** Ten processes that start at once on a small machine need a minute. */
  static final Duration PATIENCE = Duration.ofMinutes(3);

  /** What a process ends with that SIGKILL ended: 128 and the number of the signal. */
  static final int KILLED = 137;

  private static final int KEPT_LINES = 20_000;
  private static final int TOLD_LINES = 300;

  private enum Stream {
    OUT,
    ERR
  }

  private record Line(Stream stream, String text) {}

  private final String name;
  private final Process process;

  /** Of both streams; guarded by itself, which is notified of each line and of each end. */
  private final List<Line> lines = new ArrayList<>();

  /** Guarded by {@link #lines}. */
  private int openStreams = Stream.values().length;

  ChildProcess(String name, Process process) {
    this.name = name;
    this.process = process;
    read(process.inputReader(StandardCharsets.UTF_8), Stream.OUT);
    read(process.errorReader(StandardCharsets.UTF_8), Stream.ERR);
  }

  private void read(BufferedReader reader, Stream stream) {
    Thread reading =
        new Thread(
            () -> {
              try (reader) {
                reader.lines().forEach(line -> keep(new Line(stream, line)));
              } catch (IOException | UncheckedIOException e) {
                // the process is gone, and its pipe with it
              }
              synchronized (lines) {
                openStreams--;
                lines.notifyAll();
              }
            },
            name + "-" + stream);
    reading.setDaemon(true);
    reading.start();
  }

  private void keep(Line line) {
    if (line.stream() == Stream.ERR) {
      LoggedSecrets.read(line.text(), name);
    }
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

  /** Every process that it started, and those that these started. */
  Set<ProcessHandle> descendants() {
    return process.descendants().collect(Collectors.toSet());
  }

  /** How many lines it has written: where {@link #await} and {@link #linesSince} may begin. */
  int mark() {
    synchronized (lines) {
      return lines.size();
    }
  }

  /** What it wrote to both streams. */
  List<String> linesSince(int mark) {
    synchronized (lines) {
      return lines.subList(mark, lines.size()).stream().map(Line::text).toList();
    }
  }

  /** What it wrote to standard output. */
  String out() {
    return written(Stream.OUT);
  }

  /** What it wrote to standard error. */
  String err() {
    return written(Stream.ERR);
  }

  private String written(Stream stream) {
    synchronized (lines) {
      return lines.stream()
          .filter(line -> line.stream() == stream)
          .map(Line::text)
          .collect(Collectors.joining("\n"));
    }
  }

  /** What it logged as errors. */
  List<String> errors() {
    return linesSince(0).stream().filter(line -> line.contains(" ERROR ")).toList();
  }

  /** The last of what it wrote. */
  String log() {
    return String.join("\n", linesSince(Math.max(0, mark() - TOLD_LINES)));
  }

  /** Waits for a line with this text. */
  void awaitLine(String text) throws InterruptedException {
    await(0, line -> line.contains(text), "a line with '" + text + "'");
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
          if (wanted.test(lines.get(next).text())) {
            return lines.get(next).text();
          }
        }
        long left = deadline - System.nanoTime();
        if (left <= 0 || openStreams == 0) {
          throw failure("expected " + what);
        }
        TimeUnit.NANOSECONDS.timedWait(lines, left);
      }
    }
  }

  /** What went wrong, and what this process said last. */
  AssertionError failure(String message) {
    return new AssertionError(
        name
            + ": "
            + message
            + (process.isAlive() ? "; it runs" : "; it ended with " + process.exitValue())
            + "; its last lines:\n"
            + log());
  }

  /** SIGKILL. Does not wait. */
  void kill() {
    process.destroyForcibly();
  }

  /** SIGTERM. Does not wait. */
  void terminate() {
    process.destroy();
  }

  /** SIGINT, which Ctrl-C sends. Does not wait for its effect. */
  void interrupt() throws IOException, InterruptedException {
    Process kill = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start();
    if (kill.waitFor() != 0) {
      throw new IOException("kill ended with " + kill.exitValue());
    }
  }

  /** Waits until it has ended and its last line was read. Returns the exit code. */
  int awaitExit() throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    boolean ended = process.waitFor(PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
    synchronized (lines) {
      long left = deadline - System.nanoTime();
      while (openStreams > 0 && left > 0) {
        TimeUnit.NANOSECONDS.timedWait(lines, left);
        left = deadline - System.nanoTime();
      }
    }
    if (!ended) {
      throw failure("expected its end");
    }
    return process.exitValue();
  }

  /** Ends it and all that it started at once, whatever they do. */
  @Override
  public void close() {
    Set<ProcessHandle> started = descendants();
    process.destroyForcibly();
    started.forEach(ProcessHandle::destroyForcibly);
    process.onExit().orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
  }
}
