package coral.cli.quickstart;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What an agent told about its join and its first probe.
 *
 * @param certificateSerial hexadecimal
 * @param join from creating the interface to the first probe answered
 * @param handshake when the tunnel's last handshake was
 * @param roundTripIpv4 through the tunnel to the colony; empty if unanswered
 * @param roundTripIpv6 likewise
 */
record AgentReport(
    String agentId,
    String ipv4,
    String ipv6,
    String certificateSerial,
    Optional<Duration> join,
    Optional<Instant> handshake,
    Optional<Duration> roundTripIpv4,
    Optional<Duration> roundTripIpv6) {}
