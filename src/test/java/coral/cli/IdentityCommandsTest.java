package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import coral.api.colony.v1.AllowRebindRequest;
import coral.api.colony.v1.AllowRebindResponse;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.Invitation;
import coral.api.colony.v1.ListInvitationsRequest;
import coral.api.colony.v1.ListInvitationsResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.colony.v1.RevokeInvitationRequest;
import coral.api.colony.v1.RevokeInvitationResponse;
import coral.api.colony.v1.RotateSecretRequest;
import coral.api.colony.v1.RotateSecretResponse;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Inviting, revoking, and the secret, against the port of a colony. */
@Timeout(60)
class IdentityCommandsTest {
  private static final Instant NOW = Instant.parse("2030-01-02T03:04:05Z");

  /** Later than any clock of a machine that runs this. */
  private static final Timestamp END =
      Timestamp.newBuilder()
          .setSeconds(Instant.parse("2999-01-02T03:04:05Z").getEpochSecond())
          .build();

  private static final Invitation FOR_WEB_1 =
      Invitation.newBuilder()
          .setInvitationId("5b9a5c4dc8045e33")
          .setAgentId("web-1")
          .setRole("agent")
          .setCreatedAt(seconds(NOW.minusSeconds(60)))
          .setExpiresAt(END)
          .setUses(1)
          .setUsesLeft(1)
          .setCreatedBy("admin")
          .setStatus("open")
          .build();

  @TempDir static Path home;
  private static ServedColony colony;

  @BeforeAll
  static void serve() throws Exception {
    colony = new ServedColony(home);
  }

  @AfterAll
  static void stop() throws Exception {
    colony.close();
  }

  @BeforeEach
  void forget() {
    colony.asked();
  }

  private static Timestamp seconds(Instant time) {
    return Timestamp.newBuilder().setSeconds(time.getEpochSecond()).build();
  }

  private static Duration duration(long seconds) {
    return Duration.newBuilder().setSeconds(seconds).build();
  }

  // --- invite

  private static void invites(Invitation invitation) {
    colony.answer(
        "CreateInvitation",
        CreateInvitationRequest.class,
        request ->
            CreateInvitationResponse.newBuilder()
                .setInvitation(invitation)
                .setText("coral-invite:AbC")
                .build());
  }

  @Test
  void anInvitationIsOneLineToPasteAndItsEndIsToldBesideIt() {
    invites(FOR_WEB_1);
    Cli result = colony.coral("invite", "--agent", "web-1", "--ttl", "15m");
    assertEquals(0, result.exitCode(), result.err());
    assertEquals("coral connect coral-invite:AbC\n", result.out());
    assertTrue(
        result
            .err()
            .startsWith("Paste this line on web-1 (role agent). It ends at 2999-01-02 03:04 UTC"),
        result.err());
    assertTrue(result.err().contains("'coral invites revoke 5b9a5c4dc8045e33'"), result.err());
    assertEquals(
        List.of(
            CreateInvitationRequest.newBuilder()
                .setAgentId("web-1")
                .setRole("agent")
                .setTtl(duration(900))
                .setUses(1)
                .build()),
        colony.asked());
  }

  @Test
  void anInvitationInJsonIsAllThatAScriptNeedsAndNothingBesideIt() {
    invites(FOR_WEB_1.toBuilder().clearAgentId().setUses(20).setRole("viewer").build());
    Cli result = colony.coral("invite", "--uses", "20", "--role", "VIEWER", "-o", "json");
    assertEquals(0, result.exitCode(), result.err());
    assertEquals("", result.err());
    assertEquals(
        "{\"invitationId\":\"5b9a5c4dc8045e33\",\"invitation\":\"coral-invite:AbC\","
            + "\"command\":\"coral connect coral-invite:AbC\",\"agentId\":null,"
            + "\"role\":\"viewer\",\"uses\":20,\"expiresAt\":\"2999-01-02T03:04:05Z\"}\n",
        result.out());
    assertEquals(
        List.of(
            CreateInvitationRequest.newBuilder()
                .setRole("viewer")
                .setTtl(duration(3600))
                .setUses(20)
                .build()),
        colony.asked());
  }

  @Test
  void whoIsInvitedIsSaidInWords() {
    Invitation rack = FOR_WEB_1.toBuilder().clearAgentId().setUses(20).build();
    assertTrue(
        InviteCommand.note(rack, NOW).startsWith("Paste this line on 20 hosts (role agent)"));
    Invitation one = rack.toBuilder().setUses(1).build();
    assertTrue(InviteCommand.note(one, NOW).startsWith("Paste this line on one host (role agent)"));
  }

  @Test
  void tooManyInvitationsAreRefusedWithAWayOut() {
    colony.answer(
        "CreateInvitation",
        CreateInvitationRequest.class,
        request -> {
          throw new RefusedException(Failure.LIMIT_REACHED, "10000 invitations are open");
        });
    assertFails(
        colony.coral("invite"), "refuses: 10000 invitations are open", "coral invites revoke ID");
  }

  // --- invites

  @Test
  void invitationsAreListed() {
    Invitation used =
        FOR_WEB_1.toBuilder()
            .setInvitationId("697307ca00872bd2")
            .clearAgentId()
            .setRole("operator")
            .setExpiresAt(seconds(NOW.minusSeconds(7200)))
            .setUses(20)
            .setUsesLeft(0)
            .setStatus("used")
            .build();
    Invitation soon = FOR_WEB_1.toBuilder().setExpiresAt(seconds(NOW.plusSeconds(900))).build();
    assertEquals(
        """
        ID                AGENT  ROLE      STATUS  LEFT     ENDS       BY
        5b9a5c4dc8045e33  web-1  agent     open    1 of 1   in 15 min  admin
        697307ca00872bd2  any    operator  used    0 of 20  2 h ago    admin
        """,
        InvitesCommand.table(List.of(soon, used), NOW, Screen.PLAIN));
    colony.answer(
        "ListInvitations",
        ListInvitationsRequest.class,
        request -> ListInvitationsResponse.newBuilder().addInvitations(FOR_WEB_1).build());
    Cli table = colony.coral("invites", "list");
    assertEquals(0, table.exitCode(), table.err());
    assertTrue(table.out().startsWith("ID  "), table.out());
    assertEquals(
        "{\"invitations\":[{\"invitationId\":\"5b9a5c4dc8045e33\",\"agentId\":\"web-1\","
            + "\"role\":\"agent\",\"status\":\"open\",\"uses\":1,\"usesLeft\":1,"
            + "\"createdAt\":\"2030-01-02T03:03:05Z\",\"expiresAt\":\"2999-01-02T03:04:05Z\","
            + "\"createdBy\":\"admin\"}]}\n",
        colony.coral("invites", "list", "-o", "json").out());
    assertEquals(
        "No invitations. 'coral invite' makes one.\n",
        InvitesCommand.table(List.of(), NOW, Screen.PLAIN));
  }

  @Test
  void anInvitationIsRevoked() {
    colony.answer(
        "RevokeInvitation",
        RevokeInvitationRequest.class,
        request -> {
          if (request.getInvitationId().equals("5b9a5c4dc8045e33")) {
            return RevokeInvitationResponse.getDefaultInstance();
          }
          throw new RefusedException(Failure.NOT_FOUND, "there is no such invitation");
        });
    assertEquals(
        "Invitation 5b9a5c4dc8045e33 is revoked: nobody can use it any more.\n",
        colony.coral("invites", "revoke", "5b9a5c4dc8045e33").out());
    assertEquals(
        "{\"invitationId\":\"5b9a5c4dc8045e33\",\"status\":\"revoked\"}\n",
        colony.coral("invites", "revoke", "5b9a5c4dc8045e33", "-o", "json").out());
    assertFails(
        colony.coral("invites", "revoke", "0"),
        "refuses: there is no such invitation",
        "'coral invites list'");
  }

  // --- secret

  @Test
  void aNewSecretIsShownOnceWithTheEndOfTheFormerOne() {
    colony.answer(
        "RotateSecret",
        RotateSecretRequest.class,
        request ->
            RotateSecretResponse.newBuilder()
                .setColonySecret("new-secret")
                .setFormerSecretExpiresAt(END)
                .build());
    Cli text = colony.coral("secret", "rotate");
    assertEquals(0, text.exitCode(), text.err());
    assertTrue(text.out().startsWith("new secret     new-secret\n"), text.out());
    assertTrue(text.out().contains("good until 2999-01-02 03:04 UTC"), text.out());
    assertEquals(
        "{\"secret\":\"new-secret\",\"formerSecretExpiresAt\":\"2999-01-02T03:04:05Z\"}\n",
        colony.coral("secret", "rotate", "--grace", "0s", "-o", "json").out());
    assertEquals(
        List.of(
            RotateSecretRequest.newBuilder().setGrace(duration(86_400)).build(),
            RotateSecretRequest.newBuilder().setGrace(Duration.getDefaultInstance()).build()),
        colony.asked());
  }

  @Test
  void aColonyThatCannotReachDiscoveryIsAskedAgainLater() {
    colony.answer(
        "RotateSecret",
        RotateSecretRequest.class,
        request -> {
          throw new RefusedException(Failure.NOT_READY, "discovery does not answer");
        });
    assertFails(
        colony.coral("secret", "rotate"), "refuses: discovery does not answer", "Try again");
  }

  // --- revoke-agent

  @Test
  void whatARevocationEndedIsNamed() {
    colony.answer(
        "RevokeCertificate",
        RevokeCertificateRequest.class,
        request ->
            RevokeCertificateResponse.newBuilder()
                .setSuccess(true)
                .setMessage("revoked")
                .addSerialNumbers("0a")
                .addSerialNumbers("0b")
                .build());
    Cli text = colony.coral("revoke-agent", "web-1", "--reason", "host stolen");
    assertEquals(0, text.exitCode(), text.err());
    assertEquals(
        """
        web-1 is revoked. Ended:
          certificate  0a
          certificate  0b
          session      closed, and refused from now on
          peer         removed; its address stays reserved for it
        'coral agent allow-rebind web-1' lets the id be claimed again.
        """,
        text.out());
    assertEquals(
        "{\"agentId\":\"web-1\",\"reason\":\"left\",\"message\":\"revoked\","
            + "\"serialNumbers\":[\"0a\",\"0b\"]}\n",
        colony.coral("revoke-agent", "web-1", "--reason", "left", "-o", "json").out());
    assertEquals(
        RevokeCertificateRequest.newBuilder().setAgentId("web-1").setReason("host stolen").build(),
        colony.asked().get(0));
  }

  @Test
  void aRevocationThatEndedNoCertificateSaysSo() {
    assertTrue(
        RevokeAgentCommand.text(
                new AgentId("web-1"), RevokeCertificateResponse.getDefaultInstance())
            .contains("  certificate  none was good\n"));
  }

  @Test
  void anAgentThatIsNotKnownOrNotRevokedIsAFailure() {
    colony.answer(
        "RevokeCertificate",
        RevokeCertificateRequest.class,
        request -> {
          throw new RefusedException(Failure.NOT_FOUND, "nobody has claimed this id");
        });
    assertFails(
        colony.coral("revoke-agent", "web-9", "--reason", "r"),
        "refuses: nobody has claimed this id",
        "'coral certificates list'");
    colony.answer(
        "RevokeCertificate",
        RevokeCertificateRequest.class,
        request -> RevokeCertificateResponse.newBuilder().setMessage("too\u001b busy").build());
    assertFails(
        colony.coral("revoke-agent", "web-1", "--reason", "r"),
        "web-1 was not revoked: too? busy",
        "--agent web-1");
  }

  // --- certificates revoke

  private static final String SERIAL = "697307ca00872bd28e841f3ab185170e";

  @Test
  void oneCertificateIsRevokedByItsNumberAlsoAsOpensslPrintsIt() {
    colony.answer(
        "RevokeCertificate",
        RevokeCertificateRequest.class,
        request ->
            RevokeCertificateResponse.newBuilder()
                .setSuccess(true)
                .setMessage("a certificate was revoked")
                .addSerialNumbers(request.getSerialNumber())
                .build());
    Cli text =
        colony.coral(
            "certificates",
            "revoke",
            "69:73:07:CA:00:87:2B:D2:8E:84:1F:3A:B1:85:17:0E",
            "--reason",
            "stolen");
    assertEquals(0, text.exitCode(), text.err());
    assertEquals(
        """
        a certificate was revoked. Ended:
          certificate  697307ca00872bd28e841f3ab185170e
          connections  closed, and refused from now on
        """,
        text.out());
    assertEquals(
        RevokeCertificateRequest.newBuilder().setSerialNumber(SERIAL).setReason("stolen").build(),
        colony.asked().get(0));
    assertEquals(
        "{\"serialNumber\":\""
            + SERIAL
            + "\",\"reason\":\"left\",\"message\":\"a certificate was revoked\","
            + "\"serialNumbers\":[\""
            + SERIAL
            + "\"]}\n",
        colony.coral("certificates", "revoke", SERIAL, "--reason", "left", "-o", "json").out());
  }

  @Test
  void aCertificateThatIsNotRevokedIsAFailureAndOneWithoutANumberOrReasonWrongUsage() {
    colony.answer(
        "RevokeCertificate",
        RevokeCertificateRequest.class,
        request -> RevokeCertificateResponse.newBuilder().setMessage("too\u001b busy").build());
    assertFails(
        colony.coral("certificates", "revoke", SERIAL, "--reason", "r"),
        SERIAL + " was not revoked: too? busy",
        "'coral audit'");
    colony.asked();
    assertEquals(2, colony.coral("certificates", "revoke", SERIAL).exitCode());
    assertEquals(2, colony.coral("certificates", "revoke", "--reason", "r").exitCode());
    assertEquals(2, colony.coral("certificates", "revoke", "x", "--reason", "r").exitCode());
    assertEquals(List.of(), colony.asked());
  }

  // --- agent allow-rebind

  @Test
  void anIdMayBeClaimedByAnotherKeyForAWhile() {
    colony.answer(
        "AllowRebind",
        AllowRebindRequest.class,
        request -> AllowRebindResponse.newBuilder().setExpiresAt(END).build());
    Cli text = colony.coral("agent", "allow-rebind", "web-1", "--reason", "new disk");
    assertEquals(0, text.exitCode(), text.err());
    assertTrue(
        text.out()
            .startsWith("web-1 may be claimed once by another key, until 2999-01-02 03:04 UTC"),
        text.out());
    assertTrue(text.out().contains("'coral invite --agent web-1'"), text.out());
    assertEquals(
        "{\"agentId\":\"web-1\",\"expiresAt\":\"2999-01-02T03:04:05Z\"}\n",
        colony.coral("agent", "allow-rebind", "web-1", "--ttl", "2h", "-o", "json").out());
    assertEquals(
        List.of(
            AllowRebindRequest.newBuilder()
                .setAgentId("web-1")
                .setTtl(duration(900))
                .setReason("new disk")
                .build(),
            AllowRebindRequest.newBuilder()
                .setAgentId("web-1")
                .setTtl(duration(7200))
                .setReason("allowed from the command line")
                .build()),
        colony.asked());
  }

  @Test
  void anIdThatNobodyHasNeedsNoRebind() {
    colony.answer(
        "AllowRebind",
        AllowRebindRequest.class,
        request -> {
          throw new RefusedException(Failure.NOT_FOUND, "nobody has claimed this id");
        });
    assertFails(
        colony.coral("agent", "allow-rebind", "web-9"),
        "refuses: nobody has claimed this id",
        "'coral invite --agent web-9'");
  }

  // --- mistakes

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "invite --ttl 1w | expected a whole number and a unit, such as 90s, 15m, 24h or 7d, not"
            + " '1w'",
        "invite --ttl 59s | expected 1m to 30d, not '59s'",
        "invite --ttl 31d | expected 1m to 30d, not '31d'",
        "invite --role admin | expected agent, proxy, viewer or operator, not 'admin'",
        "invite --uses 0 | --uses: expected 1 to 1000, not 0",
        "invite --uses 1001 | --uses: expected 1 to 1000, not 1001",
        "invite --uses two | 'two' is not an int",
        "invite --agent web-1 --uses 2 | an agent id belongs to one host",
        "invite --agent Web_1! | 'Web_1!': an agent id has 1 to 63 characters",
        "invites | 'coral invites list', 'coral invites revoke'",
        "invites revoke | missing required parameter: 'ID'",
        "secret | 'coral secret rotate'",
        "secret rotate --grace 31d | expected 0s to 30d, not '31d'",
        "revoke-agent web-1 | missing required option: '--reason=TEXT'",
        "revoke-agent --reason r | missing required parameter: 'AGENT-ID'",
        "agent | 'coral agent allow-rebind'",
        "agent allow-rebind | missing required parameter: 'AGENT-ID'",
        "agent allow-rebind web-1 --ttl 25h | expected 1s to 1d, not '25h'",
      })
  void aMistakeIsNamedBeforeAnybodyIsAsked(String line, String message) {
    Cli result = colony.coral(line.split(" "));
    assertEquals(2, result.exitCode(), result.err());
    assertTrue(result.err().contains(message), result.err());
    assertTrue(result.err().contains("--help'."), result.err());
    assertEquals("", result.out());
    assertEquals(List.of(), colony.asked());
  }

  @Test
  void aReasonIsALineOfText() {
    for (String reason : List.of("", "  ", "x".repeat(256), "a\nb")) {
      Cli result = colony.coral("revoke-agent", "web-1", "--reason", reason);
      assertEquals(2, result.exitCode(), result.err());
      assertTrue(result.err().contains("expected 1 to 255 characters on one line"), result.err());
    }
    assertEquals(List.of(), colony.asked());
  }

  @Test
  void whoMayNotIsToldWhoMay() {
    colony.answer(
        "CreateInvitation",
        CreateInvitationRequest.class,
        request -> {
          throw new RefusedException(Failure.PERMISSION_DENIED, "not you");
        });
    assertFails(colony.coral("invite"), "refuses: not you", "as the administrator");
    colony.answer(
        "CreateInvitation",
        CreateInvitationRequest.class,
        request -> {
          throw new RefusedException(Failure.STORE_UNAVAILABLE, "the disk is full");
        });
    assertFails(colony.coral("invite"), "refuses: the disk is full", "'coral status'");
  }

  private static void assertFails(Cli result, String message, String next) {
    assertEquals(1, result.exitCode(), result.err());
    assertEquals("", result.out());
    assertTrue(result.err().startsWith("coral: "), result.err());
    assertTrue(result.err().contains(message), result.err());
    assertTrue(result.err().contains(next), result.err());
    assertFalse(result.err().contains("defect"), result.err());
  }
}
