package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import coral.agent.AgentProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
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
  @TempDir Path home;

  private AgentEvents events = new AgentEvents();
  private IdentitySite site;

  @BeforeEach
  void prepare() throws Exception {
    site = IdentitySite.create(home);
  }

  @AfterEach
  void stop() {
    site.close();
  }

  /** The secret buys a token at discovery, and the token a certificate at the colony. */
  @Test
  @Timeout(120)
  void anAgentJoinsByATokenAndStaysWithoutTheSecret() throws Exception {
    site.startColony("");
    JsonNode joined = joinOnce(site.secret());
    assertEquals("token", joined.get("certificatePaidWith").asText());
    JsonNode again = joinOnce("");
    assertEquals(joined.get("certificateSerial"), again.get("certificateSerial"));
    assertEquals(joined.get("ipv4"), again.get("ipv4"));
  }

  /** RFD 020 (token draft): the old way is refused unless both sides are set to it. */
  @Test
  @Timeout(120)
  void aColonyThatIsNotSetToTakeItsSecretDoesNot() throws Exception {
    site.startColony("");
    try (AgentProcess agent =
        start(site.secret() + ", once = true, legacy.send-colony-secret = true")) {
      JsonNode failed = events.awaitFailure("WRONG_SECRET");
      assertTrue(failed.get("message").asText().contains("discovery"), failed.toString());
      assertEquals(1, agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
    }
  }

  /** RFD 020 (both drafts): "graceful fallback to legacy auth during transition". */
  @Test
  @Timeout(120)
  void whoJoinedTheOldWayWhileBothSidesAreSetToItStaysByItsCertificateAfterwards()
      throws Exception {
    site.startColony("legacy.accept-colony-secret = true");
    JsonNode joined = joinOnce(site.secret() + ", legacy.send-colony-secret = true");
    assertEquals("colony-secret", joined.get("certificatePaidWith").asText());
    site.startColony("");
    JsonNode again = joinOnce("");
    assertEquals(joined.get("certificateSerial"), again.get("certificateSerial"));
    assertEquals(joined.get("ipv4"), again.get("ipv4"));
  }

  /** RFD 020 (token draft): "agent requests token with invalid credentials (rejected)". */
  @Test
  @Timeout(120)
  void anotherSecretThanTheColonysBuysNothingAtDiscovery() throws Exception {
    site.startColony("");
    joinOnce(site.secret()); // so discovery knows the colony
    delete(home.resolve("agents"));
    String wrong = "colony-secret = \"coral-sec_" + "x".repeat(43) + "\"";
    try (AgentProcess agent = start(wrong + ", once = true")) {
      JsonNode failed = events.awaitFailure("WRONG_SECRET");
      assertEquals("registration token", failed.get("name").asText(), failed.toString());
      assertEquals(1, agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
    }
  }

  /** RFD 020 (mTLS draft): "colony rejects connections with expired certificate". */
  @Test
  @Timeout(120)
  void aCertificateThatHasExpiredByTheColonysClockIsRefused() throws Exception {
    site.startColony("certificates.agent-validity = 1m");
    JsonNode joined = joinOnce(site.secret());
    site.colonyClock.set(Duration.ofMinutes(2));
    try (AgentProcess agent = start("once = true")) {
      events.awaitFailure("CERTIFICATE_REFUSED");
      assertEquals(1, agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
    }
    site.colonyClock.set(Duration.ZERO);
    site.startColony(""); // its limits remember failures that its clock now puts into the future
    assertEquals(joined.get("certificateSerial"), joinOnce("").get("certificateSerial"));
  }

  @Test
  @Timeout(120)
  void anInvitationIsEnoughAndIsGoodForOneAgent() throws Exception {
    site.startColony("");
    String invitation = "invitation = \"" + site.administrator().invitation("web-1") + "\"";
    JsonNode joined = joinOnce(invitation);
    assertEquals("invitation", joined.get("certificatePaidWith").asText());
    // The same host may paste it again; its certificate is on disk.
    assertEquals(joined.get("certificateSerial"), joinOnce(invitation).get("certificateSerial"));
    delete(home.resolve("agents"));
    try (AgentProcess thief = start("once = true, " + invitation)) {
      events.awaitFailure("INVITATION_REFUSED");
      assertEquals(1, thief.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
    }
  }

  /**
   * RFD 020 (mTLS draft): renewal before expiry. A certificate of a minute reaches a minute into
   * the past; its renewal is due 80 s after that.
   */
  @Test
  @Timeout(180)
  void aShortCertificateIsRenewedAndUsedWithoutALostPing() throws Exception {
    site.startColony("certificates.agent-validity = 1m");
    try (AgentProcess agent = start(site.secret() + ", probe.interval = 100ms")) {
      String serial = events.await("joined").get("certificateSerial").asText();
      JsonNode renewed = events.awaitAnswering("renewed");
      JsonNode joined = events.awaitAnswering("joined");
      assertEquals(renewed.get("certificateSerial"), joined.get("certificateSerial"));
      assertNotEquals(serial, joined.get("certificateSerial").asText());
      events.awaitAnswering("probe");
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
    site.startColony("");
    Administrator administrator = site.administrator();
    String address;
    try (AgentProcess agent = start(site.secret() + ", probe.interval = 100ms")) {
      address = events.await("joined").get("ipv4").asText();
      events.await("probe");
      administrator.revoke("web-1", "lost laptop");
      events.awaitFailure("REVOKED");
      assertFalse(agent.exitCode().toCompletableFuture().isDone());
    }
    try (AgentProcess agent = start(site.secret() + ", once = true")) {
      events.awaitFailure("IDENTITY_SUSPENDED");
      assertEquals(1, agent.exitCode().toCompletableFuture().get(60, TimeUnit.SECONDS));
    }
    administrator.allowRebind("web-1");
    assertEquals(address, joinOnce(site.secret()).get("ipv4").asText());
  }

  private AgentProcess start(String settings) {
    events = new AgentEvents();
    return site.startAgent("web-1", settings, events.out());
  }

  private JsonNode joinOnce(String settings) throws Exception {
    return site.joinOnce("web-1", settings);
  }

  private static void delete(Path directory) throws Exception {
    try (var files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
