package coral.cli;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.AuditRoot;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.api.colony.v1.ListAuditRootsRequest;
import coral.api.colony.v1.ListAuditRootsResponse;
import coral.files.Pem;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import io.grpc.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/** Asks a colony as its administrator: HTTPS and protobuf, nothing more. */
final class ColonyClient {
  private static final String SERVICE = "coral.colony.v1.ColonyService/";

  /** Pages are followed to their end; a colony that never ends is broken. */
  private static final int MAX_PAGES = 1000;

  private static final String AUDIT_SERVICE = "coral.colony.v1.AuditService/";

  private final ColonyId colony;
  private final List<X509Certificate> authorities;
  private final ConnectClient client;

  private ColonyClient(ColonyId colony, List<X509Certificate> authorities, ConnectClient client) {
    this.colony = colony;
    this.authorities = List.copyOf(authorities);
    this.client = client;
  }

  /**
   * Prepares calls; none is made yet.
   *
   * @param folder the colony's, with its authority's and its administrator's certificates
   * @throws CommandFailedException if the folder lacks something
   */
  static ColonyClient connect(ColonyId colony, Path folder, Endpoint endpoint, Duration timeout) {
    try {
      Path administrator = folder.resolve("admin");
      ClientCertificate certificate =
          new ClientCertificate(
              Pem.readPrivateKey(administrator.resolve("key.pem")),
              Pem.readCertificates(administrator.resolve("cert.pem")));
      List<X509Certificate> authorities = Pem.readCertificates(folder.resolve("ca-cert.pem"));
      SSLContext tls =
          ClientTls.trusting(
              authorities, "spiffe://" + colony + "/colony", Optional.of(certificate));
      return new ColonyClient(
          colony, authorities, ConnectClient.https(endpoint, tls, timeout, timeout));
    } catch (IOException e) {
      throw new CommandFailedException(
          "cannot ask colony " + colony + ": " + e.getMessage(),
          "A query needs the administrator's certificate that 'coral init' put under "
              + folder
              + ".",
          e);
    }
  }

  /** The colony that is asked. */
  ColonyId colony() {
    return colony;
  }

  /** The roots that its folder knows it by. */
  List<X509Certificate> authorities() {
    return authorities;
  }

  /** The next records of the audit log. */
  ListAuditRecordsResponse auditRecords(ListAuditRecordsRequest request) {
    return ask(AUDIT_SERVICE + "ListAuditRecords", request, ListAuditRecordsResponse.parser());
  }

  /** The next roots of the audit log that cover records after this one; empty if there are none. */
  List<AuditRoot> auditRoots(long after) {
    return ask(
            AUDIT_SERVICE + "ListAuditRoots",
            ListAuditRootsRequest.newBuilder().setAfterSequence(after).build(),
            ListAuditRootsResponse.parser())
        .getRootsList();
  }

  GetStatusResponse status() {
    return ask(
        SERVICE + "GetStatus", GetStatusRequest.getDefaultInstance(), GetStatusResponse.parser());
  }

  /** All agents. */
  List<Agent> agents() {
    List<Agent> agents = new ArrayList<>();
    String page = "";
    for (int i = 0; i < MAX_PAGES; i++) {
      ListAgentsResponse response =
          ask(
              SERVICE + "ListAgents",
              ListAgentsRequest.newBuilder().setPageToken(page).build(),
              ListAgentsResponse.parser());
      agents.addAll(response.getAgentsList());
      page = response.getNextPageToken();
      if (page.isEmpty()) {
        return agents;
      }
    }
    throw endless();
  }

  /** All allocations, in one answer; total and capacity are those of the last page. */
  ListAllocationsResponse allocations() {
    ListAllocationsResponse.Builder all = ListAllocationsResponse.newBuilder();
    String page = "";
    for (int i = 0; i < MAX_PAGES; i++) {
      ListAllocationsResponse response =
          ask(
              SERVICE + "ListAllocations",
              ListAllocationsRequest.newBuilder().setPageToken(page).build(),
              ListAllocationsResponse.parser());
      all.mergeFrom(response);
      page = response.getNextPageToken();
      if (page.isEmpty()) {
        return all.build();
      }
    }
    throw endless();
  }

  private CommandFailedException endless() {
    return new CommandFailedException(
        "colony " + colony + " answers more than " + MAX_PAGES + " pages", "");
  }

  /**
   * Makes one call.
   *
   * @param rpc its full name
   * @param next what to do about a refusal of a kind, for people
   * @throws CommandFailedException if the colony refuses, or cannot be reached or believed
   */
  <T extends Message> T ask(
      String rpc, Message request, Parser<T> parser, Map<Failure, String> next) {
    try {
      return client.call(rpc, request, parser);
    } catch (RpcException e) {
      if (e.reason() != RpcException.Reason.REFUSED) {
        throw new CommandFailedException(
            "colony " + colony + " cannot be asked: " + e.getMessage(), next(e), e);
      }
      throw new CommandFailedException(
          "colony " + colony + " refuses: " + Table.printable(String.valueOf(e.getMessage())),
          next.getOrDefault(e.failure(), refused(e)),
          e);
    }
  }

  /** The same where what every refusal says is enough. */
  <T extends Message> T ask(String rpc, Message request, Parser<T> parser) {
    return ask(rpc, request, parser, Map.of());
  }

  private static String refused(RpcException refusal) {
    if (refusal.code() == Status.Code.UNIMPLEMENTED) {
      return "The colony is older than this command: update the colony.";
    }
    return switch (refusal.failure()) {
      case UNAUTHENTICATED, PERMISSION_DENIED ->
          "Ask again as the administrator, with the CORAL_HOME that 'coral init' filled.";
      case LIMIT_REACHED ->
          refusal
              .retryAfter()
              .map(delay -> "Try again in " + HumanTime.twoUnits(delay) + ".")
              .orElse("");
      case STORE_UNAVAILABLE, NOT_READY -> "Try again; 'coral status' says how the colony is.";
      case INTERNAL -> "The colony's log says more.";
      default -> "";
    };
  }

  private String next(RpcException failure) {
    return switch (failure.reason()) {
      case UNREACHABLE, TIMEOUT ->
          "Start it with 'coral colony start --colony "
              + colony
              + "', or say where it answers with --endpoint HOST:PORT.";
      case PIN_MISMATCH, SERVER_NOT_TRUSTED, PROTOCOL ->
          "Something else answers there: check --endpoint and --colony.";
      case SERVER_CERTIFICATE_EXPIRED -> "Compare the clocks of both hosts.";
      case CERTIFICATE_REFUSED -> "Check that CORAL_HOME is the one the colony was made in.";
      case REFUSED -> "";
    };
  }
}
