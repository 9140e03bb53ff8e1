package coral.session;

import coral.model.AgentId;
import coral.model.ClusterMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What was last known of one agent.
 *
 * @param presence as judged when this was told; worse is told again
 * @param connected whether it has a session
 * @param generation of its last session; 0 if it had none since the colony started
 * @param lastSeen when it opened its session or its last heartbeat came
 * @param certificateSerial of the certificate it opened its session with, in hexadecimal digits
 * @param tunnel as the agent last counted
 * @param roundTripIpv4 of its last probe through the tunnel; empty when unanswered
 * @param roundTripIpv6 of its last probe through the tunnel; empty when unanswered
 */
public record AgentPresence(
    AgentId agentId,
    Presence presence,
    boolean connected,
    long generation,
    Instant lastSeen,
    String certificateSerial,
    Optional<TunnelStatistics> tunnel,
    Optional<Duration> roundTripIpv4,
    Optional<Duration> roundTripIpv6)
    implements ClusterMessage {}
