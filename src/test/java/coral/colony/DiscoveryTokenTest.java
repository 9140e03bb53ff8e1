package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.RotateSecretRequest;
import coral.api.colony.v1.RotateSecretResponse;
import coral.api.discovery.v1.LookupColonyRequest;
import coral.api.discovery.v1.LookupColonyResponse;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.discovery.v1.RequestRegistrationTokenResponse;
import coral.certificate.KeyType;
import coral.discovery.DiscoveryProcess;
import coral.discovery.DiscoverySettings;
import coral.model.Endpoint;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.settings.SettingsLoader;
import coral.testing.Eventually;
import coral.token.PublicKeyHash;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A colony with a real discovery: the secret is shown to discovery only, for a token. */
@Timeout(120)
class DiscoveryTokenTest {
  private static final String SERVICE = "coral.discovery.v1.DiscoveryService/";
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  @TempDir Path directory;

  @Test
  void aTokenOfDiscoveryBuysACertificateAlsoWithTheNextSecretAndWhileDiscoveryIsAway()
      throws Exception {
    Config config =
        ConfigFactory.parseString(
                "coral.discovery { host = 127.0.0.1, port = 0, directory = \""
                    + directory.resolve("discovery")
                    + "\" }")
            .withFallback(SettingsLoader.load(Optional.empty()));
    DiscoveryProcess discovery =
        DiscoveryProcess.start(DiscoverySettings.from(config), config, InstantSource.system());
    ConnectClient anybody =
        ConnectClient.https(
            new Endpoint("127.0.0.1", discovery.port()),
            ClientTls.pinnedLeaf(discovery.fingerprint().orElseThrow()),
            TIMEOUT,
            TIMEOUT);
    try (TestColony colony =
        TestColony.start(
            directory,
            Map.of(
                "coral.colony.discovery.url",
                "https://127.0.0.1:" + discovery.port(),
                "coral.colony.discovery.fingerprint",
                discovery.fingerprint().orElseThrow().value()))) {
      Eventually.holds(
          () ->
              anybody.call(
                  SERVICE + "LookupColony",
                  LookupColonyRequest.newBuilder()
                      .setMeshId(colony.created.colonyId().value())
                      .build(),
                  LookupColonyResponse.parser()));
      String secret = colony.created.secret().reveal();
      KeyPair keys = KeyType.P_256.generate();
      String token = token(anybody, colony, secret, "web-1", keys);
      colony.bootstrap("web-1", keys, b -> b.setRegistrationToken(token));
      assertTrue(Files.exists(colony.home().resolve("discovery-keys.json")));

      RotateSecretResponse rotated =
          colony.call(
              Optional.of(colony.administrator()),
              "coral.colony.v1.SecretService/RotateSecret",
              RotateSecretRequest.getDefaultInstance(),
              RotateSecretResponse.parser());
      assertNotEquals(secret, rotated.getColonySecret());
      assertEquals(rotated.getColonySecret(), new ColonyFiles(colony.home()).secret().reveal());
      KeyPair second = KeyType.P_256.generate();
      String next = token(anybody, colony, rotated.getColonySecret(), "web-2", second);
      // The former one holds on.
      KeyPair third = KeyType.P_256.generate();
      String former = token(anybody, colony, secret, "web-3", third);
      discovery.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
      colony.bootstrap("web-2", second, b -> b.setRegistrationToken(next));
      colony.bootstrap("web-3", third, b -> b.setRegistrationToken(former));
    } finally {
      discovery.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }
  }

  private static String token(
      ConnectClient discovery, TestColony colony, String secret, String agentId, KeyPair keys)
      throws Exception {
    return discovery
        .call(
            SERVICE + "RequestRegistrationToken",
            RequestRegistrationTokenRequest.newBuilder()
                .setColonyId(colony.created.colonyId().value())
                .setColonySecret(secret)
                .setAgentId(agentId)
                .setPublicKeySha256(
                    ByteString.copyFrom(PublicKeyHash.of(keys.getPublic()).toBytes()))
                .build(),
            RequestRegistrationTokenResponse.parser())
        .getToken();
  }
}
