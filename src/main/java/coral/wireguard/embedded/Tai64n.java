package coral.wireguard.embedded;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;

/**
 * Timestamps for initiations (section 5.1): 12 bytes of TAI64N, which order as unsigned bytes. A
 * peer answers only a timestamp greater than the last, so they increase even if the clock does not.
 */
final class Tai64n {
  static final int LENGTH = 12;

  /** TAI64's label of 1970, with the leap seconds as wireguard-go and the kernel count them. */
  private static final long BASE = 0x400000000000000aL;

  /** The time is rounded down to 2^24 ns, 17 ms, so that it tells little of this host's clock. */
  private static final int WHITENING = (1 << 24) - 1;

  private static final int NANOS_PER_SECOND = 1_000_000_000;

  private final InstantSource clock;
  private Instant last = Instant.MIN;

  Tai64n(InstantSource clock) {
    this.clock = clock;
  }

  /** A timestamp greater than all before. */
  synchronized byte[] next() {
    Instant now = clock.instant();
    Instant rounded = Instant.ofEpochSecond(now.getEpochSecond(), now.getNano() & ~WHITENING);
    if (!rounded.isAfter(last)) {
      int next = (last.getNano() | WHITENING) + 1;
      rounded =
          next < NANOS_PER_SECOND
              ? Instant.ofEpochSecond(last.getEpochSecond(), next)
              : Instant.ofEpochSecond(last.getEpochSecond() + 1);
    }
    last = rounded;
    return ByteBuffer.allocate(LENGTH)
        .putLong(BASE + rounded.getEpochSecond())
        .putInt(rounded.getNano())
        .array();
  }

  /** Whether one timestamp is later than another. */
  static boolean isAfter(byte[] one, byte[] other) {
    return Arrays.compareUnsigned(one, other) > 0;
  }
}
