package coral.e2e;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One run of {@code coral} as a process of its own, which may be killed. */
final class KillableProcess {
  /** What a process ends with that SIGKILL ended: 128 and the number of the signal. */
  static final int KILLED = 137;

  /** On a machine that does much else. */
  private static final int PATIENCE_SECONDS = 120;

  private static final int KEPT_LINES = 300;

  private final Process process;
  private final String readyText;
  private final Deque<String> lastLines = new ArrayDeque<>();
  private final List<String> errors = new ArrayList<>();
  private final CompletableFuture<Void> ready = new CompletableFuture<>();
  private final Thread reader;

  /**
   * Follows a process.
   *
   * @param readyText what it logs once it is ready
   */
  KillableProcess(Process process, String readyText) {
    this.process = process;
    this.readyText = readyText;
    reader = new Thread(this::read, "child-log");
    reader.setDaemon(true);
    reader.start();
  }

  private void read() {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
      lines.lines().forEach(this::keep);
    } catch (IOException | UncheckedIOException e) {
      // The process is gone, and its pipe with it.
    }
    ready.completeExceptionally(new IOException("it ended before it was ready"));
  }

  private void keep(String line) {
    synchronized (lastLines) {
      lastLines.addLast(line);
      if (lastLines.size() > KEPT_LINES) {
        lastLines.removeFirst();
      }
      if (line.contains(" ERROR ")) {
        errors.add(line);
      }
    }
    if (line.contains(readyText)) {
      ready.complete(null);
    }
  }

  /** Waits until its port is open and everything behind it works. */
  void awaitReady() throws InterruptedException {
    try {
      ready.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError("the process is not ready:\n" + log(), e);
    }
  }

  /** SIGKILL. */
  void kill() {
    process.destroyForcibly();
  }

  /** SIGTERM. */
  void stop() {
    process.destroy();
  }

  /** Waits for its end. Returns the exit code. */
  int awaitEnd() throws InterruptedException {
    if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      kill();
      throw new AssertionError("the process does not end:\n" + log());
    }
    reader.join();
    return process.exitValue();
  }

  /** What it logged as errors. */
  List<String> errors() {
    synchronized (lastLines) {
      return List.copyOf(errors);
    }
  }

  /** The last of what it logged. */
  String log() {
    synchronized (lastLines) {
      return String.join("\n", lastLines);
    }
  }
}
