package coral.agent;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * What the log says while the colony is away, maybe for days: the first failure, each change of its
 * cause, the end, and between them one line a minute at most. The rest is for DEBUG. Not
 * thread-safe.
 */
final class OutageLog {
  private static final long NANOS_BETWEEN_REMINDERS = Duration.ofMinutes(1).toNanos();

  private record Cause(JoinStep step, JoinFailure.Kind kind) {}

  private final Logger log;
  private final LongSupplier nanoTime;

  /** Steps that have had their line since the last recovery. */
  private final Set<JoinStep> told = EnumSet.noneOf(JoinStep.class);

  /** Of the last failure; empty while nothing is wrong. */
  private @Nullable Cause cause;

  private long beganAt;
  private long lastLineAt;
  private int failures;

  /**
   * @param nanoTime a monotonic clock, in nanoseconds
   */
  OutageLog(Logger log, LongSupplier nanoTime) {
    this.log = log;
    this.nanoTime = nanoTime;
  }

  void done(JoinStep step, Duration took) {
    if (told.add(step) || cause == null) {
      log.info("{}", step.line(took));
    } else {
      log.debug("{}", step.line(took));
    }
  }

  /**
   * @param remedy what is being done about it
   */
  void failed(JoinStep step, JoinFailure failure, String remedy) {
    long now = nanoTime.getAsLong();
    Cause current = new Cause(step, failure.kind());
    if (cause == null) {
      beganAt = now;
    }
    failures++;
    if (!current.equals(cause)) {
      log.warn("{}: {} ({}); {}", step.words(), failure.message(), failure.kind(), remedy);
      lastLineAt = now;
    } else if (now - lastLineAt >= NANOS_BETWEEN_REMINDERS) {
      log.warn(
          "{}: still {} ({}), after {} failures in {}; {}",
          step.words(),
          failure.message(),
          failure.kind(),
          failures,
          seconds(now - beganAt),
          remedy);
      lastLineAt = now;
    } else {
      log.debug("{}: {} ({}); {}", step.words(), failure.message(), failure.kind(), remedy);
    }
    cause = current;
  }

  /** The session is open. */
  void recovered() {
    if (cause != null) {
      log.info(
          "The colony is back after {} and {} failures",
          seconds(nanoTime.getAsLong() - beganAt),
          failures);
      cause = null;
      failures = 0;
    }
    told.clear();
  }

  private static String seconds(long nanos) {
    return Duration.ofNanos(nanos).toSeconds() + " s";
  }
}
