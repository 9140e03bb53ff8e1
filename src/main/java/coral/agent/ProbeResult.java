package coral.agent;

import coral.model.MeshAddresses;
import java.time.Duration;
import java.util.Optional;

/**
 * One ICMP echo per address family to the colony, through the tunnel.
 *
 * @param target the colony's addresses
 * @param ipv4 the round trip; empty if unanswered
 * @param ipv6 the round trip; empty if unanswered
 * @param handshakeAge since the newest handshake; empty if there was none
 */
record ProbeResult(
    MeshAddresses target,
    Optional<Duration> ipv4,
    Optional<Duration> ipv6,
    Optional<Duration> handshakeAge) {

  /** Whether the tunnel carries packets of at least one family. */
  boolean isAnswered() {
    return ipv4.isPresent() || ipv6.isPresent();
  }

  /** Whether it carries both. */
  boolean isComplete() {
    return ipv4.isPresent() && ipv6.isPresent();
  }

  /** The addresses that did not answer, for people. */
  String silent() {
    if (!isAnswered()) {
      return target.ipv4Text() + " and " + target.ipv6Text();
    }
    return ipv4.isEmpty() ? target.ipv4Text() : ipv6.isEmpty() ? target.ipv6Text() : "none";
  }
}
