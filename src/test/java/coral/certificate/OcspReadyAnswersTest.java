package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.RevocationSource.Reason;
import coral.model.AgentId;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.SingleResp;
import org.bouncycastle.operator.bc.BcDigestCalculatorProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 5019: what is signed once and given to everybody who asks without a nonce. */
class OcspReadyAnswersTest {
  private Instant now = Roots.NOW;
  private final RecordedRevocations source = new RecordedRevocations();
  private final OcspResponder responder = new OcspResponder(Roots.QUICK, source, () -> now);
  private final X509Certificate web = agent("web");
  private final X509Certificate issuer = Roots.QUICK.chain(web).get(1);

  OcspReadyAnswersTest() {
    source.issued(web);
  }

  @Test
  void aQuestionWithoutNonceIsSignedForOnce() throws Exception {
    byte[] question = question(Optional.empty(), id(web, DERNull.INSTANCE));
    assertTrue(responder.respondUnsigned(question).isEmpty(), "nobody has asked yet");
    byte[] first = responder.respond(question);
    now = now.plus(Duration.ofMinutes(30));
    assertArrayEquals(first, responder.respondUnsigned(question).orElseThrow());
    assertArrayEquals(first, responder.respond(question), "there for half an hour still");
    now = now.plusSeconds(1);
    assertTrue(responder.respondUnsigned(question).isEmpty());
    assertEquals(now, single(responder.respond(question)).getThisUpdate().toInstant());
    now = now.minusSeconds(1);
    assertTrue(responder.respondUnsigned(question).isEmpty(), "signed in the future");
  }

  @Test
  void whatIsRevokedIsSaidAtOnce() throws Exception {
    byte[] question = question(Optional.empty(), id(web, DERNull.INSTANCE));
    assertEquals(CertificateStatus.GOOD, single(responder.respond(question)).getCertStatus());
    source.revoked(web, now, Reason.KEY_COMPROMISE);
    assertTrue(responder.respondUnsigned(question).isEmpty());
    byte[] revoked = responder.respond(question);
    assertInstanceOf(RevokedStatus.class, single(revoked).getCertStatus());
    assertArrayEquals(revoked, responder.respondUnsigned(question).orElseThrow());
    source.isReady = false;
    assertEquals(
        OCSPRespBuilder.TRY_LATER,
        new OCSPResp(responder.respondUnsigned(question).orElseThrow()).getStatus());
  }

  @Test
  void aNonceIsGivenBackToWhoeverSentIt() throws Exception {
    byte[] plain = responder.respond(question(Optional.empty(), id(web, DERNull.INSTANCE)));
    for (byte last = 0; last < 3; last++) {
      byte[] nonce = new DEROctetString(new byte[] {1, 2, 3, 4, 5, 6, 7, last}).getEncoded();
      byte[] question = question(Optional.of(nonce), id(web, DERNull.INSTANCE));
      assertTrue(responder.respondUnsigned(question).isEmpty());
      BasicOCSPResp answer = basic(responder.respond(question));
      assertArrayEquals(
          nonce,
          answer.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce).getExtnValue().getOctets());
    }
    assertFalse(basic(plain).hasExtensions());
  }

  /** Strangers choose the numbers that nobody has, and how they spell a question. */
  @Test
  void whatStrangersCanMakeUpIsNotKept() throws Exception {
    CertificateID known = id(web, DERNull.INSTANCE);
    for (byte[] question :
        List.of(
            question(Optional.empty(), id(agent("nobody"), DERNull.INSTANCE)),
            question(Optional.empty(), id(web, new DEROctetString(new byte[] {1}))),
            question(Optional.empty(), known, known))) {
      responder.respond(question);
      assertTrue(responder.respondUnsigned(question).isEmpty());
    }
    responder.respond(question(Optional.empty(), known));
    byte[] nameless = question(Optional.empty(), known);
    assertTrue(responder.respondUnsigned(nameless).isPresent(), "found by what it asks");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, OcspResponder.MAX_REQUEST_BYTES + 1})
  void errorsTakeNoSignature(int length) throws Exception {
    assertEquals(
        OCSPRespBuilder.MALFORMED_REQUEST,
        new OCSPResp(responder.respondUnsigned(new byte[length]).orElseThrow()).getStatus());
  }

  private static byte[] question(Optional<byte[]> nonce, CertificateID... asked) throws Exception {
    OCSPReqBuilder builder = new OCSPReqBuilder();
    Arrays.stream(asked).forEach(builder::addRequest);
    nonce.ifPresent(
        value ->
            builder.setRequestExtensions(
                new Extensions(
                    new Extension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce, false, value))));
    return builder.build().getEncoded();
  }

  private CertificateID id(X509Certificate certificate, ASN1Encodable parameters) throws Exception {
    CertificateID plain =
        new CertificateID(
            new BcDigestCalculatorProvider().get(CertificateID.HASH_SHA1),
            new JcaX509CertificateHolder(issuer),
            certificate.getSerialNumber());
    return new CertificateID(
        new org.bouncycastle.asn1.ocsp.CertID(
            new AlgorithmIdentifier(CertificateID.HASH_SHA1.getAlgorithm(), parameters),
            new DEROctetString(plain.getIssuerNameHash()),
            new DEROctetString(plain.getIssuerKeyHash()),
            plain.toASN1Primitive().getSerialNumber()));
  }

  private static BasicOCSPResp basic(byte[] answer) throws Exception {
    return (BasicOCSPResp) new OCSPResp(answer).getResponseObject();
  }

  private static SingleResp single(byte[] answer) throws Exception {
    return basic(answer).getResponses()[0];
  }

  private static X509Certificate agent(String id) {
    return Roots.QUICK.issue(
        CertificateProfile.agent(Roots.COLONY, new AgentId(id)),
        Roots.EC.getPublic(),
        Roots.NOW,
        Duration.ofDays(90));
  }
}
