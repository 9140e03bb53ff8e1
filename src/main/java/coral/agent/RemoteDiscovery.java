package coral.agent;

import com.google.protobuf.ByteString;
import coral.agent.JoinFailure.Kind;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.Secret;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.net.URI;
import java.time.Duration;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Discovery over HTTPS, or over plaintext where the operator wants it so. */
final class RemoteDiscovery implements DiscoveryClient {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteDiscovery.class);

  private static final String LOOKUP = "coral.discovery.v1.DiscoveryService/LookupColony";
  private static final String REQUEST_TOKEN =
      "coral.discovery.v1.DiscoveryService/RequestRegistrationToken";
  private static final int HTTPS_PORT = 443;
  private static final int HTTP_PORT = 80;

  private final Duration timeout;
  private @Nullable Connection connection;

  /** The connection that was used last, kept open by the JDK's client. */
  private record Connection(DiscoveryAddress address, ConnectClient client) {}

  /**
   * @param timeout of connecting, and of each call
   */
  RemoteDiscovery(Duration timeout) {
    this.timeout = timeout;
  }

  @Override
  public List<Endpoint> find(DiscoveryAddress discovery, ColonyId colonyId) throws JoinException {
    LookupColonyResponse colony;
    try {
      colony =
          client(discovery)
              .call(
                  LOOKUP,
                  LookupColonyRequest.newBuilder().setMeshId(colonyId.value()).build(),
                  LookupColonyResponse.parser());
    } catch (RpcException e) {
      throw failed(e, discovery, colonyId);
    }
    Set<Endpoint> endpoints = new LinkedHashSet<>();
    try {
      for (String text : colony.getPublicEndpointsList()) {
        endpoints.add(new Endpoint(Endpoint.parse(text).host(), colony.getConnectPort()));
      }
    } catch (IllegalArgumentException e) {
      throw new JoinException(
          Kind.DISCOVERY_UNREACHABLE,
          "discovery at " + discovery + " answers with " + e.getMessage(),
          e);
    }
    if (endpoints.isEmpty()) {
      throw new JoinException(
          Kind.COLONY_UNKNOWN, "colony " + colonyId + " announces no endpoint in discovery");
    }
    return List.copyOf(endpoints);
  }

  @Override
  public Secret requestToken(
      DiscoveryAddress discovery, ColonyId colonyId, Secret secret, AgentId agentId, String keyHash)
      throws JoinException {
    if (!discovery.isTrusted()) {
      throw new JoinException(
          Kind.CREDENTIALS_MISSING,
          "the colony secret is shown to nobody but discovery, and the fingerprint of discovery at "
              + discovery
              + " is not known; give it (--discovery-fingerprint), as discovery logs it at its"
              + " start, or join with an invitation (coral invite)");
    }
    if (discovery.isPlaintext()) {
      LOG.warn("The colony secret is sent in plaintext, as configured: to {}", discovery);
    }
    try {
      RequestRegistrationTokenResponse answer =
          client(discovery)
              .call(
                  REQUEST_TOKEN,
                  RequestRegistrationTokenRequest.newBuilder()
                      .setColonyId(colonyId.value())
                      .setColonySecret(secret.reveal())
                      .setAgentId(agentId.value())
                      .setPublicKeySha256(ByteString.copyFrom(HexFormat.of().parseHex(keyHash)))
                      .build(),
                  RequestRegistrationTokenResponse.parser());
      return new Secret(answer.getToken());
    } catch (RpcException e) {
      throw failed(e, discovery, colonyId);
    }
  }

  private static JoinException failed(
      RpcException e, DiscoveryAddress discovery, ColonyId colonyId) {
    boolean unknown = e.reason() == RpcException.Reason.REFUSED && e.failure() == Failure.NOT_FOUND;
    return unknown
        ? new JoinException(
            Kind.COLONY_UNKNOWN,
            "discovery at " + discovery + " does not know colony " + colonyId + "; is it running?",
            e)
        : RemoteFailure.ofDiscovery(e, discovery);
  }

  private synchronized ConnectClient client(DiscoveryAddress address) {
    Connection current = connection;
    if (current == null || !current.address().equals(address)) {
      current = new Connection(address, connect(address));
      connection = current;
    }
    return current.client();
  }

  private ConnectClient connect(DiscoveryAddress address) {
    URI uri = address.uri();
    int defaultPort = address.isPlaintext() ? HTTP_PORT : HTTPS_PORT;
    Endpoint endpoint =
        new Endpoint(
            uri.getHost().replace("[", "").replace("]", ""),
            uri.getPort() > 0 ? uri.getPort() : defaultPort);
    return address.isPlaintext()
        ? ConnectClient.plaintext(endpoint, timeout, timeout)
        : ConnectClient.https(
            endpoint,
            address.pin().map(ClientTls::pinnedLeaf).orElseGet(ClientTls::unverified),
            timeout,
            timeout);
  }
}
