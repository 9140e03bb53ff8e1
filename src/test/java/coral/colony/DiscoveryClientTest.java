package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.discovery.v1.HealthRequest;
import coral.api.discovery.v1.HealthResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.api.discovery.v1.RotateColonySecretResponse;
import coral.discovery.DiscoveryProcess;
import coral.discovery.DiscoverySettings;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.model.Secret;
import coral.model.WireGuardKey;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.settings.SettingsLoader;
import coral.testing.OwnerSignatures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The colony's client against the real service. */
final class DiscoveryClientTest {
  private static final String SERVICE = "coral.discovery.v1.DiscoveryService/";
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private static final Secret SECRET = new Secret("the-secret-that-only-the-right-one-sees");

  @TempDir Path directory;
  private DiscoveryProcess discovery;
  private Fingerprint fingerprint;
  private Config config;

  @BeforeEach
  void start() throws Exception {
    config =
        ConfigFactory.parseString(
                "coral.discovery { host = 127.0.0.1, port = 0, directory = \""
                    + directory
                    + "\" }, coral.colony { id = shop-prod-a3f2e1 }")
            .withFallback(SettingsLoader.load(Optional.empty()));
    discovery =
        DiscoveryProcess.start(DiscoverySettings.from(config), config, InstantSource.system());
    fingerprint = discovery.fingerprint().orElseThrow();
  }

  @AfterEach
  void stop() throws Exception {
    discovery.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private DiscoveryClient client(Fingerprint pin) throws IOException {
    return new DiscoveryClient(
        new ColonySettings.Discovery(
            new Endpoint("127.0.0.1", discovery.port()), true, Optional.of(pin), Optional.empty()),
        ColonySettings.from(config).colonyId(),
        OwnerSignatures.owner(directory.resolve("colony"), InstantSource.system()),
        () -> SECRET);
  }

  private void register(DiscoveryClient client) throws Exception {
    ColonySettings settings = ColonySettings.from(config);
    client.register(
        settings,
        new MeshView(
            settings.subnet(),
            WireGuardKey.of(
                new byte[] {
                  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
                  24, 25, 26, 27, 28, 29, 30, 31, 32
                }),
            List.of(new Endpoint("203.0.113.7", 41820)),
            Duration.ofSeconds(15),
            1420),
        9000);
  }

  private ConnectClient anybody() {
    return ConnectClient.https(
        new Endpoint("127.0.0.1", discovery.port()),
        ClientTls.pinnedLeaf(fingerprint),
        TIMEOUT,
        TIMEOUT);
  }

  @Test
  void whatItRegistersIsFound() throws Exception {
    register(client(fingerprint));
    LookupColonyResponse found =
        anybody()
            .call(
                SERVICE + "LookupColony",
                LookupColonyRequest.newBuilder().setMeshId("shop-prod-a3f2e1").build(),
                LookupColonyResponse.parser());
    assertEquals(List.of("203.0.113.7:41820"), found.getPublicEndpointsList());
    assertEquals(9000, found.getConnectPort());
  }

  /** Every host of the colony has the secret; what it registers and rotates it has signed. */
  @Test
  void aHostOfTheColonyCannotAnnounceItNorReplaceItsSecret() throws Exception {
    register(client(fingerprint));
    Secret next = new Secret("another-secret-of-the-same-colony");
    RotateColonySecretRequest rotation =
        RotateColonySecretRequest.newBuilder()
            .setMeshId("shop-prod-a3f2e1")
            .setColonySecret(SECRET.reveal())
            .setNewColonySecret(next.reveal())
            .build();
    RpcException refused =
        assertThrows(
            RpcException.class,
            () ->
                anybody()
                    .call(
                        SERVICE + "RotateColonySecret",
                        rotation,
                        RotateColonySecretResponse.parser()));
    assertEquals(Failure.MESH_ID_TAKEN, refused.failure(), refused.getMessage());
    client(fingerprint).rotateSecret(SECRET, next, Duration.ofHours(1).plusNanos(5));
    register(client(fingerprint)); // with the former secret, which holds for an hour
    Files.delete(directory.resolve("colony").resolve("owner-key.pem"));
    DiscoveryClient keyLost = client(fingerprint);
    RpcException lost = assertThrows(RpcException.class, () -> register(keyLost));
    assertEquals(Failure.MESH_ID_TAKEN, lost.failure(), lost.getMessage());
  }

  /** The secret is in the request: a service of another certificate must not get to read it. */
  @Test
  void aServiceOfAnotherCertificateGetsNoRequest() throws Exception {
    DiscoveryClient wrong = client(Fingerprint.of(new byte[] {1}));
    RpcException cause = assertThrows(RpcException.class, () -> register(wrong));
    assertEquals(RpcException.Reason.PIN_MISMATCH, cause.reason());
    HealthResponse health =
        anybody()
            .call(SERVICE + "Health", HealthRequest.getDefaultInstance(), HealthResponse.parser());
    assertEquals(0, health.getRegisteredColonies());
  }
}
