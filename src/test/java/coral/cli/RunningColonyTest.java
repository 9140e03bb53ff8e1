package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.certificate.AuthoritySettings;
import coral.certificate.CertificateRequests;
import coral.certificate.KeyType;
import coral.certificate.SerialNumbers;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.testing.Eventually;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands about identities against a colony that runs: what they do, and what it says then.
 */
@Timeout(120)
class RunningColonyTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  @TempDir static Path home;
  private static StartedColony colony;

  @BeforeAll
  static void start() throws Exception {
    colony = new StartedColony(home, AuthoritySettings.defaults().keyType());
  }

  @AfterAll
  static void stop() {
    colony.close();
  }

  /** As a guest's host does. */
  private static X509Certificate redeem(String text, String agentId) throws Exception {
    InvitationText invitation = InvitationText.parse(text);
    KeyPair keys = KeyType.P_256.generate();
    RequestCertificateResponse issued =
        ConnectClient.https(
                colony.endpoint(),
                ClientTls.pinned(
                    invitation.caFingerprint(),
                    "spiffe://" + invitation.colonyId() + "/colony",
                    Optional.empty()),
                TIMEOUT,
                TIMEOUT)
            .call(
                Services.COLONY + "RequestCertificate",
                RequestCertificateRequest.newBuilder()
                    .setAgentId(agentId)
                    .setInvitation(invitation.secret().reveal())
                    .setRequestId("of-" + agentId)
                    .setCsr(
                        ByteString.copyFrom(CertificateRequests.create(new AgentId(agentId), keys)))
                    .build(),
                RequestCertificateResponse.parser());
    return Pem.certificates(issued.getCertificate().toByteArray()).get(0);
  }

  @Test
  void aHostIsInvitedShownRevokedAndLetBackIn() throws Exception {
    JsonNode invitation = colony.json("invite", "--agent", "web-1", "-o", "json");
    X509Certificate certificate = redeem(invitation.get("invitation").asText(), "web-1");
    String serial = SerialNumbers.hex(certificate.getSerialNumber());
    String used = colony.json("invites", "list", "-o", "json").toString();
    assertTrue(
        used.contains(invitation.get("invitationId").asText())
            && used.contains("\"status\":\"used\""),
        used);

    // The table follows the journal.
    Eventually.holds(
        () -> {
          JsonNode listed = colony.json("certificates", "list", "--agent", "web-1", "-o", "json");
          assertEquals(
              serial, listed.at("/certificates/0/serialNumber").asText(), listed.toString());
          assertEquals(
              Fingerprint.of(certificate.getEncoded()).value(),
              listed.at("/certificates/0/fingerprint").asText());
        });
    assertTrue(colony.done("certificates", "list").contains(serial));
    assertEquals(
        certificate,
        Pem.certificates(
                colony
                    .done("certificates", "show", serial, "-o", "pem")
                    .getBytes(StandardCharsets.UTF_8))
            .get(0));

    String ended = colony.done("revoke-agent", "web-1", "--reason", "host stolen");
    assertTrue(ended.contains("  certificate  " + serial + "\n"), ended);
    Eventually.holds(
        () -> {
          String shown = colony.done("certificates", "show", serial);
          assertTrue(shown.contains("\nstatus         revoked\n"), shown);
          assertTrue(shown.contains("\nbecause        host stolen\n"), shown);
        });

    String again =
        colony.json("invite", "--agent", "web-1", "-o", "json").get("invitation").asText();
    assertThrows(RpcException.class, () -> redeem(again, "web-1"));
    colony.done("agent", "allow-rebind", "web-1", "--reason", "new disk");
    String last =
        colony.json("invite", "--agent", "web-1", "-o", "json").get("invitation").asText();
    X509Certificate next = redeem(last, "web-1");
    assertNotEquals(certificate.getSerialNumber(), next.getSerialNumber());
  }

  @Test
  void anInvitationThatWasRevokedLetsNobodyIn() throws Exception {
    JsonNode invitation = colony.json("invite", "-o", "json");
    colony.done("invites", "revoke", invitation.get("invitationId").asText());
    RpcException refused =
        assertThrows(
            RpcException.class, () -> redeem(invitation.get("invitation").asText(), "web-2"));
    assertEquals(Failure.UNAUTHENTICATED, refused.failure(), refused.getMessage());
    Cli unknown = colony.coral("invites", "revoke", "0000000000000000");
    assertEquals(1, unknown.exitCode());
    assertTrue(unknown.err().contains("'coral invites list'"), unknown.err());
  }

  @Test
  void whatNobodyHasClaimedIsSaidToBeUnknown() {
    Cli revoked = colony.coral("revoke-agent", "nobody", "--reason", "r");
    assertEquals(1, revoked.exitCode());
    assertTrue(revoked.err().contains("'coral certificates list'"), revoked.err());
    Cli rebound = colony.coral("agent", "allow-rebind", "nobody");
    assertEquals(1, rebound.exitCode());
    assertTrue(rebound.err().contains("'coral invite --agent nobody'"), rebound.err());
    Cli shown = colony.coral("certificates", "show", "0a");
    assertEquals(1, shown.exitCode());
    assertTrue(shown.err().contains("'coral certificates list'"), shown.err());
  }

  @Test
  void theSecretIsAnotherAndTheFormerOneHasAnEnd() throws Exception {
    JsonNode rotated = colony.json("secret", "rotate", "--grace", "1h", "-o", "json");
    assertNotEquals(colony.created().secret().reveal(), rotated.get("secret").asText());
    assertFalse(rotated.get("formerSecretExpiresAt").isNull());
  }

  @Test
  void theRootIsExportedAsTheColonyWasMadeWithIt() throws Exception {
    byte[] bundle = colony.done("ca", "export").getBytes(StandardCharsets.UTF_8);
    assertEquals(Pem.readCertificates(colony.created().caCertificate()), Pem.certificates(bundle));
  }

  @Test
  void theAdministratorIsRenewedWhileTheColonyRuns() throws Exception {
    X509Certificate former =
        Pem.readCertificates(colony.created().administratorCertificate()).get(0);
    JsonNode renewed = colony.json("admin", "renew", "-o", "json");
    X509Certificate next = Pem.readCertificates(colony.created().administratorCertificate()).get(0);
    assertEquals(SerialNumbers.hex(next.getSerialNumber()), renewed.get("serialNumber").asText());
    assertNotEquals(former.getPublicKey(), next.getPublicKey());
    colony.done("status");
    Cli elsewhere = colony.coral("admin", "renew", "--dir", home.toString());
    assertEquals(1, elsewhere.exitCode());
    assertTrue(elsewhere.err().contains("there is no colony in " + home), elsewhere.err());
  }

  @Test
  void theStatusCountsMembersByWhatTheyShowed() throws Exception {
    assertEquals(
        "{\"certificate\":0,\"token\":0,\"colony-secret\":0}",
        colony
            .json("status", "--dir", colony.created().directory().toString(), "-o", "json")
            .get("agentsByAuthentication")
            .toString());
    assertTrue(colony.done("agents").startsWith("No agents yet."));
  }
}
