package coral.cli;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.AuditRoot;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.GetTopologyRequest;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.api.colony.v1.ListAuditRootsRequest;
import coral.api.colony.v1.ListAuditRootsResponse;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.rpc.ConnectStream;
import coral.rpc.RpcException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Asks a colony: HTTP and protobuf, nothing more. The first way to it that works is kept for all
 * calls; a way that may not do what is asked is passed over.
 */
final class ColonyClient {
  private static final String SERVICE = "coral.colony.v1.ColonyService/";

  /** Pages are followed to their end; a colony that never ends is broken. */
  private static final int MAX_PAGES = 1000;

  private static final String AUDIT_SERVICE = "coral.colony.v1.AuditService/";

  private final ColonyContext colony;
  private final RouteFollower routes;
  private final AskerIdentity asker;

  private ColonyClient(ColonyContext colony, AskerIdentity asker, RouteFollower routes) {
    this.colony = colony;
    this.asker = asker;
    this.routes = routes;
  }

  /**
   * Prepares calls; none is made yet.
   *
   * @param routes to the colony
   * @param timeout of each call
   */
  static ColonyClient of(ColonyContext colony, Routes routes, Duration timeout, RouteLog log) {
    AskerIdentity asker = new AskerIdentity(colony);
    return new ColonyClient(colony, asker, new RouteFollower(colony, asker, routes, timeout, log));
  }

  /** The colony that is asked. */
  ColonyId colony() {
    return colony.id();
  }

  /** The roots that its folder knows it by. */
  List<X509Certificate> authorities() {
    return asker.authorities();
  }

  /** By which way the last call was answered; empty before the first. */
  Optional<Route> route() {
    return routes.taken();
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

  GetTopologyResponse topology() {
    return ask(
        SERVICE + "GetTopology",
        GetTopologyRequest.getDefaultInstance(),
        GetTopologyResponse.parser());
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
        "colony " + colony.id() + " answers more than " + MAX_PAGES + " pages", "");
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
    return routes.call(rpc, client -> client.call(rpc, request, parser), next);
  }

  /** The same where what every refusal says is enough. */
  <T extends Message> T ask(String rpc, Message request, Parser<T> parser) {
    return ask(rpc, request, parser, Map.of());
  }

  /**
   * Makes a call that is answered with a stream.
   *
   * @param rpc its full name
   * @param maxSilence nothing may arrive for so long; zero waits for ever
   * @return to be closed; {@link #failure} says what an exception of its means
   * @throws CommandFailedException if the colony cannot be reached or believed
   */
  <T extends Message> ConnectStream<T> stream(
      String rpc, Message request, Parser<T> parser, Duration maxSilence) {
    return routes.call(rpc, client -> client.stream(rpc, request, parser, maxSilence), Map.of());
  }

  /**
   * What it means that a stream fails.
   *
   * @param next what to do about a refusal of a kind, for people
   */
  CommandFailedException failure(RpcException failure, Map<Failure, String> next) {
    return routes.failure(failure, next);
  }
}
