package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RegisterColonyResponse;
import coral.discovery.DiscoveryProcess;
import coral.discovery.DiscoverySettings;
import coral.model.Endpoint;
import coral.model.WireGuardKey;
import coral.ownership.ColonyOwner;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.settings.SettingsLoader;
import coral.testing.OwnerSignatures;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code coral discovery colonies} beside a discovery that runs, and beside none. */
final class DiscoveryColoniesCommandTest {
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.parse("2026-01-01T00:00:00Z"));

  @TempDir Path directory;

  private String settings() {
    return "coral.discovery { host = 127.0.0.1, port = 0, directory = \""
        + directory.resolve("discovery")
        + "\" }\n";
  }

  private Cli colonies(String... more) throws Exception {
    Path file = directory.resolve("settings.conf");
    Files.writeString(file, settings());
    return Cli.run(
        Map.of("CORAL_HOME", directory.toString()),
        Stream.concat(
                Stream.of("--config", file.toString(), "discovery", "colonies"), Stream.of(more))
            .toArray(String[]::new));
  }

  private static void register(DiscoveryProcess discovery, ColonyOwner owner) throws Exception {
    byte[] key = new byte[32];
    key[0] = 9;
    ConnectClient.https(
            new Endpoint("127.0.0.1", discovery.port()),
            ClientTls.pinnedLeaf(discovery.fingerprint().orElseThrow()),
            Duration.ofSeconds(10),
            Duration.ofSeconds(10))
        .call(
            "coral.discovery.v1.DiscoveryService/RegisterColony",
            OwnerSignatures.sign(
                    owner,
                    RegisterColonyRequest.newBuilder()
                        .setMeshId("shop-prod")
                        .setWireguardPubkey(WireGuardKey.of(key).toString())
                        .addPublicEndpoints("203.0.113.7:41820")
                        .setMeshIpv4("10.42.0.1")
                        .setConnectPort(9000)
                        .setColonySecret("coral-sec_a-secret-of-this-colony"))
                .build(),
            RegisterColonyResponse.parser());
  }

  @Test
  void coloniesAreShownWithTheirOwnersAndForgotten() throws Exception {
    ColonyOwner owner = OwnerSignatures.owner(directory.resolve("owner"), CLOCK);
    Config config =
        ConfigFactory.parseString(settings()).withFallback(SettingsLoader.load(Optional.empty()));
    DiscoveryProcess discovery =
        DiscoveryProcess.start(DiscoverySettings.from(config), config, CLOCK);
    try {
      register(discovery, owner);
      Cli shown = colonies();
      assertEquals(0, shown.exitCode(), shown.err());
      assertEquals(
          "shop-prod " + owner.publicKey() + " 2026-01-01T00:00:00Z\n", shown.out(), shown.err());
      Cli unknown = colonies("forget", "another");
      assertEquals(1, unknown.exitCode());
      assertTrue(unknown.err().contains("nobody owns the mesh id another"), unknown.err());
      assertEquals(2, colonies("forget", "No Id").exitCode());
      assertEquals(2, colonies("forget").exitCode());
      Cli forgotten = colonies("forget", "shop-prod");
      assertEquals(0, forgotten.exitCode(), forgotten.err());
      assertEquals("forgotten shop-prod\n", forgotten.out());
      assertEquals("", colonies().out());
    } finally {
      discovery.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }
    Cli gone = colonies("forget", "shop-prod");
    assertEquals(1, gone.exitCode());
    assertTrue(gone.err().contains("control.sock"), gone.err());
  }
}
