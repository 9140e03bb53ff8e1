package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.mesh.v1.Heartbeat;
import coral.model.Fingerprint;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole agent over real TLS, with a real tunnel that ends inside the process. */
class AgentProcessTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static StandInColony colony;

  @TempDir Path home;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  @BeforeAll
  static void start() throws Exception {
    colony = new StandInColony();
  }

  @AfterAll
  static void stop() {
    colony.close();
  }

  @Test
  void onceJoinsProbesReportsAndLeaves() throws Exception {
    assertEquals(0, run(once("colony-secret = \"the secret\"", pin())));
    JsonNode joined = event("joined");
    assertEquals("10.42.0.2", joined.get("ipv4").asText());
    assertEquals("fd42::2", joined.get("ipv6").asText());
    assertEquals("user-space", joined.get("device").asText());
    assertTrue(joined.get("roundTripIpv4Milliseconds").asDouble() > 0, joined.toString());
    assertTrue(joined.get("roundTripIpv6Milliseconds").asDouble() > 0, joined.toString());
    assertTrue(joined.get("handshakeAgeSeconds").asDouble() >= 0, joined.toString());
    assertTrue(joined.get("joinMilliseconds").asDouble() > 0, joined.toString());
    assertEquals(9, joined.get("steps").size());
    assertEquals(0, event("stopped").get("exitCode").asInt());
    try (Stream<Path> files = Files.list(home.resolve("agents/web-1"))) {
      for (Path file : files.toList()) {
        assertEquals(
            "rw-------",
            PosixFilePermissions.toString(Files.getPosixFilePermissions(file)),
            file.toString());
      }
    }
  }

  @Test
  void aRestartNeedsNeitherSecretNorPin() throws Exception {
    assertEquals(0, run(once("colony-secret = \"the secret\"", pin())));
    String serial = event("joined").get("certificateSerial").asText();
    out.reset();
    assertEquals(0, run(once("", "")));
    assertEquals(serial, event("joined").get("certificateSerial").asText());
  }

  @Test
  void aWrongPinIsNamedBesideTheRightOne() throws Exception {
    Fingerprint wrong = Fingerprint.of(new byte[] {1});
    assertEquals(
        1, run(once("colony-secret = \"the secret\"", "ca-fingerprint = \"" + wrong + "\"")));
    JsonNode failed = event("failed");
    assertEquals("WRONG_PIN", failed.get("kind").asText());
    assertTrue(failed.get("message").asText().contains(wrong.value()));
    assertTrue(
        failed.get("message").asText().contains(StandInColony.AUTHORITY.fingerprint().value()));
    assertEquals(1, event("stopped").get("exitCode").asInt());
  }

  @Test
  void aWrongSecretIsToldApartAndNeverShown() throws Exception {
    assertEquals(1, run(once("colony-secret = \"a guess\"", pin())));
    assertEquals("WRONG_SECRET", event("failed").get("kind").asText());
    assertFalse(out.toString(StandardCharsets.UTF_8).contains("a guess"));
  }

  @Test
  void onceGivesUpAfterItsTimeAndSaysWhy() throws Exception {
    assertEquals(
        1,
        run(
            settings(
                "colony-secret = \"the secret\"",
                pin(),
                "colony-endpoint = \"127.0.0.1:1\"",
                "once = true, once-timeout = 1s")));
    assertEquals("COLONY_UNREACHABLE", event("failed").get("kind").asText());
    assertTrue(event("stopped").get("message").asText().contains("no member after 1 s"));
  }

  @Test
  void aMemberSendsHeartbeatsAndLeavesWhenToldTo() throws Exception {
    colony.heartbeats.clear();
    AgentProcess agent = start(settings("colony-secret = \"the secret\"", pin()));
    Heartbeat first = colony.heartbeats.poll(30, TimeUnit.SECONDS);
    assertNotNull(first);
    assertEquals(1, first.getSequence());
    assertEquals(2, first.getProbesCount());
    assertTrue(first.getProbes(0).getAnswered());
    assertTrue(first.getTunnel().getReceivedBytes() > 0);
    Heartbeat second = colony.heartbeats.poll(30, TimeUnit.SECONDS);
    assertNotNull(second);
    assertEquals(2, second.getSequence());
    agent.stop();
    assertEquals(0, agent.exitCode().toCompletableFuture().get(10, TimeUnit.SECONDS));
    agent.close();
  }

  private static String pin() {
    return "ca-fingerprint = \"" + StandInColony.AUTHORITY.fingerprint() + "\"";
  }

  private Config once(String secret, String pin) {
    return settings(secret, pin, "once = true");
  }

  private Config settings(String... values) {
    return ConfigFactory.parseString(
            "coral.agent { id = web-1, colony-id = "
                + FakeColony.COLONY
                + ", home = \""
                + home
                + "\", device.mode = user-space, report = json, colony-endpoint = \""
                + colony.endpoint()
                + "\"\n"
                + String.join("\n", values)
                + "}")
        .withFallback(ConfigFactory.parseResources("agent.conf"))
        .withFallback(ConfigFactory.parseResources("pekko.conf"))
        .withFallback(ConfigFactory.load())
        .resolve();
  }

  private AgentProcess start(Config config) {
    return AgentProcess.start(
        AgentSettings.from(config),
        config,
        InstantSource.system(),
        new PrintStream(out, true, StandardCharsets.UTF_8));
  }

  private int run(Config config) throws Exception {
    try (AgentProcess agent = start(config)) {
      return agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS);
    }
  }

  /** The first event of a name. */
  private JsonNode event(String name) throws Exception {
    List<String> seen = new ArrayList<>();
    for (String line : out.toString(StandardCharsets.UTF_8).lines().toList()) {
      JsonNode event = JSON.readTree(line);
      seen.add(line);
      if (event.get("event").asText().equals(name)) {
        return event;
      }
    }
    throw new AssertionError("no event " + name + " among " + seen);
  }
}
