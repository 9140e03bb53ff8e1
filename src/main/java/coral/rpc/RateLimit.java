package coral.rpc;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How often each key may do what costs something: the generic cell rate algorithm (ITU-T I.371),
 * which keeps one time for each. Strangers are keyed by their {@link SourceNetwork}. A clock that
 * is set back makes nobody wait longer. Safe for use by several threads.
 *
 * @param <K> with equals and hashCode
 */
public final class RateLimit<K> {
  /** Keys remembered; the one that was looked at longest ago is forgotten first. */
  public static final int MAX_KEYS = 10_000;

  private final InstantSource clock;
  private final int burst;
  private final Duration interval;

  /** What the clock said last, and by how much it was set back since the start. */
  private Instant lastRead = Instant.MIN;

  private Duration setBack = Duration.ZERO;

  /** When all that each key did is worked off, least recently looked at first. */
  private final Map<K, Instant> workedOff = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * A limit under which nobody has done anything yet.
   *
   * @param burst how often in a row
   * @param interval then once more in each such time
   */
  public RateLimit(InstantSource clock, int burst, Duration interval) {
    this.clock = clock;
    this.burst = burst;
    this.interval = interval;
  }

  /** Whether the key may do it now; does not count. */
  public boolean allows(K key) {
    return delay(key).isZero();
  }

  /** How long until the key may do it, zero if it may now; does not count. */
  public synchronized Duration delay(K key) {
    Instant until = workedOff.get(key);
    if (until == null) {
      return Duration.ZERO;
    }
    Instant allowedFrom = until.minus(interval.multipliedBy(burst - 1L));
    Duration delay = Duration.between(now(), allowedFrom);
    return delay.isNegative() ? Duration.ZERO : delay;
  }

  /** Takes note that the key did it. */
  public void count(K key) {
    count(key, 1);
  }

  /** Takes note that the key did what weighs as much as doing it so many times. */
  public synchronized void count(K key, int times) {
    Instant until = workedOff.get(key);
    Instant now = now();
    Instant from = until == null || until.isBefore(now) ? now : until;
    workedOff.put(key, from.plus(interval.multipliedBy(times)));
    Iterator<K> oldest = workedOff.keySet().iterator();
    while (workedOff.size() > MAX_KEYS && oldest.hasNext()) {
      oldest.next();
      oldest.remove();
    }
  }

  /** {@link #delay}, and {@link #count} if there is none: of several threads none slips through. */
  public synchronized Duration take(K key) {
    Duration delay = delay(key);
    if (delay.isZero()) {
      count(key);
    }
    return delay;
  }

  /** A time that only grows, as fast as the clock's does where that was not set. */
  private Instant now() {
    Instant read = clock.instant();
    if (read.isBefore(lastRead)) {
      setBack = setBack.plus(Duration.between(read, lastRead));
    }
    lastRead = read;
    return read.plus(setBack);
  }

  /** How many keys are remembered. */
  public synchronized int size() {
    return workedOff.size();
  }
}
