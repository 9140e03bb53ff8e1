package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.RenewCertificate;
import coral.api.mesh.v1.TrustBundle;
import coral.model.AgentId;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.model.Secret;
import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
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
  private static StandInDiscovery discovery;

  @TempDir Path home;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  @BeforeAll
  static void start() throws Exception {
    colony = new StandInColony();
    discovery = StandInDiscovery.overTls();
  }

  @AfterAll
  static void stop() {
    discovery.close();
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
    assertEquals(10, joined.get("steps").size());
    assertEquals("token", joined.get("certificatePaidWith").asText());
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

  /** RFD 020 (token draft), "secret never sent to the colony". */
  @Test
  void theColonySecretIsShownToDiscoveryAlone() throws Exception {
    colony.requests.clear();
    assertEquals(0, run(once("colony-secret = \"the secret\"", pin())));
    RequestCertificateRequest request = colony.requests.get(0);
    assertEquals("", request.getColonySecret());
    assertFalse(request.getRegistrationToken().isEmpty());
    assertEquals(64, request.getRequestId().length());
  }

  @Test
  void theOldWayOfShowingTheSecretToTheColonyNeedsASettingOfItsOwn() throws Exception {
    colony.requests.clear();
    assertEquals(
        0,
        run(once("colony-secret = \"the secret\"", pin() + ", legacy.send-colony-secret = true")));
    assertEquals(StandInColony.SECRET, colony.requests.get(0).getColonySecret());
    assertEquals("colony-secret", event("joined").get("certificatePaidWith").asText());
  }

  @Test
  void anInvitationIsAllThatAnAgentNeedsAndItsSecretIsWrittenNowhere() throws Exception {
    InvitationText invitation =
        new InvitationText(
            FakeColony.COLONY,
            StandInColony.AUTHORITY.fingerprint(),
            List.of(colony.endpoint()),
            Optional.empty(),
            "agent",
            Optional.of(new AgentId("web-1")),
            new Secret(StandInColony.INVITATION));
    colony.requests.clear();
    assertEquals(
        0,
        run(
            ConfigFactory.parseString(
                    "coral.agent { home = \""
                        + home
                        + "\", device.mode = user-space, report = json, once = true, invitation ="
                        + " \""
                        + invitation.encode()
                        + "\" }")
                .withFallback(defaults())
                .resolve()));
    assertEquals(StandInColony.INVITATION, colony.requests.get(0).getInvitation());
    JsonNode joined = event("joined");
    assertEquals("web-1", joined.get("agentId").asText());
    assertEquals("invitation", joined.get("certificatePaidWith").asText());
    assertEquals(9, joined.get("steps").size()); // no token
    try (Stream<Path> files = Files.walk(home)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        assertFalse(Files.readString(file).contains(StandInColony.INVITATION), file.toString());
      }
    }
  }

  /** RFD 020 (mTLS draft), "renewal before expiry without a lost ping". */
  @Test
  void aCertificateIsRenewedAndUsedWithoutALostPing() throws Exception {
    LinkedBlockingQueue<JsonNode> events = new LinkedBlockingQueue<>();
    Config config = settings("colony-secret = \"the secret\"", pin(), "probe.interval = 20ms");
    try (AgentProcess agent =
        AgentProcess.start(
            AgentSettings.from(config), config, InstantSource.system(), into(events))) {
      String first = await(events, "joined").get("certificateSerial").asText();
      colony.send( // ignored, and no reason to end the session
          ColonyMessage.newBuilder()
              .setTrustBundle(
                  TrustBundle.newBuilder()
                      .setVersion(6)
                      .setCertificates(ByteString.copyFromUtf8("no certificate")))
              .build());
      colony.send(
          ColonyMessage.newBuilder()
              .setTrustBundle(
                  TrustBundle.newBuilder()
                      .setVersion(7)
                      .setCertificates(
                          ByteString.copyFromUtf8(StandInColony.AUTHORITY.trustBundle().pem())))
              .build());
      assertEquals(7, colony.bundlesTaken.poll(30, TimeUnit.SECONDS));
      await(events, "probe");
      colony.send(
          ColonyMessage.newBuilder()
              .setRenewCertificate(RenewCertificate.getDefaultInstance())
              .build());
      String renewed = await(events, "renewed").get("certificateSerial").asText();
      JsonNode joined = await(events, "joined");
      assertEquals(renewed, joined.get("certificateSerial").asText());
      assertEquals("certificate", joined.get("certificatePaidWith").asText());
      assertTrue(joined.get("joinMilliseconds").isNull(), "the interface was there");
      assertNotEquals(first, renewed);
      await(events, "probe");
      agent.stop();
      assertEquals(0, agent.exitCode().toCompletableFuture().get(20, TimeUnit.SECONDS));
    }
  }

  /** The next event of a name; no ping may be lost on the way to it. */
  private static JsonNode await(LinkedBlockingQueue<JsonNode> events, String name)
      throws InterruptedException {
    while (true) {
      JsonNode event = events.poll(30, TimeUnit.SECONDS);
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

  private static PrintStream into(LinkedBlockingQueue<JsonNode> events) {
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
                + "\", discovery { url = \""
                + discovery.uri()
                + "\", fingerprint = \""
                + discovery.fingerprint()
                + "\" }\n"
                + String.join("\n", values)
                + "}")
        .withFallback(defaults())
        .resolve();
  }

  private static Config defaults() {
    return ConfigFactory.parseResources("agent.conf")
        .withFallback(ConfigFactory.parseResources("pekko.conf"))
        .withFallback(ConfigFactory.load());
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
