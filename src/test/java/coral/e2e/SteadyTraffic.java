package coral.e2e;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Tries something at a fixed rate, whatever became of the tries before, and keeps what became of
 * each. Workers take turns: each has as many periods for a try as there are workers.
 */
final class SteadyTraffic implements AutoCloseable {
  /** One of those who try. */
  interface Worker extends AutoCloseable {
    /** Returns whether the try was answered; an exception says that it was not, and why. */
    boolean attempt() throws Exception;

    @Override
    void close() throws Exception;
  }

  /** One try; times are of {@link System#nanoTime}. */
  record Attempt(long startedAt, long endedAt, boolean isAnswered) {
    private long took() {
      return endedAt - startedAt;
    }
  }

  private final String name;
  private final List<Worker> workers;
  private final ScheduledThreadPoolExecutor threads;

  /** Those that have ended; guarded by itself, which is notified of each. */
  private final List<Attempt> attempts = new ArrayList<>();

  /** Guarded by {@link #attempts}. */
  private @Nullable Exception firstFailure;

  private SteadyTraffic(String name, List<Worker> workers) {
    this.name = name;
    this.workers = List.copyOf(workers);
    threads =
        new ScheduledThreadPoolExecutor(
            workers.size(),
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Starts at once.
   *
   * @param period from the start of one try to that of the next
   */
  @SuppressWarnings("FutureReturnValueIgnored") // a try keeps its own failure
  static SteadyTraffic start(String name, Duration period, List<Worker> workers) {
    SteadyTraffic traffic = new SteadyTraffic(name, workers);
    for (int i = 0; i < workers.size(); i++) {
      Worker worker = workers.get(i);
      traffic.threads.scheduleAtFixedRate(
          () -> traffic.attempt(worker),
          period.multipliedBy(i).toNanos(),
          period.multipliedBy(workers.size()).toNanos(),
          TimeUnit.NANOSECONDS);
    }
    return traffic;
  }

  private void attempt(Worker worker) {
    long startedAt = System.nanoTime();
    boolean answered = false;
    @Nullable Exception failure = null;
    try {
      answered = worker.attempt();
    } catch (Exception e) {
      failure = e;
    }
    long endedAt = System.nanoTime();
    synchronized (attempts) {
      if (threads.isShutdown()) {
        return; // cut short by the end
      }
      attempts.add(new Attempt(startedAt, endedAt, answered));
      if (firstFailure == null) {
        firstFailure = failure;
      }
      attempts.notifyAll();
    }
  }

  /** Waits until so many tries that started after a moment have ended, answered or not. */
  void awaitEnded(long since, int count) throws InterruptedException {
    await(attempt -> attempt.startedAt() >= since, count, "ended");
  }

  /** Waits until so many tries that started after a moment were answered. */
  void awaitAnswered(long since, int count) throws InterruptedException {
    await(attempt -> attempt.startedAt() >= since && attempt.isAnswered(), count, "answered");
  }

  private void await(Predicate<Attempt> wanted, int count, String what)
      throws InterruptedException {
    long deadline = System.nanoTime() + ChildProcess.PATIENCE.toNanos();
    synchronized (attempts) {
      while (attempts.stream().filter(wanted).count() < count) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          throw new AssertionError(
              "expected " + count + " tries " + what + ": " + this, firstFailure);
        }
        TimeUnit.NANOSECONDS.timedWait(attempts, left);
      }
    }
  }

  /** Those that started from one moment until another. */
  private List<Attempt> between(long from, long to) {
    synchronized (attempts) {
      return attempts.stream()
          .filter(attempt -> attempt.startedAt() >= from && attempt.startedAt() < to)
          .toList();
    }
  }

  /** Tries of a time that have ended. */
  int count(long from, long to) {
    return between(from, to).size();
  }

  /** Tries of a time that were not answered. */
  int lost(long from, long to) {
    return (int) between(from, to).stream().filter(attempt -> !attempt.isAnswered()).count();
  }

  /** When the last answer came. */
  Optional<Long> lastAnswer() {
    synchronized (attempts) {
      return attempts.stream()
          .filter(Attempt::isAnswered)
          .map(Attempt::endedAt)
          .max(Comparator.naturalOrder());
    }
  }

  /** The longest time without an answer, from one answer to the next. */
  Duration longestGap(long from, long to) {
    long[] answers =
        between(from, to).stream()
            .filter(Attempt::isAnswered)
            .mapToLong(Attempt::endedAt)
            .sorted()
            .toArray();
    long longest = answers.length == 0 ? Long.MAX_VALUE : 0;
    for (int i = 1; i < answers.length; i++) {
      longest = Math.max(longest, answers[i] - answers[i - 1]);
    }
    return Duration.ofNanos(longest);
  }

  /** Why the first try failed that failed with an exception. */
  String firstFailure() {
    synchronized (attempts) {
      return String.valueOf(firstFailure);
    }
  }

  /** How many tries there were, and what became of them, for people. */
  String figures(long from, long to) {
    List<Attempt> ended = between(from, to);
    long[] took =
        ended.stream().filter(Attempt::isAnswered).mapToLong(Attempt::took).sorted().toArray();
    String times =
        took.length == 0
            ? ""
            : String.format(
                Locale.ROOT,
                ", median %.2f ms, longest %.1f ms",
                took[took.length / 2] / 1e6,
                took[took.length - 1] / 1e6);
    return "%s: %d tries, %d answered%s".formatted(name, ended.size(), took.length, times);
  }

  @Override
  public String toString() {
    return figures(Long.MIN_VALUE, Long.MAX_VALUE);
  }

  /** Ends it; tries that are under way do not count. */
  @Override
  public void close() {
    synchronized (attempts) {
      threads.shutdownNow();
    }
    for (Worker worker : workers) {
      try {
        worker.close();
      } catch (Exception e) {
        throw new IllegalStateException(name + " does not end", e);
      }
    }
  }
}
