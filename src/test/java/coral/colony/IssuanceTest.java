package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.Invitation;
import coral.api.colony.v1.ListInvitationsRequest;
import coral.api.colony.v1.ListInvitationsResponse;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.colony.v1.RevokeInvitationRequest;
import coral.api.colony.v1.RevokeInvitationResponse;
import coral.certificate.KeyType;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.model.InvitationText;
import coral.rpc.RpcException;
import coral.testing.Eventually;
import coral.token.PublicKeyHash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What buys a certificate of a running colony, over real TLS. */
@Timeout(120)
class IssuanceTest {
  private static final Map<String, ?> LEGACY =
      Map.of("coral.colony.legacy.accept-colony-secret", true);

  @TempDir Path directory;

  private static RpcException refusal(Executable call) {
    return assertThrows(RpcException.class, call);
  }

  static Failure refused(Executable call) {
    return refusal(call).failure();
  }

  @Test
  void anInvitationLetsItsGuestInOnceAndNobodyElse() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      CreateInvitationResponse created =
          invite(colony, CreateInvitationRequest.newBuilder().setAgentId("web-1").build());
      InvitationText text = InvitationText.parse(created.getText());
      assertEquals(colony.created.colonyId(), text.colonyId());
      assertEquals(colony.created.caFingerprint(), text.caFingerprint());
      assertEquals("agent", text.role());
      assertTrue(
          text.endpoints().stream().allMatch(e -> e.port() == colony.endpoint().port()),
          text.endpoints().toString());
      assertEquals("admin/admin", created.getInvitation().getCreatedBy());
      assertFalse(created.getInvitation().toString().contains(text.secret().reveal()));

      String secret = text.secret().reveal();
      KeyPair keys = KeyType.P_256.generate();
      assertEquals(
          Failure.PERMISSION_DENIED,
          refused(
              () ->
                  colony.bootstrap(
                      "other", KeyType.P_256.generate(), b -> b.setInvitation(secret))));
      RequestCertificateResponse issued =
          colony.requestCertificate("web-1", keys, b -> b.setInvitation(secret));
      assertEquals("", issued.getDeprecationNotice());
      assertEquals(1, issued.getTrustBundleVersion());
      assertEquals(
          issued,
          colony.requestCertificate("web-1", keys, b -> b.setInvitation(secret)),
          "an answer that was lost");
      assertEquals("used", invitations(colony).get(0).getStatus());
      Member web = TestColony.member("web-1", keys, issued);
      assertEquals(issued.getSerialNumber(), Protobuf.serial(web.certificate().chain().get(0)));
      colony.register(web, coral.wireguard.KeyPair.generate().publicKey(), "r");
    }
  }

  @Test
  void ofAnInvitationForManyEachUseIsCountedAndARevokedOneIsOver() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      CreateInvitationResponse created =
          invite(colony, CreateInvitationRequest.newBuilder().setUses(2).build());
      String secret = InvitationText.parse(created.getText()).secret().reveal();
      colony.bootstrap("a", KeyType.P_256.generate(), b -> b.setInvitation(secret));
      assertEquals(1, invitations(colony).get(0).getUsesLeft());
      colony.call(
          Optional.of(colony.administrator()),
          TestColony.INVITATIONS + "RevokeInvitation",
          RevokeInvitationRequest.newBuilder()
              .setInvitationId(created.getInvitation().getInvitationId())
              .build(),
          RevokeInvitationResponse.parser());
      assertEquals(
          Failure.UNAUTHENTICATED,
          refused(
              () -> colony.bootstrap("b", KeyType.P_256.generate(), b -> b.setInvitation(secret))));
      for (CreateInvitationRequest bad :
          List.of(
              CreateInvitationRequest.newBuilder().setRole("admin").build(),
              CreateInvitationRequest.newBuilder().setUses(1_001).build(),
              CreateInvitationRequest.newBuilder().setUses(2).setAgentId("c").build(),
              CreateInvitationRequest.newBuilder()
                  .setTtl(Protobuf.duration(Duration.ofDays(31)))
                  .build())) {
        assertEquals(Failure.INVALID_ARGUMENT, refused(() -> invite(colony, bad)), "" + bad);
      }
    }
  }

  @Test
  void aMemberRenewsOverItsOwnCertificateAndNobodyElses() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      var as = Optional.of(web.certificate());
      colony.register(web, coral.wireguard.KeyPair.generate().publicKey(), "r");
      KeyPair next = KeyType.P_256.generate();
      assertEquals(
          Failure.PERMISSION_DENIED,
          refused(() -> colony.requestCertificate(as, "web-2", next, b -> b)));
      assertEquals(
          Failure.INVALID_ARGUMENT,
          refused(() -> colony.requestCertificate(as, "web-1", next, b -> b.setInvitation("x"))));
      RequestCertificateResponse renewed =
          colony.requestCertificate(as, "web-1", next, b -> b.clearAgentId());
      assertEquals(renewed, colony.requestCertificate(as, "web-1", next, b -> b));
      Member after = TestColony.member("web-1", next, renewed);
      assertNotEquals(web.certificate().chain().get(0), after.certificate().chain().get(0));
      colony.register(after, coral.wireguard.KeyPair.generate().publicKey(), "r2");
      // By the handshake; a moment before, by the call.
      Eventually.holds(
          () ->
              assertEquals(
                  RpcException.Reason.CERTIFICATE_REFUSED,
                  refusal(
                          () ->
                              colony.register(
                                  web, coral.wireguard.KeyPair.generate().publicKey(), "r3"))
                      .reason(),
                  "the new one was used"));
    }
  }

  @Test
  void theColonysSecretBuysNothingUnlessTheColonyIsToldToTakeIt() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      String secret = colony.created.secret().reveal();
      RpcException refused =
          refusal(
              () ->
                  colony.bootstrap("a", KeyType.P_256.generate(), b -> b.setColonySecret(secret)));
      assertEquals(Failure.UNAUTHENTICATED, refused.failure());
      assertFalse(String.valueOf(refused.getMessage()).contains(secret));
      colony.restart(LEGACY);
      RequestCertificateResponse issued =
          colony.requestCertificate("a", KeyType.P_256.generate(), b -> b.setColonySecret(secret));
      assertEquals(Issuance.SECRET_DEPRECATED, issued.getDeprecationNotice());
    }
  }

  @Test
  void wrongPaymentsAreRefusedWithoutAHintAndAfterTooManyTheirSourceIs() throws Exception {
    try (TestColony colony = TestColony.start(directory, LEGACY)) {
      String right = colony.created.secret().reveal();
      Member known = colony.bootstrap("known");
      Set<String> messages = new HashSet<>();
      for (int i = 1; i <= BootstrapLimit.BURST; i++) {
        String wrong = right.substring(0, right.length() - i);
        RpcException refused =
            refusal(
                () ->
                    colony.bootstrap("a", KeyType.P_256.generate(), b -> b.setColonySecret(wrong)));
        assertEquals(Failure.UNAUTHENTICATED, refused.failure());
        messages.add(String.valueOf(refused.getMessage()));
      }
      assertEquals(1, messages.size(), messages.toString());
      assertFalse(messages.toString().contains("coral-sec_"));
      assertEquals(
          Failure.LIMIT_REACHED,
          refused(
              () ->
                  colony.bootstrap("a", KeyType.P_256.generate(), b -> b.setColonySecret(right))));
      // Whoever shows a certificate is not a stranger who guesses.
      colony.requestCertificate(
          Optional.of(known.certificate()), "known", KeyType.P_256.generate(), b -> b);
    }
  }

  /** C5: the operator's list of keys that others know, from its setting to the refusal. */
  @Test
  void aKeyOnTheColonysListOfBlockedKeysBuysNothingAndABrokenListStopsTheStart() throws Exception {
    KeyPair known = KeyType.P_256.generate();
    Path list =
        Files.writeString(
            directory.resolve("blocked"),
            "# found in firmware\n" + PublicKeyHash.of(known.getPublic()).value() + "\n");
    Map<String, ?> settings = Map.of("coral.colony.certificates.blocked-keys", list.toString());
    try (TestColony colony = TestColony.start(directory, settings)) {
      assertEquals(Failure.INVALID_ARGUMENT, refused(() -> colony.bootstrap("a", known)));
      colony.bootstrap("a", KeyType.P_256.generate());
      Files.writeString(list, "none\n");
      IOException broken = assertThrows(IOException.class, colony::restart);
      assertTrue(String.valueOf(broken.getMessage()).contains(list + ""), broken.getMessage());
      Files.writeString(list, "");
      colony.restart();
    }
  }

  /** Whoever pays and sends nonsense has cost a look at its key, as whoever cannot pay at all. */
  @Test
  void aStrangerCannotKeepTheColonyBusyWithMalformedRequests() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      String secret =
          InvitationText.parse(
                  invite(colony, CreateInvitationRequest.getDefaultInstance()).getText())
              .secret()
              .reveal();
      for (int i = 0; i <= BootstrapLimit.BURST; i++) {
        assertEquals(
            i < BootstrapLimit.BURST ? Failure.INVALID_ARGUMENT : Failure.LIMIT_REACHED,
            refused(
                () ->
                    colony.requestCertificate(
                        Optional.empty(),
                        "a",
                        KeyType.P_256.generate(),
                        b -> b.setInvitation(secret).setCsr(ByteString.copyFromUtf8("none")))));
      }
    }
  }

  @Test
  void theColonysSecretIsReplacedOnDiskAndTheFormerOneHoldsForAWhile() throws Exception {
    try (TestColony colony = TestColony.start(directory, LEGACY)) {
      Path home = colony.home();
      // A crash after the next one was written: the next start goes on with it.
      String next = "coral-sec_" + "n".repeat(43);
      Files.copy(home.resolve("secret"), home.resolve("secret.next"));
      coral.files.SecureFiles.write(
          home.resolve("secret.next"), next.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      colony.restart(LEGACY);
      Eventually.holds(
          () -> {
            assertEquals(next, new ColonyFiles(home).secret().reveal());
            assertFalse(Files.exists(home.resolve("secret.next")));
          });
      var rotated =
          colony.call(
              Optional.of(colony.administrator()),
              "coral.colony.v1.SecretService/RotateSecret",
              coral.api.colony.v1.RotateSecretRequest.getDefaultInstance(),
              coral.api.colony.v1.RotateSecretResponse.parser());
      String newest = rotated.getColonySecret();
      assertNotEquals(next, newest);
      assertEquals(newest, new ColonyFiles(home).secret().reveal());
      assertFalse(Files.exists(home.resolve("secret.next")));
      colony.restart();
      for (String good : List.of(newest, next)) {
        colony.bootstrap(
            "a-" + Integer.toHexString(good.hashCode()),
            KeyType.P_256.generate(),
            b -> b.setColonySecret(good));
      }
    }
  }

  static CreateInvitationResponse invite(TestColony colony, CreateInvitationRequest request)
      throws Exception {
    return colony.call(
        Optional.of(colony.administrator()),
        TestColony.INVITATIONS + "CreateInvitation",
        request,
        CreateInvitationResponse.parser());
  }

  private static List<Invitation> invitations(TestColony colony) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            TestColony.INVITATIONS + "ListInvitations",
            ListInvitationsRequest.getDefaultInstance(),
            ListInvitationsResponse.parser())
        .getInvitationsList();
  }
}
