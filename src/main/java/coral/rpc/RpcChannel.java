package coral.rpc;

import coral.model.Endpoint;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcClientSettings;

/** The channel settings that generated clients are made with. */
public final class RpcChannel {
  private RpcChannel() {}

  /**
   * Settings for one server.
   *
   * @param tls of {@link ClientTls}; empty is plaintext, for discovery with TLS switched off
   */
  public static GrpcClientSettings settings(
      Endpoint endpoint, Optional<SSLContext> tls, ClassicActorSystemProvider system) {
    GrpcClientSettings settings =
        GrpcClientSettings.connectToServiceAt(endpoint.host(), endpoint.port(), system);
    return tls.map(settings::withSslContext).orElseGet(() -> settings.withTls(false));
  }

  /** Settings for one server, over TLS. */
  public static GrpcClientSettings grpcClient(
      Endpoint endpoint, SSLContext tls, ClassicActorSystemProvider system) {
    return settings(endpoint, Optional.of(tls), system);
  }
}
