package coral.e2e;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.AllowRebindRequest;
import coral.api.colony.v1.AllowRebindResponse;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.GetTopologyRequest;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.mesh.v1.DeregisterAgentRequest;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.certificate.Identity;
import coral.colony.ColonyFiles;
import coral.model.Endpoint;
import coral.model.InvitationText;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/** Asks a colony with the certificate of its administrator. */
final class Administrator {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  private final ConnectClient client;

  Administrator(ColonyFiles.Created colony, Endpoint endpoint) throws IOException {
    Identity identity = Identity.load(colony.administratorCertificate(), colony.administratorKey());
    SSLContext tls =
        ClientTls.pinned(
            colony.caFingerprint(),
            "spiffe://" + colony.colonyId() + "/colony",
            Optional.of(new ClientCertificate(identity.key(), identity.chain())));
    client = ConnectClient.https(endpoint, tls, TIMEOUT, TIMEOUT);
  }

  /** The secret of a new invitation for so many agents, at most 1,000. */
  String invite(int uses) throws RpcException {
    return InvitationText.parse(
            client
                .call(
                    "coral.colony.v1.InvitationService/CreateInvitation",
                    CreateInvitationRequest.newBuilder().setUses(uses).build(),
                    CreateInvitationResponse.parser())
                .getText())
        .secret()
        .reveal();
  }

  /** The line for one agent. */
  String invitation(String agentId) throws RpcException {
    return client
        .call(
            "coral.colony.v1.InvitationService/CreateInvitation",
            CreateInvitationRequest.newBuilder().setAgentId(agentId).build(),
            CreateInvitationResponse.parser())
        .getText();
  }

  void revoke(String agentId, String reason) throws RpcException {
    client.call(
        "coral.colony.v1.ColonyService/RevokeCertificate",
        RevokeCertificateRequest.newBuilder().setAgentId(agentId).setReason(reason).build(),
        RevokeCertificateResponse.parser());
  }

  void allowRebind(String agentId) throws RpcException {
    client.call(
        "coral.colony.v1.CertificateService/AllowRebind",
        AllowRebindRequest.newBuilder().setAgentId(agentId).setReason("test").build(),
        AllowRebindResponse.parser());
  }

  GetStatusResponse status() throws RpcException {
    return client.call(
        "coral.colony.v1.ColonyService/GetStatus",
        GetStatusRequest.getDefaultInstance(),
        GetStatusResponse.parser());
  }

  /** The first thousand. */
  List<Agent> agents() throws RpcException {
    return client
        .call(
            "coral.colony.v1.ColonyService/ListAgents",
            ListAgentsRequest.getDefaultInstance(),
            ListAgentsResponse.parser())
        .getAgentsList();
  }

  GetTopologyResponse topology() throws RpcException {
    return client.call(
        "coral.colony.v1.ColonyService/GetTopology",
        GetTopologyRequest.getDefaultInstance(),
        GetTopologyResponse.parser());
  }

  DeregisterAgentResponse deregister(String agentId) throws RpcException {
    return client.call(
        "coral.mesh.v1.MeshService/Deregister",
        DeregisterAgentRequest.newBuilder().setAgentId(agentId).build(),
        DeregisterAgentResponse.parser());
  }

  /** All of them, page by page. */
  List<Allocation> allocations() throws RpcException {
    List<Allocation> all = new ArrayList<>();
    ListAllocationsResponse page = allocations("");
    all.addAll(page.getAllocationsList());
    while (!page.getNextPageToken().isEmpty()) {
      page = allocations(page.getNextPageToken());
      all.addAll(page.getAllocationsList());
    }
    return all;
  }

  private ListAllocationsResponse allocations(String token) throws RpcException {
    return client.call(
        "coral.colony.v1.ColonyService/ListAllocations",
        ListAllocationsRequest.newBuilder().setPageToken(token).build(),
        ListAllocationsResponse.parser());
  }
}
