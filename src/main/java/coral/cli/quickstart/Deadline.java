package coral.cli.quickstart;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** The end of all patience. */
final class Deadline {
  private final InstantSource clock;
  private final Instant end;

  private Deadline(InstantSource clock, Instant end) {
    this.clock = clock;
    this.end = end;
  }

  static Deadline in(Duration patience, InstantSource clock) {
    return new Deadline(clock, clock.instant().plus(patience));
  }

  /** Zero once it has passed. */
  Duration remaining() {
    Duration remaining = Duration.between(clock.instant(), end);
    return remaining.isNegative() ? Duration.ZERO : remaining;
  }

  boolean hasPassed() {
    return remaining().isZero();
  }
}
