package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.agent.AgentProcess;
import coral.agent.AgentSettings;
import coral.colony.ColonyFiles;
import coral.colony.ColonyProcess;
import coral.settings.SettingsLoader;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** RFD 019, "E2E test: colony restart with active agents"; tunnels end inside this process. */
class ColonyRestartTest {
  private static final InstantSource CLOCK = InstantSource.system();
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path home;

  private final LinkedBlockingQueue<JsonNode> events = new LinkedBlockingQueue<>();

  @Test
  @Timeout(180)
  void anAgentKeepsItsAddressAndItsTunnelWhenTheColonyRestarts() throws Exception {
    ColonyFiles.Created created = ColonyFiles.create("shop", "test", home, CLOCK);
    ColonyProcess colony = ColonyProcess.start(colonyConfig(created, 0, 0), CLOCK);
    int port = colony.rpcAddress().getPort();
    int wireGuardPort = colony.wireGuardPort();
    Config agentConfig = agentConfig(created, port);
    try (AgentProcess agent =
        AgentProcess.start(AgentSettings.from(agentConfig), agentConfig, CLOCK, lines())) {
      JsonNode joined = await("joined");
      assertAnswered(joined);
      colony.close();
      assertEquals("SESSION_LOST", await("failed").get("kind").asText());

      colony = ColonyProcess.start(colonyConfig(created, port, wireGuardPort), CLOCK);
      JsonNode again = await("joined");
      assertEquals(joined.get("ipv4"), again.get("ipv4"));
      assertEquals(joined.get("ipv6"), again.get("ipv6"));
      assertEquals(joined.get("certificateSerial"), again.get("certificateSerial"));
      events.clear();
      JsonNode probe = await("probe");
      while (probe.get("roundTripIpv4Milliseconds").isNull()
          || probe.get("roundTripIpv6Milliseconds").isNull()) {
        probe = await("probe");
      }
      agent.stop();
      assertEquals(0, agent.exitCode().toCompletableFuture().get(20, TimeUnit.SECONDS));
    } finally {
      colony.close();
    }
  }

  private Config colonyConfig(ColonyFiles.Created created, int port, int wireGuardPort) {
    return ConfigFactory.parseString(
            "coral.colony { home = \""
                + home
                + "\", listen { host = 127.0.0.1, port = "
                + port
                + " }, wireguard { device = user-space, port = "
                + wireGuardPort
                + " }, management.port = 0, heartbeat-interval = 1s, public-endpoints = [],"
                + " legacy.accept-colony-secret = true }")
        .withFallback(SettingsLoader.load(List.of(created.settingsFile())));
  }

  private Config agentConfig(ColonyFiles.Created created, int port) {
    return ConfigFactory.parseString(
            "coral.agent { id = web-1, colony-id = "
                + created.colonyId()
                + ", home = \""
                + home
                + "\", colony-secret = \""
                + created.secret().reveal()
                + "\", ca-fingerprint = \""
                + created.caFingerprint()
                + "\", colony-endpoint = \"127.0.0.1:"
                + port
                + "\", device.mode = user-space, report = json, probe.interval = 500ms,"
                + " back-off.longest = 1s, legacy.send-colony-secret = true }")
        .withFallback(SettingsLoader.load(List.of()));
  }

  private static void assertAnswered(JsonNode event) {
    assertFalse(event.get("roundTripIpv4Milliseconds").isNull(), event.toString());
    assertFalse(event.get("roundTripIpv6Milliseconds").isNull(), event.toString());
  }

  /** The next event of a name. */
  private JsonNode await(String name) throws InterruptedException {
    while (true) {
      JsonNode event = events.poll(60, TimeUnit.SECONDS);
      assertNotNull(event, "no event " + name);
      if (event.get("event").asText().equals(name)) {
        return event;
      }
    }
  }

  /** Where each line becomes an event. */
  private PrintStream lines() {
    ByteArrayOutputStream buffer = new ByteArrayOutputStream();
    return new PrintStream(buffer, true, StandardCharsets.UTF_8) {
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
