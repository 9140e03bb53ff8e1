package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.net.URI;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A discovery service, asked over HTTPS. */
final class RemoteDirectory implements ColonyDirectory {
  private static final String LOOKUP = "coral.discovery.v1.DiscoveryService/LookupColony";
  private static final int HTTPS_PORT = 443;
  private static final int HTTP_PORT = 80;

  private final URI uri;
  private final ConnectClient client;

  RemoteDirectory(AgentSettings settings) {
    uri = settings.discovery();
    boolean plaintext = "http".equals(uri.getScheme());
    int port = uri.getPort() > 0 ? uri.getPort() : plaintext ? HTTP_PORT : HTTPS_PORT;
    String host = uri.getHost().replace("[", "").replace("]", "");
    Endpoint endpoint = new Endpoint(host, port);
    client =
        plaintext
            ? ConnectClient.plaintext(endpoint, settings.callTimeout(), settings.callTimeout())
            : ConnectClient.https(
                endpoint,
                settings
                    .discoveryFingerprint()
                    .map(ClientTls::pinnedLeaf)
                    .orElseGet(ClientTls::unverified),
                settings.callTimeout(),
                settings.callTimeout());
  }

  @Override
  public List<Endpoint> find(ColonyId colonyId) throws JoinException {
    LookupColonyResponse colony;
    try {
      colony =
          client.call(
              LOOKUP,
              LookupColonyRequest.newBuilder().setMeshId(colonyId.value()).build(),
              LookupColonyResponse.parser());
    } catch (RpcException e) {
      if (e.reason() == RpcException.Reason.REFUSED && e.failure() == Failure.NOT_FOUND) {
        throw new JoinException(
            Kind.COLONY_UNKNOWN,
            "discovery at " + uri + " does not know colony " + colonyId + "; is it running?",
            e);
      }
      throw new JoinException(
          Kind.DISCOVERY_UNREACHABLE,
          "discovery at " + uri + " is of no use: " + e.getMessage(),
          e);
    }
    Set<Endpoint> endpoints = new LinkedHashSet<>();
    try {
      for (String text : colony.getPublicEndpointsList()) {
        endpoints.add(new Endpoint(Endpoint.parse(text).host(), colony.getConnectPort()));
      }
    } catch (IllegalArgumentException e) {
      throw new JoinException(
          Kind.DISCOVERY_UNREACHABLE, "discovery at " + uri + " answers with " + e.getMessage(), e);
    }
    if (endpoints.isEmpty()) {
      throw new JoinException(
          Kind.COLONY_UNKNOWN, "colony " + colonyId + " announces no endpoint in discovery");
    }
    return List.copyOf(endpoints);
  }
}
