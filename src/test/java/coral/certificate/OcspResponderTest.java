package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import coral.certificate.RevocationSource.Reason;
import coral.files.Pem;
import coral.model.AgentId;
import coral.testing.Openssl;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.UnknownStatus;
import org.bouncycastle.operator.bc.BcDigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** RFC 6960, and case L7: what the responder answers, and to what bytes. */
class OcspResponderTest {
  @TempDir Path directory;

  private final RecordedRevocations source = new RecordedRevocations();
  private final OcspResponder responder = new OcspResponder(Roots.QUICK, source, Roots.CLOCK);
  private final X509Certificate good = agent(Roots.QUICK, "good");
  private final X509Certificate revoked = agent(Roots.QUICK, "revoked");
  private final X509Certificate unknown = agent(Roots.QUICK, "unknown");
  private final X509Certificate issuer = Roots.QUICK.chain(good).get(1);

  OcspResponderTest() {
    source.issued(good);
    source.revoked(revoked, Roots.NOW, Reason.KEY_COMPROMISE);
  }

  @Test
  void everyCertificateIsGoodRevokedOrUnknownAndTheAnswerIsSignedByADelegate() throws Exception {
    OCSPReqBuilder request = new OCSPReqBuilder();
    for (X509Certificate certificate : List.of(good, revoked, unknown)) {
      request.addRequest(id(issuer, certificate));
    }
    byte[] nonce = {4, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    request.setRequestExtensions(nonce(nonce));
    BasicOCSPResp answer = basic(responder.respond(request.build().getEncoded()));
    assertEquals(CertificateStatus.GOOD, answer.getResponses()[0].getCertStatus());
    RevokedStatus status = (RevokedStatus) answer.getResponses()[1].getCertStatus();
    assertEquals(Roots.NOW, status.getRevocationTime().toInstant());
    assertEquals(1, status.getRevocationReason());
    assertTrue(answer.getResponses()[2].getCertStatus() instanceof UnknownStatus);
    assertArrayEquals(
        nonce,
        answer.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce).getExtnValue().getOctets());
    X509CertificateHolder delegate = answer.getCerts()[0];
    assertTrue(answer.isSignatureValid(new JcaContentVerifierProviderBuilder().build(delegate)));
    X509Certificate certificate =
        Pem.certificates(
                Pem.encode(Pem.CERTIFICATE, delegate.getEncoded())
                    .getBytes(java.nio.charset.StandardCharsets.US_ASCII))
            .get(0);
    certificate.verify(issuer.getPublicKey());
    assertEquals(List.of("1.3.6.1.5.5.7.3.9"), certificate.getExtendedKeyUsage());
    assertTrue(certificate.getExtensionValue("1.3.6.1.5.5.7.48.1.5") != null, "ocsp-nocheck");
    assertEquals(Roots.NOW, answer.getResponses()[0].getThisUpdate().toInstant());
    assertEquals(
        Roots.NOW.plus(Duration.ofHours(1)), answer.getResponses()[0].getNextUpdate().toInstant());
  }

  /** The same serial number of another issuer is another certificate. */
  @Test
  void aCertificateOfAnotherIssuerIsUnknownAndAnotherColonysIsNotAnsweredFor() throws Exception {
    X509Certificate server =
        Roots.QUICK.issue(
            CertificateProfile.server(Roots.COLONY),
            Roots.EC.getPublic(),
            Roots.NOW,
            Duration.ofDays(1));
    X509Certificate serverIssuer = Roots.QUICK.chain(server).get(1);
    OCSPReqBuilder mixed = new OCSPReqBuilder();
    mixed.addRequest(id(serverIssuer, good));
    mixed.addRequest(id(issuer, good));
    BasicOCSPResp answer = basic(responder.respond(mixed.build().getEncoded()));
    assertTrue(answer.getResponses()[0].getCertStatus() instanceof UnknownStatus);
    assertTrue(answer.getResponses()[1].getCertStatus() instanceof UnknownStatus);

    OCSPReqBuilder foreign = new OCSPReqBuilder();
    foreign.addRequest(id(Roots.real().certificate(), good));
    assertStatus(OCSPRespBuilder.UNAUTHORIZED, foreign.build().getEncoded());
  }

  @Test
  void malformedRequestsAreAnsweredSo() throws Exception {
    byte[] fine = new OCSPReqBuilder().addRequest(id(issuer, good)).build().getEncoded();
    basic(responder.respond(fine));
    assertStatus(OCSPRespBuilder.MALFORMED_REQUEST, new byte[0]);
    assertStatus(OCSPRespBuilder.MALFORMED_REQUEST, new byte[] {0x30, 0});
    assertStatus(
        OCSPRespBuilder.MALFORMED_REQUEST, new byte[] {0x30, (byte) 0x84, 127, -1, -1, -1});
    assertStatus(OCSPRespBuilder.MALFORMED_REQUEST, Arrays.copyOf(fine, fine.length + 1));
    assertStatus(OCSPRespBuilder.MALFORMED_REQUEST, Arrays.copyOf(fine, fine.length - 1));
    assertStatus(OCSPRespBuilder.MALFORMED_REQUEST, new byte[OcspResponder.MAX_REQUEST_BYTES + 1]);
    OCSPReqBuilder many = new OCSPReqBuilder();
    for (int i = 0; i < 17; i++) {
      many.addRequest(id(issuer, good));
    }
    assertStatus(OCSPRespBuilder.MALFORMED_REQUEST, many.build().getEncoded());
    assertStatus(
        OCSPRespBuilder.MALFORMED_REQUEST,
        with(nonce(new DEROctetString(new byte[200]).getEncoded())));
    assertStatus(OCSPRespBuilder.MALFORMED_REQUEST, with(nonce(new byte[0])));
    assertStatus(
        OCSPRespBuilder.MALFORMED_REQUEST,
        with(
            new Extensions(
                new Extension(
                    new ASN1ObjectIdentifier("1.2.3.4"), true, new DEROctetString(new byte[2])))));
    source.isReady = false;
    assertStatus(OCSPRespBuilder.TRY_LATER, fine);
  }

  @Test
  void whateverTheBytesAreThereIsAnAnswer() throws Exception {
    byte[] fine = new OCSPReqBuilder().addRequest(id(issuer, good)).build().getEncoded();
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      byte[] changed = fine.clone();
      for (int n = random.nextInt(4); n >= 0; n--) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt();
      }
      int status = new OCSPResp(responder.respond(changed)).getStatus();
      assertTrue(
          List.of(
                  OCSPRespBuilder.SUCCESSFUL,
                  OCSPRespBuilder.MALFORMED_REQUEST,
                  OCSPRespBuilder.UNAUTHORIZED)
              .contains(status),
          "status " + status + ", seed " + seed);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"RSA_2048", "P_256"})
  void opensslBelievesTheAnswersOverHttp(KeyType type) throws Exception {
    Openssl.require();
    InstantSource clock = InstantSource.system();
    Authority authority = Authority.create(Roots.COLONY, clock, type);
    X509Certificate[] agents = new X509Certificate[3];
    for (int i = 0; i < agents.length; i++) {
      agents[i] =
          authority.issue(
              CertificateProfile.agent(Roots.COLONY, new AgentId("agent-" + i)),
              Roots.EC.getPublic(),
              clock.instant(),
              Duration.ofDays(1));
    }
    source.issued(agents[0]);
    source.revoked(agents[1], clock.instant(), Reason.KEY_COMPROMISE);
    OcspResponder served = new OcspResponder(authority, source, clock);
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          byte[] answer = served.respond(exchange.getRequestBody().readAllBytes());
          exchange.getResponseHeaders().set("Content-Type", OcspResponder.RESPONSE_TYPE);
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
    try {
      Path root =
          Files.writeString(directory.resolve("root.pem"), Pem.encode(authority.certificate()));
      Path intermediate =
          Files.writeString(
              directory.resolve("issuer.pem"), Pem.encode(authority.chain(agents[0]).get(1)));
      String[] expected = {": good\n", ": revoked\n", ": unknown\n"};
      for (int i = 0; i < agents.length; i++) {
        Path leaf = Files.writeString(directory.resolve("leaf.pem"), Pem.encode(agents[i]));
        for (String digest : List.of("-sha1", "-sha256")) {
          String output =
              Openssl.run(
                  "ocsp",
                  digest,
                  "-issuer",
                  intermediate.toString(),
                  "-cert",
                  leaf.toString(),
                  "-CAfile",
                  root.toString(),
                  "-verify_other",
                  intermediate.toString(),
                  "-url",
                  "http://127.0.0.1:" + server.getAddress().getPort(),
                  "-nonce");
          assertTrue(output.contains("Response verify OK"), output);
          assertTrue(output.contains("leaf.pem" + expected[i]), output);
          assertTrue(!output.contains("WARNING"), output);
        }
      }
    } finally {
      server.stop(0);
    }
  }

  private byte[] with(Extensions extensions) throws Exception {
    return new OCSPReqBuilder()
        .addRequest(id(issuer, good))
        .setRequestExtensions(extensions)
        .build()
        .getEncoded();
  }

  private static Extensions nonce(byte[] value) {
    return new Extensions(
        new Extension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce, false, new DEROctetString(value)));
  }

  private void assertStatus(int expected, byte[] request) throws Exception {
    assertEquals(expected, new OCSPResp(responder.respond(request)).getStatus());
  }

  private static BasicOCSPResp basic(byte[] answer) throws Exception {
    OCSPResp response = new OCSPResp(answer);
    assertEquals(OCSPRespBuilder.SUCCESSFUL, response.getStatus());
    return (BasicOCSPResp) response.getResponseObject();
  }

  private static CertificateID id(X509Certificate issuer, X509Certificate certificate)
      throws Exception {
    return new CertificateID(
        new BcDigestCalculatorProvider()
            .get(new AlgorithmIdentifier(CertificateID.HASH_SHA1.getAlgorithm())),
        new JcaX509CertificateHolder(issuer),
        certificate.getSerialNumber());
  }

  private static X509Certificate agent(Authority authority, String id) {
    return authority.issue(
        CertificateProfile.agent(Roots.COLONY, new AgentId(id)),
        Roots.EC.getPublic(),
        Roots.NOW,
        Duration.ofDays(90));
  }
}
