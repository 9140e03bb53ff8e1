package coral.colony;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How often one address may show a wrong secret: the generic cell rate algorithm (ITU-T I.371). A
 * secret of 256 bits cannot be guessed; this keeps those who try from filling the audit log and
 * taking the processor. What succeeds costs nothing.
 */
final class BootstrapLimit {
  /** Failures in a row that a person with a wrong file, or a fleet behind one address, may have. */
  static final int BURST = 10;

  /** Then one more in each such time. */
  static final Duration INTERVAL = Duration.ofSeconds(6);

  /** Addresses remembered; the one that failed longest ago is forgotten first. */
  static final int MAX_ADDRESSES = 10_000;

  /** A subscriber has at least a /64 of IPv6 (RFC 6177): its addresses are one. */
  private static final int IPV6_NETWORK_BYTES = 8;

  private record Source(String prefix) {}

  private final InstantSource clock;

  /** When each source's failures are all worked off, least recently failed first. */
  private final Map<Source, Instant> workedOff = new LinkedHashMap<>(16, 0.75f, true);

  BootstrapLimit(InstantSource clock) {
    this.clock = clock;
  }

  /** Whether the address may try. */
  synchronized boolean mayTry(InetAddress address) {
    Instant until = workedOff.get(source(address));
    return until == null || !until.isAfter(clock.instant().plus(INTERVAL.multipliedBy(BURST - 1L)));
  }

  /** Takes note of a wrong secret. */
  synchronized void failed(InetAddress address) {
    Source source = source(address);
    Instant now = clock.instant();
    Instant until = workedOff.get(source);
    Instant from = until == null || until.isBefore(now) ? now : until;
    workedOff.put(source, from.plus(INTERVAL));
    Iterator<Source> oldest = workedOff.keySet().iterator();
    while (workedOff.size() > MAX_ADDRESSES && oldest.hasNext()) {
      oldest.next();
      oldest.remove();
    }
  }

  synchronized int size() {
    return workedOff.size();
  }

  private static Source source(InetAddress address) {
    byte[] bytes = address.getAddress();
    return new Source(
        Arrays.toString(
            address instanceof Inet6Address ? Arrays.copyOf(bytes, IPV6_NETWORK_BYTES) : bytes));
  }
}
