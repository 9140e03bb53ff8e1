package coral.wireguard;

import coral.model.WireGuardKey;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Optional;

/**
 * What a device knows of one peer, at one moment.
 *
 * @param endpoint where it was last heard from, else where it is configured to be
 * @param lastHandshake when the newest session was confirmed; empty if there was none
 * @param receivedBytes authentic bytes of datagrams from it, with WireGuard's own headers
 * @param sentBytes bytes of datagrams to it, with WireGuard's own headers
 */
public record PeerStatistics(
    WireGuardKey publicKey,
    Optional<InetSocketAddress> endpoint,
    Optional<Instant> lastHandshake,
    long receivedBytes,
    long sentBytes) {}
