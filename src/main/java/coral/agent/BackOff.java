package coral.agent;

import java.time.Duration;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/**
 * How long to wait before the next attempt: doubled from {@code first} to {@code longest}, then
 * shortened by up to half at random, so that the agents of one colony do not all come back at once.
 *
 * @param first more than zero
 * @param longest not less than {@code first}
 * @param slow for failures that only people can mend, such as an exhausted pool; more than zero
 */
public record BackOff(Duration first, Duration longest, Duration slow) {
  /** Doubling beyond this would overflow long before a bound of days is reached. */
  private static final int MAX_DOUBLINGS = 30;

  /** Whatever a server says: nobody is to be sent away for ever. */
  static final Duration LONGEST_ASKED = Duration.ofHours(1);

  /**
   * @throws IllegalArgumentException if a duration is out of bounds
   */
  public BackOff {
    if (first.isNegative() || first.isZero() || longest.compareTo(first) < 0) {
      throw new IllegalArgumentException(
          "back-off goes from more than zero up, not from " + first + " to " + longest);
    }
    if (slow.isNegative() || slow.isZero()) {
      throw new IllegalArgumentException("the slow back-off is more than zero, not " + slow);
    }
  }

  /**
   * The pause after a number of failures.
   *
   * @param failures how many attempts have failed in a row, 1 or more
   * @param random gives values from 0 (included) to 1 (excluded)
   * @return between half and the whole of the time that this many failures call for
   */
  Duration after(int failures, DoubleSupplier random) {
    int doublings = Math.min(Math.max(failures - 1, 0), MAX_DOUBLINGS);
    Duration whole = longest;
    if (longest.dividedBy(1L << doublings).compareTo(first) > 0) {
      whole = first.multipliedBy(1L << doublings);
    }
    return shortened(whole, random);
  }

  /** Between half and the whole of {@link #slow}. */
  Duration slowly(DoubleSupplier random) {
    return shortened(slow, random);
  }

  /**
   * A pause that is as long as somebody asks for at least, and up to half longer at random, because
   * many were told the same; never longer than {@link #LONGEST_ASKED}.
   */
  static Duration obeying(Duration pause, Optional<Duration> asked, DoubleSupplier random) {
    if (asked.isEmpty()) {
      return pause;
    }
    Duration bounded = asked.get().compareTo(LONGEST_ASKED) > 0 ? LONGEST_ASKED : asked.get();
    Duration obeyed = bounded.plusNanos((long) (bounded.toNanos() * random.getAsDouble() / 2));
    return obeyed.compareTo(pause) > 0 ? obeyed : pause;
  }

  private static Duration shortened(Duration whole, DoubleSupplier random) {
    return Duration.ofNanos((long) (whole.toNanos() * (1 - random.getAsDouble() / 2)));
  }
}
