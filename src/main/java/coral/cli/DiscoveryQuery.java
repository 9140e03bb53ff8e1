package coral.cli;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.api.discovery.v1.HealthRequest;
import coral.api.discovery.v1.HealthResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.InvitationText;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Asks a discovery service. What it says about a colony is tried, not believed. */
final class DiscoveryQuery {
  private static final String SERVICE = "coral.discovery.v1.DiscoveryService/";
  private static final int HTTPS_PORT = 443;
  private static final int HTTP_PORT = 80;

  /** As many as discovery takes from a colony. */
  private static final int MAX_ENDPOINTS = 16;

  private final ConnectClient client;

  /**
   * Prepares calls; none is made yet.
   *
   * @param timeout of connecting, and of each call
   */
  DiscoveryQuery(InvitationText.Discovery discovery, Duration timeout) {
    URI uri = URI.create(discovery.url());
    boolean plaintext = "http".equals(uri.getScheme());
    int port = uri.getPort() > 0 ? uri.getPort() : plaintext ? HTTP_PORT : HTTPS_PORT;
    Endpoint endpoint = new Endpoint(uri.getHost().replaceAll("[\\[\\]]", ""), port);
    client =
        plaintext
            ? ConnectClient.plaintext(endpoint, timeout, timeout)
            : ConnectClient.https(
                endpoint,
                discovery.fingerprint().map(ClientTls::pinnedLeaf).orElseGet(ClientTls::unverified),
                timeout,
                timeout);
  }

  /** How discovery is. */
  HealthResponse health() throws RpcException {
    return ask("Health", HealthRequest.getDefaultInstance(), HealthResponse.parser());
  }

  /**
   * Where a colony says that its services are reached, best first; empty if it says so of no place
   * that makes sense.
   *
   * @throws RpcException with NOT_FOUND if discovery does not know it
   */
  List<Endpoint> find(ColonyId colony) throws RpcException {
    LookupColonyResponse found =
        ask(
            "LookupColony",
            LookupColonyRequest.newBuilder().setMeshId(colony.value()).build(),
            LookupColonyResponse.parser());
    Set<Endpoint> endpoints = new LinkedHashSet<>();
    for (String text : found.getPublicEndpointsList()) {
      endpoint(text, found.getConnectPort()).ifPresent(endpoints::add);
    }
    List<Endpoint> all = new ArrayList<>(endpoints);
    return List.copyOf(all.subList(0, Math.min(all.size(), MAX_ENDPOINTS)));
  }

  /** Empty for a stranger's text that is of no use: no reason to give up the others. */
  private static Optional<Endpoint> endpoint(String text, int port) {
    try {
      return Optional.of(new Endpoint(Endpoint.parse(text).host(), port));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private <T extends Message> T ask(String rpc, Message request, Parser<T> parser)
      throws RpcException {
    return client.call(SERVICE + rpc, request, parser);
  }
}
