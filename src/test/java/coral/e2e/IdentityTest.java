package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.agent.AgentProcess;
import coral.agent.AgentSettings;
import coral.colony.ColonyFiles;
import coral.colony.ColonyProcess;
import coral.discovery.DiscoveryProcess;
import coral.discovery.DiscoverySettings;
import coral.model.Endpoint;
import coral.settings.SettingsLoader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.DatagramSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The life of an agent's identity, with discovery, colony and agent as they run; tunnels end inside
 * this process. RFD 020, both drafts, section "Testing".
 */
class IdentityTest {
  private static final InstantSource CLOCK = InstantSource.system();
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path home;

  private final LinkedBlockingQueue<JsonNode> events = new LinkedBlockingQueue<>();
  private DiscoveryProcess discovery;
  private ColonyFiles.Created created;
  private int wireGuardPort;

  @BeforeEach
  void prepare() throws Exception {
    Config config =
        ConfigFactory.parseString(
                "coral.discovery { host = 127.0.0.1, port = 0, directory = \""
                    + home.resolve("discovery")
                    + "\" }")
            .withFallback(SettingsLoader.load(List.of()));
    discovery = DiscoveryProcess.start(DiscoverySettings.from(config), config, CLOCK);
    created = ColonyFiles.create("shop", "test", home, CLOCK);
    try (DatagramSocket free = new DatagramSocket(0)) {
      wireGuardPort = free.getLocalPort();
    }
  }

  @AfterEach
  void stop() {
    discovery.stop().toCompletableFuture().join();
  }

  /** The secret buys a token at discovery, and the token a certificate at the colony. */
  @Test
  @Timeout(120)
  void anAgentJoinsByATokenAndStaysWithoutTheSecret() throws Exception {
    try (ColonyProcess colony = startColony("")) {
      JsonNode joined = joinOnce(secret());
      assertEquals("token", joined.get("certificatePaidWith").asText());
      JsonNode again = joinOnce("");
      assertEquals(joined.get("certificateSerial"), again.get("certificateSerial"));
      assertEquals(joined.get("ipv4"), again.get("ipv4"));
    }
  }

  /** RFD 020 (token draft): the old way is refused unless both sides are set to it. */
  @Test
  @Timeout(120)
  void aColonyThatIsNotSetToTakeItsSecretDoesNot() throws Exception {
    try (ColonyProcess colony = startColony("");
        AgentProcess agent = start(secret() + ", once = true, legacy.send-colony-secret = true")) {
      JsonNode failed = awaitFailure("WRONG_SECRET");
      assertTrue(failed.get("message").asText().contains("discovery"), failed.toString());
      assertEquals(1, agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
    }
  }

  @Test
  @Timeout(120)
  void anInvitationIsEnoughAndIsGoodForOneAgent() throws Exception {
    try (ColonyProcess colony = startColony("")) {
      String invitation = administrator(colony).invitation("web-1");
      JsonNode joined = joinOnce("invitation = \"" + invitation + "\"");
      assertEquals("invitation", joined.get("certificatePaidWith").asText());
      // The same host may paste it again; its certificate is on disk.
      assertEquals(
          joined.get("certificateSerial"),
          joinOnce("invitation = \"" + invitation + "\"").get("certificateSerial"));
      delete(home.resolve("agents"));
      try (AgentProcess thief = start("once = true, invitation = \"" + invitation + "\"")) {
        awaitFailure("INVITATION_REFUSED");
        assertEquals(1, thief.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
      }
    }
  }

  /**
   * RFD 020 (mTLS draft): renewal before expiry. A certificate of a minute reaches a minute into
   * the past; its renewal is due 80 s after that.
   */
  @Test
  @Timeout(180)
  void aShortCertificateIsRenewedAndUsedWithoutALostPing() throws Exception {
    try (ColonyProcess colony = startColony("certificates.agent-validity = 1m");
        AgentProcess agent = start(secret() + ", probe.interval = 100ms")) {
      String serial = await("joined").get("certificateSerial").asText();
      JsonNode renewed = awaitAnswering("renewed");
      JsonNode joined = awaitAnswering("joined");
      assertEquals(renewed.get("certificateSerial"), joined.get("certificateSerial"));
      assertNotEquals(serial, joined.get("certificateSerial").asText());
      awaitAnswering("probe");
      agent.stop();
      assertEquals(0, agent.exitCode().toCompletableFuture().get(20, TimeUnit.SECONDS));
    }
  }

  /**
   * RFD 020 (mTLS draft): a revoked agent loses its tunnel; an allowance and a payment end that.
   */
  @Test
  @Timeout(120)
  void aRevokedAgentLosesItsTunnelAndComesBackOnlyWhenItIsLet() throws Exception {
    try (ColonyProcess colony = startColony("")) {
      Administrator administrator = administrator(colony);
      String address;
      try (AgentProcess agent = start(secret() + ", probe.interval = 100ms")) {
        address = await("joined").get("ipv4").asText();
        await("probe");
        administrator.revoke("web-1", "lost laptop");
        awaitFailure("REVOKED");
        assertFalse(agent.exitCode().toCompletableFuture().isDone());
      }
      try (AgentProcess agent = start(secret() + ", once = true")) {
        awaitFailure("IDENTITY_SUSPENDED");
        assertEquals(1, agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
      }
      administrator.allowRebind("web-1");
      assertEquals(address, joinOnce(secret()).get("ipv4").asText());
    }
  }

  private ColonyProcess startColony(String settings) throws Exception {
    Config config =
        ConfigFactory.parseString(
                "coral.colony { home = \""
                    + home
                    + "\", listen { host = 127.0.0.1, port = 0 }, wireguard { device = user-space,"
                    + " port = "
                    + wireGuardPort
                    + " }, management.port = 0, heartbeat-interval = 1s, public-endpoints"
                    + " = [\"127.0.0.1:"
                    + wireGuardPort
                    + "\"], discovery { url = \"https://127.0.0.1:"
                    + discovery.port()
                    + "\", fingerprint = \""
                    + discovery.fingerprint().orElseThrow()
                    + "\" }\n"
                    + settings
                    + "\n}")
            .withFallback(SettingsLoader.load(List.of(created.settingsFile())));
    return ColonyProcess.start(config, CLOCK);
  }

  private String secret() {
    return "colony-secret = \"" + created.secret().reveal() + "\"";
  }

  private Administrator administrator(ColonyProcess colony) throws Exception {
    return new Administrator(created, new Endpoint("127.0.0.1", colony.rpcAddress().getPort()));
  }

  private AgentProcess start(String settings) {
    events.clear();
    Config config =
        ConfigFactory.parseString(
                "coral.agent { id = web-1, colony-id = "
                    + created.colonyId()
                    + ", home = \""
                    + home
                    + "\", ca-fingerprint = \""
                    + created.caFingerprint()
                    + "\", discovery { url = \"https://127.0.0.1:"
                    + discovery.port()
                    + "\", fingerprint = \""
                    + discovery.fingerprint().orElseThrow()
                    + "\" }, device.mode = user-space, report = json, back-off.longest = 1s\n"
                    + settings
                    + "\n}")
            .withFallback(SettingsLoader.load(List.of()));
    return AgentProcess.start(AgentSettings.from(config), config, CLOCK, lines());
  }

  private JsonNode joinOnce(String settings) throws Exception {
    try (AgentProcess agent = start(settings + "\nonce = true")) {
      JsonNode joined = await("joined");
      assertEquals(0, agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
      return joined;
    }
  }

  private JsonNode await(String name) throws InterruptedException {
    while (true) {
      JsonNode event = events.poll(60, TimeUnit.SECONDS);
      assertNotNull(event, "no event " + name);
      String found = event.get("event").asText();
      if (found.equals(name)) {
        return event;
      }
      assertFalse(found.equals("stopped"), "no event " + name + " before " + event);
    }
  }

  /** An agent that comes before the colony is announced fails, and tries again. */
  private JsonNode awaitFailure(String kind) throws InterruptedException {
    JsonNode failed = await("failed");
    while (!failed.get("kind").asText().equals(kind)) {
      failed = await("failed");
    }
    return failed;
  }

  /** The next event of a name; nothing fails and no ping is lost on the way to it. */
  private JsonNode awaitAnswering(String name) throws InterruptedException {
    while (true) {
      JsonNode event = events.poll(60, TimeUnit.SECONDS);
      assertNotNull(event, "no event " + name);
      String found = event.get("event").asText();
      assertNotEquals("failed", found, event.toString());
      if (found.equals("probe")) {
        assertFalse(event.get("roundTripIpv4Milliseconds").isNull(), event.toString());
        assertFalse(event.get("roundTripIpv6Milliseconds").isNull(), event.toString());
      }
      if (found.equals(name)) {
        return event;
      }
    }
  }

  private static void delete(Path directory) throws Exception {
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private PrintStream lines() {
    return new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8) {
      @Override
      public void println(Object line) {
        try {
          events.add(JSON.readTree(String.valueOf(line)));
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
          throw new AssertionError(e);
        }
      }
    };
  }
}
