package coral.colony;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How to stop what was started, last first. Thread-safe. */
final class StopSteps {
  private static final Logger log = LoggerFactory.getLogger(ColonyProcess.class);

  private record Stop(String what, Action action) {}

  /** Stops one thing. */
  interface Action {
    void run() throws IOException;
  }

  private final Deque<Stop> steps = new ArrayDeque<>();

  synchronized void push(String what, Action action) {
    steps.push(new Stop(what, action));
  }

  /**
   * Runs every step once. One that fails, however it does, is logged and keeps no other from its
   * turn: the database must be let go of even if the device cannot be removed.
   *
   * @return what the steps failed with
   */
  List<Exception> run() {
    List<Exception> failures = new ArrayList<>();
    for (Stop stop = next(); stop != null; stop = next()) {
      try {
        stop.action().run();
      } catch (IOException e) {
        log.warn("Stopping {}: {}", stop.what(), e.getMessage());
        failures.add(e);
      } catch (RuntimeException e) {
        log.warn("Stopping {} has failed", stop.what(), e);
        failures.add(e);
      }
    }
    return failures;
  }

  private synchronized @Nullable Stop next() {
    return steps.poll();
  }
}
