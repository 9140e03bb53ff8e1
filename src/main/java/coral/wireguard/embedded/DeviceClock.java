package coral.wireguard.embedded;

import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * The two times of a device: the wall clock for what people and peers see, and monotonic time for
 * its timers, which a change of the wall clock must not disturb.
 */
final class DeviceClock {
  private final InstantSource wall;
  private final LongSupplier ticker;
  private final long start;

  /**
   * @param ticker monotonic nanoseconds from any origin
   */
  DeviceClock(InstantSource wall, LongSupplier ticker) {
    this.wall = wall;
    this.ticker = ticker;
    this.start = ticker.getAsLong();
  }

  /** Nanoseconds since the device was opened. */
  long now() {
    return ticker.getAsLong() - start;
  }

  Instant instant() {
    return wall.instant();
  }

  InstantSource wall() {
    return wall;
  }
}
