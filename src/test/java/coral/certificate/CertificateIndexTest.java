package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Fingerprint;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class CertificateIndexTest {
  private static final AgentId WEB = new AgentId("web");
  private static final Duration DAY = Duration.ofDays(1);

  private Instant now = Roots.NOW;
  private final CertificateIndex index =
      new CertificateIndex(Roots.COLONY, Roots.QUICK::signedClient, () -> now);

  @Test
  void aJournaledCertificateIsGoodUntilItEnds() {
    X509Certificate certificate = agent(Roots.QUICK, SerialNumbers.next());
    index.completed();
    assertFalse(index.accepts(certificate), "not journaled");
    index.replace(WEB, List.of(issued(certificate)));
    assertTrue(index.accepts(certificate));
    now = certificate.getNotAfter().toInstant();
    assertTrue(index.accepts(certificate), "RFC 5280, section 4.1.2.5: inclusive");
    now = now.plusSeconds(1);
    assertFalse(index.accepts(certificate));
    now = certificate.getNotBefore().toInstant().minusSeconds(1);
    assertFalse(index.accepts(certificate));
  }

  @Test
  void aSupersededCertificateIsRefusedAndTheOthersOfItsAgentAreNot() {
    X509Certificate old = agent(Roots.QUICK, SerialNumbers.next());
    X509Certificate young = agent(Roots.QUICK, SerialNumbers.next());
    index.completed();
    index.replace(WEB, List.of(issued(old), issued(young)));
    assertTrue(index.accepts(old));
    index.replace(WEB, List.of(issued(young)));
    assertFalse(index.accepts(old));
    assertTrue(index.accepts(young));
    assertEquals(1, index.size());
  }

  @Test
  void anotherCertificateWithAKnownSerialIsRefused() {
    BigInteger serial = SerialNumbers.next();
    X509Certificate certificate = agent(Roots.QUICK, serial);
    index.completed();
    index.replace(WEB, List.of(issued(certificate)));
    Authority forger = Authority.create(Roots.COLONY, Roots.CLOCK, Roots.OTHER_RSA);
    assertFalse(index.accepts(agent(forger, serial)));
    X509Certificate sameSerialOtherKey =
        Roots.QUICK.issue(
            CertificateProfile.agent(Roots.COLONY, WEB),
            Roots.RSA.getPublic(),
            Roots.NOW,
            DAY,
            serial);
    assertFalse(index.accepts(sameSerialOtherKey));
  }

  @Test
  void anAdministratorIsGoodByTheRootsSignatureAndItsName() {
    CertificateProfile profile = CertificateProfile.administrator(Roots.COLONY, "admin");
    X509Certificate administrator =
        Roots.QUICK.issue(profile, Roots.EC.getPublic(), Roots.NOW, DAY);
    assertTrue(index.accepts(administrator), "even before the journal is read");
    Authority forger = Authority.create(Roots.COLONY, Roots.CLOCK, Roots.OTHER_RSA);
    assertFalse(index.accepts(forger.issue(profile, Roots.EC.getPublic(), Roots.NOW, DAY)));
    now = now.plus(Duration.ofDays(2));
    assertFalse(index.accepts(administrator));
  }

  @Test
  void serversRootsAndOtherColoniesAreNoClients() {
    index.completed();
    KeyPair keys = Roots.EC;
    X509Certificate server =
        Roots.QUICK.issue(
            CertificateProfile.server(Roots.COLONY), keys.getPublic(), Roots.NOW, DAY);
    ColonyId other = new ColonyId("other");
    X509Certificate stranger =
        Authority.create(other, Roots.CLOCK, Roots.OTHER_RSA)
            .issue(
                CertificateProfile.administrator(other, "admin"), keys.getPublic(), Roots.NOW, DAY);
    for (X509Certificate certificate : List.of(server, Roots.QUICK.certificate(), stranger)) {
      assertEquals(Failure.UNAUTHENTICATED, index.refusal(certificate).orElseThrow().failure());
    }
  }

  private static X509Certificate agent(Authority authority, BigInteger serial) {
    return authority.issue(
        CertificateProfile.agent(Roots.COLONY, WEB), Roots.EC.getPublic(), Roots.NOW, DAY, serial);
  }

  private static CertificateLedger.IssuedCertificate issued(X509Certificate certificate) {
    Fingerprint fingerprint = CertificateLedger.fingerprint(certificate);
    return new CertificateLedger.IssuedCertificate(
        WEB,
        SerialNumbers.hex(certificate.getSerialNumber()),
        PublicKeys.hash(certificate.getPublicKey()),
        fingerprint,
        Roots.NOW,
        certificate.getNotAfter().toInstant());
  }
}
