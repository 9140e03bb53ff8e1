package coral.wireguard;

import coral.model.IpPrefix;
import coral.model.WireGuardKey;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * One peer as it shall be.
 *
 * @param endpoint where to reach it until it is heard from elsewhere; empty if only the peer knows
 *     how to reach us
 * @param allowedIps what it may send from, and what is sent to it; a prefix belongs to one peer
 * @param persistentKeepalive 1 s to 65,535 s; empty for none
 * @param presharedKey mixed into the handshake, if both sides have it
 */
public record Peer(
    WireGuardKey publicKey,
    Optional<InetSocketAddress> endpoint,
    Set<IpPrefix> allowedIps,
    Optional<Duration> persistentKeepalive,
    Optional<PresharedKey> presharedKey) {
  private static final int MAX_KEEPALIVE_SECONDS = 65_535;

  /**
   * @throws IllegalArgumentException if the endpoint is an unresolved name or has no port, or the
   *     keepalive is out of bounds
   */
  public Peer {
    allowedIps = Set.copyOf(allowedIps);
    endpoint.ifPresent(
        address -> {
          if (address.isUnresolved() || address.getPort() == 0) {
            throw new IllegalArgumentException(
                "a peer's endpoint is a resolved address and a port, not " + address);
          }
        });
    persistentKeepalive.ifPresent(
        interval -> {
          if (interval.toSeconds() < 1 || interval.toSeconds() > MAX_KEEPALIVE_SECONDS) {
            throw new IllegalArgumentException(
                "a persistent keepalive is 1 s to 65535 s, not " + interval);
          }
        });
  }

  /** A peer without a preshared key. */
  public Peer(
      WireGuardKey publicKey,
      Optional<InetSocketAddress> endpoint,
      Set<IpPrefix> allowedIps,
      Optional<Duration> persistentKeepalive) {
    this(publicKey, endpoint, allowedIps, persistentKeepalive, Optional.empty());
  }
}
