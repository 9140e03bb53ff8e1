package coral.rpc;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How often each source may do what a stranger can do: the generic cell rate algorithm (ITU-T
 * I.371). A source is an address of IPv4 or a /64 of IPv6. Safe for use by several threads.
 */
public final class RateLimit {
  /** Sources remembered; the one that was counted longest ago is forgotten first. */
  public static final int MAX_SOURCES = 10_000;

  private final InstantSource clock;
  private final int burst;
  private final Duration interval;

  /** When all that each source did is worked off, least recently counted first. */
  private final Map<SourceNetwork, Instant> workedOff = new LinkedHashMap<>(16, 0.75f, true);

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

  /** Whether the address may do it; does not count. */
  public synchronized boolean allows(InetAddress address) {
    Instant until = workedOff.get(SourceNetwork.of(address));
    return until == null || !until.isAfter(clock.instant().plus(interval.multipliedBy(burst - 1L)));
  }

  /** Takes note that the address did it. */
  public synchronized void count(InetAddress address) {
    SourceNetwork source = SourceNetwork.of(address);
    Instant now = clock.instant();
    Instant until = workedOff.get(source);
    Instant from = until == null || until.isBefore(now) ? now : until;
    workedOff.put(source, from.plus(interval));
    Iterator<SourceNetwork> oldest = workedOff.keySet().iterator();
    while (workedOff.size() > MAX_SOURCES && oldest.hasNext()) {
      oldest.next();
      oldest.remove();
    }
  }

  /** How many sources are remembered. */
  public synchronized int size() {
    return workedOff.size();
  }
}
