package coral.token;

import java.time.Duration;

/**
 * How discovery keeps its signing keys.
 *
 * @param rotation how long a key signs; RFD 020: 30 days
 * @param cacheTime how long those who have read the keys may go without reading them again
 * @param maxWaiting tokens that wait to be signed; more are refused
 */
public record TokenSettings(Duration rotation, Duration cacheTime, int maxWaiting) {
  /** RFD 020, "Key Rotation". */
  public static final Duration DEFAULT_ROTATION = Duration.ofDays(30);

  /** Long enough that reading the keys costs nothing, short against a rotation. */
  public static final Duration DEFAULT_CACHE_TIME = Duration.ofMinutes(5);

  /** A fifth of a second of one core. */
  public static final int DEFAULT_MAX_WAITING = 4096;

  /**
   * @throws IllegalArgumentException if the rotation is shorter than it takes to publish a key, or
   *     a value is not positive
   */
  public TokenSettings {
    if (cacheTime.isNegative() || cacheTime.isZero() || maxWaiting < 1) {
      throw new IllegalArgumentException("cache time and places to wait must be positive");
    }
    if (rotation.compareTo(cacheTime.multipliedBy(2)) < 0) {
      throw new IllegalArgumentException(
          "keys cannot be rotated every "
              + rotation
              + ": each is published for twice the cache time of "
              + cacheTime
              + " before it signs");
    }
  }

  /** The values of RFD 020. */
  public static TokenSettings defaults() {
    return new TokenSettings(DEFAULT_ROTATION, DEFAULT_CACHE_TIME, DEFAULT_MAX_WAITING);
  }

  /** How long a key is published before it signs: all who cache have then read it. */
  Duration publishedBeforeUse() {
    return cacheTime.multipliedBy(2);
  }
}
