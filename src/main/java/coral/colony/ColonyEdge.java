package coral.colony;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.ColonyService;
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
import coral.model.RefusedException;
import coral.rpc.Caller;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/** {@code ColonyService} for one call of one caller, whom the authorisation table has let pass. */
final class ColonyEdge implements ColonyService {
  private final Caller caller;
  private final Issuance issuance;
  private final Revocation revocation;
  private final AgentOverview agents;
  private final AddressEdge addresses;
  private final ColonyStatus status;
  private final AgentMapping mapping;
  private final Topology topology;
  private final AgentWatch watch;
  private final AgentPing ping;
  private final Authority authority;

  ColonyEdge(
      Caller caller,
      Issuance issuance,
      Revocation revocation,
      AgentOverview agents,
      AddressEdge addresses,
      ColonyStatus status,
      AgentMapping mapping,
      Topology topology,
      AgentWatch watch,
      AgentPing ping,
      Authority authority) {
    this.caller = caller;
    this.issuance = issuance;
    this.revocation = revocation;
    this.agents = agents;
    this.addresses = addresses;
    this.status = status;
    this.mapping = mapping;
    this.topology = topology;
    this.watch = watch;
    this.ping = ping;
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
                    .addAllAgents(page.members().stream().map(mapping::agent).toList())
                    .setNextPageToken(page.nextToken())
                    .build());
  }

  @Override
  public CompletionStage<ListAllocationsResponse> listAllocations(ListAllocationsRequest request) {
    return addresses.list(request);
  }

  @Override
  public CompletionStage<GetTopologyResponse> getTopology(GetTopologyRequest request) {
    return topology.answer();
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
    return watch.watch();
  }

  @Override
  public Source<PingAgentResponse, NotUsed> pingAgent(PingAgentRequest request) {
    return ping.ping(request);
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
