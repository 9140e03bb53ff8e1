package coral.colony;

import coral.api.colony.v1.Agent;
import coral.model.MeshAddresses;
import coral.session.AgentPresence;
import coral.session.TunnelStatistics;
import coral.wireguard.PeerStatistics;
import java.time.Instant;
import java.util.Optional;

/** Members in the form of messages, with what the hub itself knows of their tunnels. */
final class AgentMapping {
  private final MeshView mesh;
  private final Hub hub;

  AgentMapping(MeshView mesh, Hub hub) {
    this.mesh = mesh;
    this.hub = hub;
  }

  Agent agent(AgentOverview.Member member) {
    MeshAddresses addresses = mesh.subnet().addresses(member.allocation().hostNumber());
    Agent.Builder agent =
        Agent.newBuilder()
            .setAgentId(member.allocation().agentId().value())
            .setComponentName(member.allocation().componentName())
            .setAuthentication(member.allocation().authentication().wireName())
            .setMeshIpv4(addresses.ipv4Text())
            .setMeshIpv6(addresses.ipv6Text())
            .setLastSeen(Protobuf.timestamp(member.lastSeen()))
            .setStatus(member.status());
    member
        .certificate()
        .ifPresent(
            certificate ->
                agent
                    .setCertificateSerial(certificate.serial())
                    .setCertificateExpiresAt(Protobuf.timestamp(certificate.expiresAt())));
    member.session().ifPresent(session -> addSession(agent, session));
    // The hub's own knowledge is the newer and cannot be made up.
    handshake(member)
        .or(
            () ->
                member
                    .session()
                    .flatMap(AgentPresence::tunnel)
                    .flatMap(TunnelStatistics::lastHandshake))
        .ifPresent(at -> agent.setLastHandshake(Protobuf.timestamp(at)));
    return agent.build();
  }

  private Optional<Instant> handshake(AgentOverview.Member member) {
    return hub.device()
        .statistics(member.allocation().wireGuardKey())
        .flatMap(PeerStatistics::lastHandshake);
  }

  private static void addSession(Agent.Builder agent, AgentPresence session) {
    agent.setConnected(session.connected()).setCertificateSerial(session.certificateSerial());
    session.roundTripIpv4().ifPresent(d -> agent.setRoundTripIpv4(Protobuf.duration(d)));
    session.roundTripIpv6().ifPresent(d -> agent.setRoundTripIpv6(Protobuf.duration(d)));
    session
        .tunnel()
        .ifPresent(
            tunnel ->
                agent.setReceivedBytes(tunnel.receivedBytes()).setSentBytes(tunnel.sentBytes()));
  }
}
