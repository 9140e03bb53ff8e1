package coral.colony;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.GetAuthorityStatusRequest;
import coral.api.colony.v1.GetAuthorityStatusResponse;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.colony.v1.RotateAuthorityRequest;
import coral.api.colony.v1.RotateAuthorityResponse;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.TrustBundleTaken;
import coral.certificate.KeyType;
import coral.certificate.RevocationUrls;
import coral.colony.TestColony.Member;
import coral.files.Pem;
import coral.model.Failure;
import coral.rpc.RpcException;
import coral.testing.Eventually;
import coral.wireguard.KeyPair;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.jcajce.JcaCertificateID;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The colony's own keys, as its operators, its agents and third parties see them. */
@Timeout(120)
class RootRotationTest {
  private static final ActorSystem<Void> client =
      ActorSystem.create(Behaviors.empty(), "client", ConfigFactory.load());
  private static final Map<String, ?> FAST = Map.of("coral.colony.authority.key-type", "p-256");

  @TempDir Path directory;

  @AfterAll
  static void stop() {
    client.terminate();
  }

  @Test
  void aRootIsReplacedWhileAnAgentFollowsOverItsSession() throws Exception {
    try (TestColony colony = TestColony.start(directory, FAST)) {
      Member web = colony.bootstrap("web-1");
      colony.register(web, KeyPair.generate().publicKey(), "r");
      AgentStream stream = AgentStream.open(colony, Optional.of(web.certificate()), client);
      stream.opened();
      assertEquals("stable", status(colony).getRotation());

      assertEquals("prepared", forward(colony).getRotation());
      ColonyMessage told = stream.next();
      assertEquals(2, told.getTrustBundle().getVersion());
      List<X509Certificate> roots =
          Pem.certificates(told.getTrustBundle().getCertificates().toByteArray());
      assertEquals(2, roots.size());
      List<X509Certificate> crosses =
          Pem.certificates(told.getTrustBundle().getCrossCertificates().toByteArray());
      for (int root = 0; root < 2; root++) {
        X509Certificate other = roots.get(1 - root);
        for (X509Certificate cross : crosses) {
          if (cross.getSubjectX500Principal().equals(roots.get(root).getSubjectX500Principal())) {
            cross.verify(other.getPublicKey());
          }
        }
      }
      assertEquals(2, crosses.size(), "each root has the word of the other");
      assertFails(colony);
      take(stream, 2);
      Eventually.holds(() -> assertEquals(1, status(colony).getAgentsWithBundle()));

      assertEquals("distributed", forward(colony).getRotation());
      GetAuthorityStatusResponse active = forward(colony);
      assertEquals("active", active.getRotation());
      assertEquals(1, active.getAgents());
      assertEquals(0, active.getAgentsOnActiveRoot());
      assertEquals("draining", forward(colony).getRotation());
      ColonyMessage next = stream.next();
      while (!next.hasRenewCertificate()) {
        assertTrue(next.hasTrustBundle(), next.toString());
        next = stream.next();
      }
      java.security.KeyPair keys = KeyType.P_256.generate();
      RequestCertificateResponse renewed =
          colony.requestCertificate(Optional.of(web.certificate()), "web-1", keys, b -> b);
      Member after = TestColony.member("web-1", keys, renewed);
      assertNotEquals(
          web.certificate().chain().get(1), after.certificate().chain().get(1), "the new issuer");
      AgentStream.open(colony, Optional.of(after.certificate()), client).opened();
      Eventually.holds(() -> assertEquals(1, status(colony).getAgentsOnActiveRoot()));
    }
  }

  /** Otherwise a colony that was killed in between would let a root sign that agents lack. */
  @Test
  void aColonyThatWasStartedAgainWaitsUntilAgentsHaveSaidAgainThatTheyTrustTheBundle()
      throws Exception {
    try (TestColony colony = TestColony.start(directory, FAST)) {
      Member web = colony.bootstrap("web-1");
      colony.register(web, KeyPair.generate().publicKey(), "r");
      forward(colony);
      AgentStream before = AgentStream.open(colony, Optional.of(web.certificate()), client);
      before.opened();
      take(before, 2);
      Eventually.holds(() -> assertEquals(1, status(colony).getAgentsWithBundle()));
      assertEquals("distributed", forward(colony).getRotation());

      colony.restart();
      GetAuthorityStatusResponse restarted = status(colony);
      assertEquals("distributed", restarted.getRotation());
      assertEquals(1, restarted.getAgents());
      assertEquals(0, restarted.getAgentsWithBundle());
      assertFails(colony);
      AgentStream after = AgentStream.open(colony, Optional.of(web.certificate()), client);
      after.opened();
      take(after, 1); // of an agent that refuses the present one
      after.heartbeat(coral.api.mesh.v1.Heartbeat.newBuilder().setSequence(1));
      assertFails(colony);
      take(after, 2);
      Eventually.holds(() -> assertEquals(1, status(colony).getAgentsWithBundle()));
      assertEquals("active", forward(colony).getRotation());
    }
  }

  /** Its certificate is of the former root as well, and it would find itself outside. */
  @Test
  void anAgentThatHasACertificateAndHasNeverComeIsWaitedFor() throws Exception {
    try (TestColony colony = TestColony.start(directory, FAST)) {
      Member late = colony.bootstrap("late");
      assertEquals(1, forward(colony).getAgents());
      assertFails(colony);
      colony.register(late, KeyPair.generate().publicKey(), "r");
      assertEquals(1, status(colony).getAgents(), "one agent, by its address and its certificate");
      AgentStream stream = AgentStream.open(colony, Optional.of(late.certificate()), client);
      stream.opened();
      take(stream, 2);
      Eventually.holds(() -> assertEquals(1, status(colony).getAgentsWithBundle()));
      assertEquals("distributed", forward(colony).getRotation());
    }
  }

  private static void assertFails(TestColony colony) {
    RpcException early = assertThrows(RpcException.class, () -> forward(colony));
    assertEquals(Failure.FAILED_PRECONDITION, early.failure(), early.getMessage());
  }

  private static void take(AgentStream stream, long version) {
    stream
        .up()
        .offer(
            AgentMessage.newBuilder()
                .setTrustBundleTaken(TrustBundleTaken.newBuilder().setVersion(version))
                .build());
  }

  @Test
  void thirdPartiesReadWhatHasEnded() throws Exception {
    try (TestColony colony =
        TestColony.start(
            directory,
            Map.of(
                "coral.colony.revocation.enabled",
                true,
                "coral.colony.revocation.host",
                "127.0.0.1",
                "coral.colony.revocation.port",
                0,
                "coral.colony.revocation.public-url",
                "http://lists.example.org:9080"))) {
      Member web = colony.bootstrap("web-1");
      Member other = colony.bootstrap("web-2");
      X509Certificate certificate = web.certificate().chain().get(0);
      X509CRL before = list(colony);
      before.verify(web.certificate().chain().get(1).getPublicKey());
      String named = "/crl/" + RevocationUrls.listName(web.certificate().chain().get(1));
      assertTrue(
          new String(certificate.getExtensionValue("2.5.29.31"), StandardCharsets.ISO_8859_1)
              .contains("http://lists.example.org:9080" + named));
      assertEquals(
          get(colony, "/crl.der"), get(colony, named), "the list that the certificate names");
      assertEquals(
          404,
          http()
              .send(
                  HttpRequest.newBuilder(uri(colony, "/crl/00.crl")).build(),
                  BodyHandlers.discarding())
              .statusCode());
      assertTrue(before.getRevokedCertificate(certificate) == null);
      colony.call(
          Optional.of(colony.administrator()),
          TestColony.COLONY + "RevokeCertificate",
          RevokeCertificateRequest.newBuilder().setAgentId("web-1").setReason("lost").build(),
          RevokeCertificateResponse.parser());
      assertTrue(list(colony).getRevokedCertificate(certificate) != null);
      assertTrue(get(colony, "/crl.pem").startsWith("-----BEGIN X509 CRL-----"));
      assertTrue(get(colony, "/ca.pem").startsWith("-----BEGIN CERTIFICATE-----"));
      GetAuthorityStatusResponse status = status(colony);
      assertEquals(1, status.getRevokedCertificates());
      assertTrue(status.getCrlNumber() > 0);
      HttpResponse<byte[]> malformed =
          http()
              .send(
                  HttpRequest.newBuilder(uri(colony, "/ocsp"))
                      .header("Content-Type", "application/ocsp-request")
                      .POST(HttpRequest.BodyPublishers.ofString("not DER"))
                      .build(),
                  BodyHandlers.ofByteArray());
      assertEquals(200, malformed.statusCode());
      assertArrayEquals(
          malformed.body(),
          http()
              .send(
                  HttpRequest.newBuilder(uri(colony, "/ocsp/bm90%20DER")).build(),
                  BodyHandlers.ofByteArray())
              .body());
      assertEquals("good", ocsp(colony, other.certificate().chain()));
      assertEquals("revoked", ocsp(colony, web.certificate().chain()));
      // OCSPResponse with responseStatus malformedRequest (RFC 6960, section 4.2.1).
      assertEquals("30030a0101", java.util.HexFormat.of().formatHex(malformed.body()));
    }
  }

  /** RFC 6960, section A.1.1: asked with GET. */
  private static String ocsp(TestColony colony, List<X509Certificate> chain) throws Exception {
    CertificateID id =
        new JcaCertificateID(
            new JcaDigestCalculatorProviderBuilder().build().get(CertificateID.HASH_SHA1),
            chain.get(1),
            chain.get(0).getSerialNumber());
    String question =
        URLEncoder.encode(
            Base64.getEncoder()
                .encodeToString(new OCSPReqBuilder().addRequest(id).build().getEncoded()),
            StandardCharsets.US_ASCII);
    byte[] answer =
        http()
            .send(
                HttpRequest.newBuilder(uri(colony, "/ocsp/" + question)).build(),
                BodyHandlers.ofByteArray())
            .body();
    BasicOCSPResp basic = (BasicOCSPResp) new OCSPResp(answer).getResponseObject();
    return basic.getResponses()[0].getCertStatus() == CertificateStatus.GOOD ? "good" : "revoked";
  }

  private static X509CRL list(TestColony colony) throws Exception {
    byte[] der =
        http()
            .send(
                HttpRequest.newBuilder(uri(colony, "/crl.der")).build(), BodyHandlers.ofByteArray())
            .body();
    return (X509CRL)
        CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(der));
  }

  private static String get(TestColony colony, String path) throws Exception {
    return http()
        .send(HttpRequest.newBuilder(uri(colony, path)).build(), BodyHandlers.ofString())
        .body();
  }

  private static HttpClient http() {
    return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  }

  private static URI uri(TestColony colony, String path) {
    int port = colony.process().revocationAddress().orElseThrow().getPort();
    return URI.create("http://127.0.0.1:" + port + path);
  }

  private static GetAuthorityStatusResponse status(TestColony colony) throws Exception {
    return colony.call(
        Optional.of(colony.administrator()),
        TestColony.CERTIFICATES + "GetAuthorityStatus",
        GetAuthorityStatusRequest.getDefaultInstance(),
        GetAuthorityStatusResponse.parser());
  }

  private static GetAuthorityStatusResponse forward(TestColony colony) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            TestColony.CERTIFICATES + "RotateAuthority",
            RotateAuthorityRequest.getDefaultInstance(),
            RotateAuthorityResponse.parser())
        .getStatus();
  }
}
