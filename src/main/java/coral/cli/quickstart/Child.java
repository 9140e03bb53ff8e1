package coral.cli.quickstart;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A process that quickstart started. It ends when this process ends, however that happens: its
 * standard input is a pipe from here, and {@code --exit-with-parent} makes it watch that pipe.
 */
final class Child {
  /** What explains a failure is at the end of a log. */
  private static final int KEPT_LINES = 15;

  private final String name;
  private final Process process;
  private final Deque<String> lastLines = new ArrayDeque<>();
  private final Thread errors;

  private Child(String name, Process process, Consumer<String> output) {
    this.name = name;
    this.process = process;
    this.errors = reader(name + "-log", process.errorReader(StandardCharsets.UTF_8), this::keep);
    reader(
        name + "-output",
        process.inputReader(StandardCharsets.UTF_8),
        line -> {
          keep(line);
          output.accept(line);
        });
  }

  /**
   * Starts a process at a place.
   *
   * @param output is given each line of its standard output, on a thread of its own
   */
  static Child start(String name, Place place, ProcessBuilder builder, Consumer<String> output)
      throws IOException {
    return new Child(name, place.start(builder), output);
  }

  String name() {
    return name;
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Only of a child that has ended. */
  int exitCode() {
    return process.exitValue();
  }

  /** Completes when the child has ended. */
  CompletableFuture<Process> onExit() {
    return process.onExit();
  }

  /** Waits for the end of the child. Returns whether it came within the timeout. */
  boolean waitFor(Duration timeout) throws InterruptedException {
    return process.waitFor(timeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** The last lines that the child wrote. */
  List<String> lastLines() {
    if (!process.isAlive()) {
      try {
        errors.join(TimeUnit.SECONDS.toMillis(1)); // the pipe may hold the last ones still
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    synchronized (lastLines) {
      return List.copyOf(lastLines);
    }
  }

  /** Asks the child to end (SIGTERM). */
  void stop() {
    process.destroy();
  }

  /** Ends a child that did not end when asked to (SIGKILL). */
  void kill() {
    process.destroyForcibly();
  }

  private void keep(String line) {
    synchronized (lastLines) {
      lastLines.addLast(line);
      if (lastLines.size() > KEPT_LINES) {
        lastLines.removeFirst();
      }
    }
  }

  private static Thread reader(String name, BufferedReader lines, Consumer<String> consumer) {
    Thread thread =
        new Thread(
            () -> {
              try (lines) {
                lines.lines().forEach(consumer);
              } catch (IOException | UncheckedIOException e) {
                // the child is gone, and its pipe with it
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }
}
