package coral.colony;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.ColonyService;
import coral.api.colony.v1.Connection;
import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.GetTopologyRequest;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.colony.v1.PingAgentRequest;
import coral.api.colony.v1.PingAgentResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.colony.v1.ReserveAddressRequest;
import coral.api.colony.v1.ReserveAddressResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.colony.v1.WatchAgentsRequest;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.certificate.Authority;
import coral.certificate.CertificateAuthority;
import coral.certificate.TrustBundle;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.MeshAddresses;
import coral.model.RefusedException;
import coral.rpc.Caller;
import coral.session.AgentPresence;
import coral.session.TunnelStatistics;
import coral.wireguard.PeerStatistics;
import io.grpc.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.stream.javadsl.Source;

/** {@code ColonyService} for one call of one caller, whom the authorisation table has let pass. */
final class ColonyEdge implements ColonyService {
  /** What fits an answer that has no pages. */
  private static final int MAX_TOPOLOGY = 10_000;

  /** A tunnel whose last handshake is older is down: REJECT_AFTER_TIME of WireGuard. */
  private static final Duration TUNNEL_LIFE = Duration.ofMinutes(3);

  private final Caller caller;
  private final Issuance issuance;
  private final Revocation revocation;
  private final AgentOverview agents;
  private final AddressEdge addresses;
  private final ColonyStatus status;
  private final MeshView mesh;
  private final Hub hub;
  private final Authority authority;

  ColonyEdge(
      Caller caller,
      Issuance issuance,
      Revocation revocation,
      AgentOverview agents,
      AddressEdge addresses,
      ColonyStatus status,
      MeshView mesh,
      Hub hub,
      Authority authority) {
    this.caller = caller;
    this.issuance = issuance;
    this.revocation = revocation;
    this.agents = agents;
    this.addresses = addresses;
    this.status = status;
    this.mesh = mesh;
    this.hub = hub;
    this.authority = authority;
  }

  @Override
  public CompletionStage<GetStatusResponse> getStatus(GetStatusRequest request) {
    return status.answer();
  }

  @Override
  public CompletionStage<ListAgentsResponse> listAgents(ListAgentsRequest request) {
    return agents
        .page(Requests.pageToken(request.getPageToken()), Requests.pageSize(request.getPageSize()))
        .thenApply(
            page ->
                ListAgentsResponse.newBuilder()
                    .addAllAgents(page.members().stream().map(this::agent).toList())
                    .setNextPageToken(page.nextToken())
                    .build());
  }

  @Override
  public CompletionStage<ListAllocationsResponse> listAllocations(ListAllocationsRequest request) {
    return addresses.list(request);
  }

  @Override
  public CompletionStage<GetTopologyResponse> getTopology(GetTopologyRequest request) {
    return collect(0, new ArrayList<>()).thenApply(this::topology);
  }

  @Override
  public CompletionStage<RevokeCertificateResponse> revokeCertificate(
      RevokeCertificateRequest request) {
    if (request.getSerialNumber().isEmpty()) {
      AgentId agentId = Requests.agentId(request.getAgentId());
      return revocation.revoke(caller, agentId, request.getReason()).thenApply(ColonyEdge::revoked);
    }
    if (!request.getAgentId().isEmpty()) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT, "either agent_id or serial_number, not both");
    }
    return revocation
        .revokeSerial(caller, request.getSerialNumber(), request.getReason())
        .thenApply(ColonyEdge::revoked);
  }

  private static RevokeCertificateResponse revoked(CertificateAuthority.Revoked revoked) {
    return RevokeCertificateResponse.newBuilder()
        .setSuccess(true)
        .setMessage(
            revoked
                .agentId()
                .map(agentId -> "the identity '" + agentId + "' was revoked")
                .orElse("a certificate that the colony keeps no list of was revoked"))
        .addAllSerialNumbers(revoked.serials())
        .build();
  }

  private CompletionStage<List<AgentOverview.Member>> collect(
      int fromHostNumber, List<AgentOverview.Member> collected) {
    return agents
        .page(fromHostNumber, Requests.MAX_PAGE)
        .thenCompose(
            page -> {
              collected.addAll(page.members());
              if (page.nextHostNumber() == 0) {
                return CompletableFuture.completedFuture(collected);
              }
              if (collected.size() >= MAX_TOPOLOGY) {
                throw new RefusedException(
                    Failure.LIMIT_REACHED,
                    "a topology has at most " + MAX_TOPOLOGY + " agents: use ListAgents");
              }
              return collect(page.nextHostNumber(), collected);
            });
  }

  private GetTopologyResponse topology(List<AgentOverview.Member> members) {
    GetTopologyResponse.Builder topology =
        GetTopologyResponse.newBuilder().setColonyId(status.colonyId());
    Instant alive = status.now().minus(TUNNEL_LIFE);
    for (AgentOverview.Member member : members) {
      topology.addAgents(agent(member));
      if (handshake(member).filter(at -> at.isAfter(alive)).isPresent()) {
        topology.addConnections(
            Connection.newBuilder()
                .setSourceId(member.allocation().agentId().value())
                .setTargetId(status.colonyId())
                .setConnectionType("wireguard"));
      }
    }
    return topology.build();
  }

  private Optional<Instant> handshake(AgentOverview.Member member) {
    return hub.device()
        .statistics(member.allocation().wireGuardKey())
        .flatMap(PeerStatistics::lastHandshake);
  }

  private Agent agent(AgentOverview.Member member) {
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

  @Override
  public CompletionStage<RequestCertificateResponse> requestCertificate(
      RequestCertificateRequest request) {
    return issuance.issue(caller, request).thenApply(this::issued);
  }

  private RequestCertificateResponse issued(Issuance.Bought bought) {
    CertificateAuthority.Issued issued = bought.issued();
    TrustBundle bundle = authority.trustBundle();
    return RequestCertificateResponse.newBuilder()
        .setCertificate(ByteString.copyFromUtf8(issued.chainPem()))
        .setCaCertificate(ByteString.copyFromUtf8(bundle.pem()))
        .setTrustBundleVersion(bundle.version())
        .setCrossCertificates(ByteString.copyFromUtf8(bundle.crossPem()))
        .setSerialNumber(issued.serial())
        .setExpiresAt(issued.notAfter().getEpochSecond())
        .setDeprecationNotice(bought.notice().orElse(""))
        .build();
  }

  @Override
  public Source<WatchAgentsResponse, NotUsed> watchAgents(WatchAgentsRequest request) {
    throw new GrpcServiceException(Status.UNIMPLEMENTED);
  }

  @Override
  public Source<PingAgentResponse, NotUsed> pingAgent(PingAgentRequest request) {
    throw new GrpcServiceException(Status.UNIMPLEMENTED);
  }

  @Override
  public CompletionStage<ReserveAddressResponse> reserveAddress(ReserveAddressRequest request) {
    return addresses.reserve(caller, request);
  }

  @Override
  public CompletionStage<GetCACertificateResponse> getCACertificate(
      GetCACertificateRequest request) {
    TrustBundle bundle = authority.trustBundle();
    return CompletableFuture.completedFuture(
        GetCACertificateResponse.newBuilder()
            .setCaCertificate(ByteString.copyFromUtf8(bundle.pem()))
            .setTrustBundleVersion(bundle.version())
            .setCrossCertificates(ByteString.copyFromUtf8(bundle.crossPem()))
            .build());
  }
}
