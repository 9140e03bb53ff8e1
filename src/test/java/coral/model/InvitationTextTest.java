package coral.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The line that is pasted on a new host. */
class InvitationTextTest {
  private static final Fingerprint PIN = Fingerprint.of(new byte[] {1});
  private static final Secret SECRET = new Secret("coral-inv_" + "x".repeat(43));
  private static final InvitationText FULL =
      new InvitationText(
          new ColonyId("shop-prod-a1b2c3"),
          PIN,
          List.of(new Endpoint("203.0.113.7", 9000), new Endpoint("2001:db8::7", 9000)),
          Optional.of(
              new InvitationText.Discovery("https://discovery.example:8080", Optional.of(PIN))),
          "agent",
          Optional.of(new AgentId("web-1")),
          SECRET);
  private static final InvitationText LEAST =
      new InvitationText(
          new ColonyId("shop-prod-a1b2c3"),
          PIN,
          List.of(new Endpoint("203.0.113.7", 9000)),
          Optional.empty(),
          "viewer",
          Optional.empty(),
          SECRET);

  @Test
  void whatIsWrittenIsReadAgain() {
    assertEquals(FULL, InvitationText.parse(FULL.encode()));
    assertEquals(LEAST, InvitationText.parse(LEAST.encode()));
    assertTrue(FULL.encode().matches("coral-invite:[A-Za-z0-9_-]+"), "one word for every shell");
  }

  @Test
  void aLineThatWasCutOrChangedIsFoundOutAndNotQuoted() {
    String line = FULL.encode();
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int end = 0; end < line.length(); end++) {
      refused(line.substring(0, end), "cut at " + end);
    }
    for (int i = 0; i < 500; i++) {
      int at = InvitationText.PREFIX.length() + random.nextInt(line.length() - 13 - 1);
      char other = line.charAt(at) == 'A' ? 'B' : 'A';
      refused(
          line.substring(0, at) + other + line.substring(at + 1), "changed at " + at + ", " + seed);
    }
  }

  @Test
  void whatIsNoInvitationIsRefused() {
    refused("", "empty");
    refused("shop-prod-a1b2c3", "a colony's id");
    refused(FULL.encode() + " ", "a space");
    refused(FULL.encode() + "=", "padding");
    refused(InvitationText.PREFIX + "A".repeat(InvitationText.MAX_LENGTH), "too long");
    byte[] other = "2\nsomething new".getBytes(StandardCharsets.UTF_8);
    refused(
        InvitationText.PREFIX + Base64.getUrlEncoder().encodeToString(other), "without its sum");
  }

  @Test
  void itsBoundsAreKept() {
    List<Endpoint> many =
        java.util.Collections.nCopies(
            InvitationText.MAX_ENDPOINTS + 1, new Endpoint("203.0.113.7", 9000));
    assertThrows(IllegalArgumentException.class, () -> with(many, SECRET));
    assertThrows(IllegalArgumentException.class, () -> with(List.of(), SECRET));
    assertThrows(
        IllegalArgumentException.class, () -> with(FULL.endpoints(), new Secret("two\nlines")));
    assertThrows(
        IllegalArgumentException.class,
        () -> new InvitationText.Discovery("ftp://discovery", Optional.empty()));
    Endpoint longest = new Endpoint("h".repeat(255), 65535);
    InvitationText largest =
        with(
            java.util.Collections.nCopies(InvitationText.MAX_ENDPOINTS, longest),
            new Secret("s".repeat(InvitationText.MAX_SECRET_LENGTH)));
    assertEquals(largest, InvitationText.parse(largest.encode()));
  }

  @Test
  void itsTextForPeopleHidesTheSecret() {
    assertFalse(FULL.toString().contains(SECRET.reveal()));
  }

  private static InvitationText with(List<Endpoint> endpoints, Secret secret) {
    return new InvitationText(
        FULL.colonyId(), PIN, endpoints, FULL.discovery(), "agent", FULL.agentId(), secret);
  }

  private static void refused(String line, String what) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> InvitationText.parse(line), what);
    assertFalse(String.valueOf(refused.getMessage()).contains("coral-inv_"), what);
    assertEquals(null, refused.getCause(), what);
  }
}
