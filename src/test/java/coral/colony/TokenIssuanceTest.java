package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;

import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.certificate.KeyType;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.InvitationText;
import coral.rpc.CallerIdentity;
import coral.token.AcceptedKeys;
import coral.token.AcceptedKeysFile;
import coral.token.PublicKeyHash;
import coral.token.PublishedKey;
import coral.token.RegistrationToken;
import coral.token.SigningKey;
import java.io.IOException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a registration token buys of a running colony, over real TLS. */
@Timeout(120)
class TokenIssuanceTest {
  private static final SecureRandom RANDOM = new SecureRandom();

  @TempDir Path directory;

  /** J9, J13: one use, by the key that it is bound to, over a crash or not. */
  @Test
  void aTokenBuysOneCertificateForItsKey() throws Exception {
    SigningKey signing = SigningKey.generate(RANDOM);
    try (TestColony colony = TestColony.start(directory)) {
      believe(colony, signing);
      Instant now = InstantSource.system().instant().plusSeconds(1);
      KeyPair keys = KeyType.P_256.generate();
      String token = token(colony, signing, "web-1", keys, now);
      KeyPair thief = KeyType.P_256.generate();
      assertEquals(
          Failure.UNAUTHENTICATED,
          IssuanceTest.refused(
              () -> colony.requestCertificate("web-1", thief, b -> b.setRegistrationToken(token))),
          "stolen");
      assertEquals(
          Failure.UNAUTHENTICATED,
          IssuanceTest.refused(
              () -> colony.requestCertificate("web-2", keys, b -> b.setRegistrationToken(token))),
          "for another agent");
      RequestCertificateResponse issued =
          colony.requestCertificate("web-1", keys, b -> b.setRegistrationToken(token));
      assertEquals("", issued.getDeprecationNotice());
      assertEquals(
          issued, colony.requestCertificate("web-1", keys, b -> b.setRegistrationToken(token)));
      colony.restart();
      assertEquals(
          issued,
          colony.requestCertificate("web-1", keys, b -> b.setRegistrationToken(token)),
          "its answer, also after a restart");
      assertEquals(
          Failure.UNAUTHENTICATED,
          IssuanceTest.refused(
              () ->
                  colony.requestCertificate(
                      "web-3",
                      keys,
                      b ->
                          b.setRegistrationToken(
                              token(colony, SigningKey.generate(RANDOM), "web-3", keys, now)))),
          "of a key that is not believed");
      assertEquals(
          Failure.INVALID_ARGUMENT,
          IssuanceTest.refused(
              () ->
                  colony.requestCertificate(
                      "web-1", keys, b -> b.setRegistrationToken(token).setInvitation("x"))));
    }
  }

  @Test
  void aTokenBuysTheRoleOfAnAgentOrOfAProxyAndNoOther() throws Exception {
    SigningKey signing = SigningKey.generate(RANDOM);
    try (TestColony colony = TestColony.start(directory)) {
      believe(colony, signing);
      Instant now = InstantSource.system().instant().plusSeconds(1);
      KeyPair keys = KeyType.P_256.generate();
      String token = token(colony, signing, "proxy-1", keys, now);
      for (String role : List.of("admin", "operator", "viewer", "PROXY", "anyone")) {
        assertEquals(
            Failure.INVALID_ARGUMENT,
            IssuanceTest.refused(
                () ->
                    colony.requestCertificate(
                        "proxy-1", keys, b -> b.setRegistrationToken(token).setRole(role))),
            role);
      }
      RequestCertificateResponse issued =
          colony.requestCertificate(
              "proxy-1", keys, b -> b.setRegistrationToken(token).setRole("proxy"));
      assertEquals(
          List.of("spiffe://" + colony.created.colonyId() + "/proxy/proxy-1"), uris(issued));
      colony.register(
          TestColony.member("proxy-1", keys, issued),
          coral.wireguard.KeyPair.generate().publicKey(),
          "r");

      String invitation =
          InvitationText.parse(
                  IssuanceTest.invite(
                          colony, CreateInvitationRequest.newBuilder().setAgentId("web-1").build())
                      .getText())
              .secret()
              .reveal();
      assertEquals(
          List.of("spiffe://" + colony.created.colonyId() + "/agent/web-1"),
          uris(
              colony.requestCertificate(
                  "web-1",
                  KeyType.P_256.generate(),
                  b -> b.setInvitation(invitation).setRole("proxy"))),
          "an invitation says itself what its guest is");
    }
  }

  private static List<String> uris(RequestCertificateResponse issued) throws IOException {
    return CallerIdentity.uris(Pem.certificates(issued.getCertificate().toByteArray()).get(0));
  }

  /** J9: of many at the same time one wins, and all of them are the same agent. */
  @Test
  void ofManyConcurrentUsesOfATokenExactlyOneKeyWins() throws Exception {
    SigningKey signing = SigningKey.generate(RANDOM);
    ExecutorService threads = Executors.newFixedThreadPool(8);
    try (TestColony colony = TestColony.start(directory)) {
      believe(colony, signing);
      Instant now = InstantSource.system().instant().plusSeconds(1);
      KeyPair keys = KeyType.P_256.generate();
      String token = token(colony, signing, "web-1", keys, now);
      List<Callable<String>> uses = new ArrayList<>();
      for (int i = 0; i < 32; i++) {
        uses.add(
            () ->
                colony
                    .requestCertificate("web-1", keys, b -> b.setRegistrationToken(token))
                    .getSerialNumber());
      }
      Set<String> serials = new HashSet<>();
      for (Future<String> use : threads.invokeAll(uses)) {
        serials.add(serial(use));
      }
      assertEquals(1, serials.size(), serials.toString());
    } finally {
      threads.shutdownNow();
    }
  }

  private static String serial(Future<String> use) throws Exception {
    try {
      return use.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    }
  }

  /** The colony believes a key, as if it had read it from discovery before. */
  private static void believe(TestColony colony, SigningKey signing) throws Exception {
    new AcceptedKeysFile(colony.home())
        .save(
            AcceptedKeys.onFirstUse(
                List.of(
                    new PublishedKey(
                        signing.publicKey(),
                        PublishedKey.State.CURRENT,
                        InstantSource.system().instant(),
                        Optional.empty(),
                        Optional.empty()))));
    colony.restart();
  }

  private static String token(
      TestColony colony, SigningKey signing, String agentId, KeyPair keys, Instant now) {
    return signing.sign(
        RegistrationToken.create(
            new AgentId(agentId),
            colony.created.colonyId(),
            Optional.of(PublicKeyHash.of(keys.getPublic())),
            Optional.empty(),
            now,
            RANDOM));
  }
}
