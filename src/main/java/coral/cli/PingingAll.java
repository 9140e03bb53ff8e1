package coral.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Many agents that are pinged at once; {@link #close} may come from any thread. */
final class PingingAll implements AutoCloseable {
  /** Half of what a colony serves: somebody else may want to know, too. */
  private static final int AT_ONCE = 16;

  private final ColonyClient colony;
  private final List<String> agentIds;
  private final int count;
  private final Duration interval;
  private final Map<String, Pinging> ended = new TreeMap<>();
  private final Map<String, String> failures = new TreeMap<>();
  private final Set<Pinging> running = new HashSet<>();
  private boolean closed;

  PingingAll(ColonyClient colony, List<String> agentIds, int count, Duration interval) {
    this.colony = colony;
    this.agentIds = List.copyOf(agentIds);
    this.count = count;
    this.interval = interval;
  }

  /** Pings them, and waits until all have been, or until this is closed. */
  void run() {
    ExecutorService threads =
        Executors.newFixedThreadPool(
            AT_ONCE,
            task -> {
              Thread thread = new Thread(task, "ping");
              thread.setDaemon(true);
              return thread;
            });
    try {
      CompletableFuture.allOf(
              agentIds.stream()
                  .map(agentId -> CompletableFuture.runAsync(() -> ping(agentId), threads))
                  .toArray(CompletableFuture[]::new))
          .join();
    } finally {
      threads.shutdownNow();
    }
  }

  private void ping(String agentId) {
    try {
      Optional<Pinging> started = start(agentId);
      if (started.isPresent()) {
        Pinging pinging = started.get();
        try (pinging) {
          pinging.run(answer -> {});
        } finally {
          end(pinging);
        }
      }
    } catch (CommandFailedException e) {
      fail(agentId, String.valueOf(e.getMessage()));
    }
  }

  /** One after the other: a client is for one thread at a time until its stream has begun. */
  private synchronized Optional<Pinging> start(String agentId) {
    if (closed) {
      return Optional.empty();
    }
    Pinging pinging = Pinging.start(colony, agentId, count, interval);
    running.add(pinging);
    return Optional.of(pinging);
  }

  private synchronized void end(Pinging pinging) {
    running.remove(pinging);
    ended.put(pinging.agentId(), pinging);
  }

  private synchronized void fail(String agentId, String why) {
    failures.put(agentId, why);
  }

  /** Those that were pinged, if only in part, by agent id. */
  synchronized List<Pinging> ended() {
    return new ArrayList<>(ended.values());
  }

  /** What went wrong, by agent id. */
  synchronized Map<String, String> failures() {
    return new TreeMap<>(failures);
  }

  @Override
  public synchronized void close() {
    closed = true;
    running.forEach(Pinging::close);
  }
}
