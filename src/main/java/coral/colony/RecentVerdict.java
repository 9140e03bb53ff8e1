package coral.colony;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;

/** The verdict of a check that costs something, kept for a while. Thread-safe; may block. */
final class RecentVerdict {
  private final BooleanSupplier check;
  private final Duration life;
  private final InstantSource clock;
  private Instant madeAt = Instant.MIN;
  private boolean verdict;

  /**
   * @param check made by one thread at a time
   * @param life how long a verdict is repeated
   */
  RecentVerdict(BooleanSupplier check, Duration life, InstantSource clock) {
    this.check = check;
    this.life = life;
    this.clock = clock;
  }

  synchronized boolean get() {
    Instant now = clock.instant();
    // A clock that was set back must not keep a verdict for ever.
    boolean recent = madeAt.equals(now) || (now.isAfter(madeAt) && now.isBefore(madeAt.plus(life)));
    if (!recent) {
      verdict = check.getAsBoolean();
      madeAt = now;
    }
    return verdict;
  }
}
