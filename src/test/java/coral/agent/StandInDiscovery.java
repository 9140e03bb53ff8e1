package coral.agent;

import com.typesafe.config.ConfigFactory;
import coral.api.discovery.v1.DiscoveryService;
import coral.api.discovery.v1.DiscoveryServiceHandlerFactory;
import coral.api.discovery.v1.GetDiscoveryPublicKeyRequest;
import coral.api.discovery.v1.GetDiscoveryPublicKeyResponse;
import coral.api.discovery.v1.HealthRequest;
import coral.api.discovery.v1.HealthResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.api.discovery.v1.RotateColonySecretResponse;
import coral.certificate.CertificateProfile;
import coral.certificate.KeyType;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.model.Refused;
import coral.model.RefusedException;
import coral.rpc.CallerIdentity;
import coral.rpc.FailureStatus;
import coral.rpc.RateLimitedException;
import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * As much of discovery as an agent sees, over a real socket: one colony, and tokens that only the
 * stand-in for that colony understands.
 */
final class StandInDiscovery implements AutoCloseable {
  private static final String SERVICE = "coral.discovery.v1.DiscoveryService/";

  private final ActorSystem<Void> system =
      ActorSystem.create(Behaviors.empty(), "stand-in-discovery", ConfigFactory.load());
  private final Optional<Fingerprint> fingerprint;
  private final URI uri;

  /** The next request for a token is answered with this, once. */
  volatile Optional<RefusedException> refusal = Optional.empty();

  /** The next request for a token comes too early, once. */
  volatile Optional<Duration> retryAfter = Optional.empty();

  static StandInDiscovery overTls() throws Exception {
    return new StandInDiscovery(true);
  }

  static StandInDiscovery inPlaintext() throws Exception {
    return new StandInDiscovery(false);
  }

  private StandInDiscovery(boolean secure) throws Exception {
    Optional<ServerTls> tls = Optional.empty();
    Optional<Fingerprint> certificate = Optional.empty();
    if (secure) {
      java.security.KeyPair keys = KeyType.P_256.generate();
      var leaf =
          FakeColony.AUTHORITY.issue(
              CertificateProfile.server(FakeColony.COLONY),
              keys.getPublic(),
              InstantSource.system().instant(),
              Duration.ofDays(1));
      tls =
          Optional.of(
              ServerTls.of(keys.getPrivate(), List.of(leaf), Optional.empty(), accepted -> false));
      certificate = Optional.of(Fingerprint.of(leaf.getEncoded()));
    }
    fingerprint = certificate;
    int port =
        RpcServer.builder(
                system,
                CallerIdentity.none(),
                RpcAuthorization.of(
                    Map.of(
                        SERVICE + "LookupColony", Set.of(Role.ANYONE),
                        SERVICE + "RequestRegistrationToken", Set.of(Role.ANYONE))))
            .service(
                DiscoveryService.class,
                DiscoveryService.description,
                caller -> new OneColony(),
                DiscoveryServiceHandlerFactory::create)
            .build()
            .bind("127.0.0.1", 0, tls)
            .toCompletableFuture()
            .get()
            .localAddress()
            .getPort();
    uri = URI.create((secure ? "https" : "http") + "://127.0.0.1:" + port);
  }

  URI uri() {
    return uri;
  }

  Fingerprint fingerprint() {
    return fingerprint.orElseThrow();
  }

  DiscoveryAddress address() {
    return new DiscoveryAddress(uri, fingerprint);
  }

  /** What the stand-in for the colony takes for this key. */
  static String token(String keyHash) {
    return "token of " + keyHash;
  }

  @Override
  public void close() {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().join();
  }

  private static <T> CompletionStage<T> failed(Exception reason) {
    return CompletableFuture.failedFuture(FailureStatus.exception(reason));
  }

  private final class OneColony implements DiscoveryService {
    @Override
    public CompletionStage<RequestRegistrationTokenResponse> requestRegistrationToken(
        RequestRegistrationTokenRequest request) {
      if (retryAfter.isPresent()) {
        Duration delay = retryAfter.get();
        retryAfter = Optional.empty();
        return failed(
            new RateLimitedException(
                new Refused(Failure.LIMIT_REACHED, "too many requests"), delay));
      }
      if (refusal.isPresent()) {
        RefusedException refused = refusal.get();
        refusal = Optional.empty();
        return failed(refused);
      }
      if (!request.getColonySecret().equals(StandInColony.SECRET)) {
        return failed(new RefusedException(Failure.UNAUTHENTICATED, "wrong secret"));
      }
      return CompletableFuture.completedFuture(
          RequestRegistrationTokenResponse.newBuilder()
              .setToken(token(HexFormat.of().formatHex(request.getPublicKeySha256().toByteArray())))
              .build());
    }

    @Override
    public CompletionStage<LookupColonyResponse> lookupColony(LookupColonyRequest request) {
      if (!request.getMeshId().equals(FakeColony.COLONY.value())) {
        return failed(new RefusedException(Failure.NOT_FOUND, "unknown"));
      }
      return CompletableFuture.completedFuture(
          LookupColonyResponse.newBuilder()
              .addPublicEndpoints("192.0.2.1:41820")
              .addPublicEndpoints("[fd00::1]:41820")
              .addPublicEndpoints("192.0.2.1:41821")
              .setConnectPort(9000)
              .build());
    }

    @Override
    public CompletionStage<GetDiscoveryPublicKeyResponse> getDiscoveryPublicKey(
        GetDiscoveryPublicKeyRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<RotateColonySecretResponse> rotateColonySecret(
        RotateColonySecretRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<RegisterColonyResponse> registerColony(RegisterColonyRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<HealthResponse> health(HealthRequest request) {
      throw new UnsupportedOperationException();
    }
  }
}
