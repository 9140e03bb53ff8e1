package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.Pem;
import coral.model.AgentId;
import java.io.IOException;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Duration;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.sec.SECNamedCurves;
import org.bouncycastle.asn1.x509.Certificate;
import org.junit.jupiter.api.Test;

/**
 * Who holds an ECDSA signature (r, s) has a second one, (r, n - s), without any key: the same
 * certificate with another fingerprint. CVE-2026-25793 let it pass a list of revoked fingerprints.
 */
class MalleatedSignatureTest {
  private static final Duration DAY = Duration.ofDays(1);

  private final Authority authority = Authority.create(Roots.COLONY, Roots.CLOCK, KeyType.P_256);
  private final CertificateIndex index =
      new CertificateIndex(Roots.COLONY, authority::signedClient, Roots.CLOCK);

  @Test
  void aRevokedAdministratorDoesNotComeBackByIt() throws Exception {
    X509Certificate certificate =
        authority.issue(
            CertificateProfile.administrator(Roots.COLONY, "admin"),
            Roots.EC.getPublic(),
            Roots.NOW,
            DAY);
    X509Certificate malleated = malleated(certificate);
    index.completed();
    assertTrue(authority.signedClient(malleated), "it is a valid signature, or this shows nothing");
    assertNotEquals(certificate, malleated);

    index.showRevoked(SerialNumbers.hex(certificate.getSerialNumber()));

    assertFalse(index.accepts(certificate));
    assertFalse(index.accepts(malleated));
  }

  @Test
  void anIssuedCertificateIsGoodAsItWasIssuedOnly() throws Exception {
    AgentId web = new AgentId("web");
    X509Certificate certificate =
        authority.issue(
            CertificateProfile.agent(Roots.COLONY, web), Roots.EC.getPublic(), Roots.NOW, DAY);
    IssuedCertificate issued =
        new IssuedCertificate(
            web,
            SerialNumbers.hex(certificate.getSerialNumber()),
            PublicKeys.hash(certificate.getPublicKey()),
            CertificateLedger.fingerprint(certificate).value(),
            certificate.getIssuerX500Principal().getName(),
            "",
            Roots.NOW,
            certificate.getNotAfter().toInstant());
    index.completed();
    index.show(AgentIdentity.claimed(web, CertificateRole.AGENT, Roots.NOW).with(1, issued));

    assertTrue(index.accepts(certificate));
    assertFalse(index.accepts(malleated(certificate)));
  }

  private static X509Certificate malleated(X509Certificate certificate) throws Exception {
    Certificate structure = Certificate.getInstance(certificate.getEncoded());
    ASN1Sequence signature = ASN1Sequence.getInstance(structure.getSignature().getOctets());
    BigInteger order = SECNamedCurves.getByName("secp256r1").getN();
    BigInteger s = ASN1Integer.getInstance(signature.getObjectAt(1)).getValue();
    X509Certificate made =
        Pem.certificate(
            sequence(
                    structure.getTBSCertificate(),
                    structure.getSignatureAlgorithm(),
                    new DERBitString(
                        sequence(signature.getObjectAt(0), new ASN1Integer(order.subtract(s)))
                            .getEncoded()))
                .getEncoded());
    assertEquals(certificate.getSerialNumber(), made.getSerialNumber());
    return made;
  }

  private static DERSequence sequence(ASN1Encodable... elements) throws IOException {
    ASN1EncodableVector vector = new ASN1EncodableVector();
    for (ASN1Encodable element : elements) {
      vector.add(element);
    }
    return new DERSequence(vector);
  }
}
