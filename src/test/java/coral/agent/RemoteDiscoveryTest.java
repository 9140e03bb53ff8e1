package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.agent.JoinFailure.Kind;
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
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.CallerIdentity;
import coral.rpc.FailureStatus;
import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Over a real socket. */
class RemoteDirectoryTest {
  private static final String LOOKUP = "coral.discovery.v1.DiscoveryService/LookupColony";
  private static final ActorSystem<Void> SYSTEM =
      ActorSystem.create(Behaviors.empty(), "directory", ConfigFactory.load());
  private static int port;

  @BeforeAll
  static void serve() throws Exception {
    port =
        RpcServer.builder(
                SYSTEM,
                CallerIdentity.none(),
                RpcAuthorization.of(Map.of(LOOKUP, Set.of(Role.ANYONE))))
            .service(
                DiscoveryService.class,
                DiscoveryService.description,
                caller -> new OneColony(),
                DiscoveryServiceHandlerFactory::create)
            .build()
            .bind("127.0.0.1", 0, Optional.empty())
            .toCompletableFuture()
            .get()
            .localAddress()
            .getPort();
  }

  @AfterAll
  static void stop() {
    SYSTEM.terminate();
    SYSTEM.getWhenTerminated().toCompletableFuture().join();
  }

  @Test
  void theGrpcPortIsSoughtOnTheHostsOfTheWireGuardSocket() throws Exception {
    assertEquals(
        List.of(new Endpoint("192.0.2.1", 9000), new Endpoint("fd00::1", 9000)),
        directory(port).find(FakeColony.COLONY));
  }

  @Test
  void anUnknownColonyIsNotDiscoveryBeingDown() {
    JoinException e =
        assertThrows(
            JoinException.class, () -> directory(port).find(new ColonyId("another-colony")));
    assertEquals(Kind.COLONY_UNKNOWN, e.failure().kind());
    assertTrue(e.failure().message().contains("another-colony"), e.failure().message());
  }

  @Test
  void discoveryThatIsDownIsNamed() {
    JoinException e = assertThrows(JoinException.class, () -> directory(1).find(FakeColony.COLONY));
    assertEquals(Kind.DISCOVERY_UNREACHABLE, e.failure().kind());
    assertTrue(e.failure().message().contains("http://127.0.0.1:1"), e.failure().message());
  }

  private static RemoteDirectory directory(int port) {
    return new RemoteDirectory(
        AgentSettings.from(
            ConfigFactory.parseString(
                    "coral.agent.discovery.url = \"http://127.0.0.1:" + port + "\"")
                .withFallback(AgentSettingsTest.defaults())));
  }

  private static final class OneColony implements DiscoveryService {
    @Override
    public CompletionStage<RequestRegistrationTokenResponse> requestRegistrationToken(
        RequestRegistrationTokenRequest in) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<GetDiscoveryPublicKeyResponse> getDiscoveryPublicKey(
        GetDiscoveryPublicKeyRequest in) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<RotateColonySecretResponse> rotateColonySecret(
        RotateColonySecretRequest in) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<LookupColonyResponse> lookupColony(LookupColonyRequest request) {
      if (!request.getMeshId().equals(FakeColony.COLONY.value())) {
        return CompletableFuture.failedFuture(
            FailureStatus.exception(new RefusedException(Failure.NOT_FOUND, "unknown")));
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
    public CompletionStage<RegisterColonyResponse> registerColony(RegisterColonyRequest request) {
      return CompletableFuture.completedFuture(RegisterColonyResponse.getDefaultInstance());
    }

    @Override
    public CompletionStage<HealthResponse> health(HealthRequest request) {
      return CompletableFuture.completedFuture(HealthResponse.getDefaultInstance());
    }
  }
}
