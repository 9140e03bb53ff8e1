package coral.colony;

import com.google.protobuf.Timestamp;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.Heartbeat;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.model.RefusedException;
import coral.session.AgentSession;
import coral.session.Notice;
import coral.session.Probe;
import coral.session.TunnelStatistics;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;

/** What agents send in their sessions, read as what a session is told; nothing is believed yet. */
final class AgentMessages {
  /** Two families, each probed a few times since the last heartbeat. */
  private static final int MAX_PROBES = 8;

  private static final Duration MAX_ROUND_TRIP = Duration.ofMinutes(1);

  private final ReportedConnections connections;
  private final TrustNotices trust;

  AgentMessages(MeshSubnet subnet, TrustNotices trust) {
    this.connections = new ReportedConnections(subnet);
    this.trust = trust;
  }

  /**
   * Reads a message of an agent's stream; empty for one that its session need not hear of.
   *
   * @throws RefusedException if it makes no sense
   */
  Optional<AgentSession.Command> read(
      AgentId agentId, ActorRef<Notice> stream, AgentMessage message) {
    return switch (message.getMessageCase()) {
      case HEARTBEAT -> Optional.of(heartbeat(stream, message.getHeartbeat()));
      case TRUST_BUNDLE_TAKEN -> {
        trust.taken(agentId, message.getTrustBundleTaken().getVersion());
        yield Optional.empty();
      }
      case OBSERVED_CONNECTIONS ->
          connections
              .read(message.getObservedConnections())
              .map(report -> new AgentSession.Observed(stream, report));
      case MESSAGE_NOT_SET -> Optional.empty(); // of a newer agent
    };
  }

  private static AgentSession.Heartbeat heartbeat(ActorRef<Notice> stream, Heartbeat heartbeat) {
    return new AgentSession.Heartbeat(
        stream,
        heartbeat.getSequence(),
        heartbeat.hasTunnel() ? Optional.of(tunnel(heartbeat)) : Optional.empty(),
        heartbeat.getProbesList().stream().limit(MAX_PROBES).map(AgentMessages::probe).toList());
  }

  private static TunnelStatistics tunnel(Heartbeat heartbeat) {
    coral.api.mesh.v1.TunnelStatistics tunnel = heartbeat.getTunnel();
    return new TunnelStatistics(
        tunnel.hasLastHandshake()
            ? Optional.of(instant(tunnel.getLastHandshake()))
            : Optional.empty(),
        tunnel.getReceivedBytes(),
        tunnel.getSentBytes());
  }

  private static Instant instant(Timestamp timestamp) {
    try {
      return Protobuf.instant(timestamp);
    } catch (DateTimeException | ArithmeticException e) {
      throw new RefusedException(Failure.INVALID_ARGUMENT, "last_handshake is not a time");
    }
  }

  private static Probe probe(coral.api.mesh.v1.Probe probe) {
    Duration roundTrip = Protobuf.duration(probe.getRoundTrip());
    boolean believable = !roundTrip.isNegative() && roundTrip.compareTo(MAX_ROUND_TRIP) <= 0;
    return new Probe(
        probe.getTarget().indexOf(':') >= 0,
        probe.getAnswered() && believable ? Optional.of(roundTrip) : Optional.empty());
  }
}
