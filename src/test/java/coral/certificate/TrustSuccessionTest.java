package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.AuthorityRotation.Fleet;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.junit.jupiter.api.Test;

/** Who may plant a root: whoever has the key of one that is trusted, and nobody else. */
class TrustSuccessionTest {
  private static final Fleet READY = new Fleet(1, 1, 1);

  private final Authority authority =
      Authority.create(Roots.COLONY, Roots.CLOCK, KeyType.P_256.generate());
  private final AuthorityRotation rotation =
      new AuthorityRotation(authority, KeyType.P_256, Roots.CLOCK);
  private final TrustBundle first = authority.trustBundle();

  private static Optional<String> objection(TrustBundle kept, TrustBundle offered) {
    return TrustSuccession.outOfOrder(kept, offered)
        .or(() -> TrustSuccession.unvouched(kept.roots(), offered, Roots.NOW));
  }

  private static void assertTaken(TrustBundle kept, TrustBundle offered) {
    assertEquals(Optional.empty(), objection(kept, offered));
  }

  private static void assertRefused(TrustBundle kept, TrustBundle offered, String why) {
    String said = objection(kept, offered).orElse("nothing");
    assertTrue(said.contains(why), said);
  }

  /** Forward to the end, back to the beginning, and on to a third root. */
  @Test
  void whoTrustsTheBundleBeforeBelievesTheNextWhicheverWayTheRotationGoes() throws Exception {
    TrustBundle kept = first;
    boolean[] forward = new boolean[17];
    for (int i = 0; i < forward.length; i++) {
      forward[i] = i < 5 || i >= 10; // to RETIRED, back to STABLE, and on beyond RETIRED
    }
    List<X509Certificate> seen = new ArrayList<>();
    for (boolean step : forward) {
      if (step) {
        rotation.forward(READY, false);
      } else {
        rotation.back();
      }
      TrustBundle next = authority.trustBundle();
      assertTaken(kept, next);
      kept = next;
      seen.addAll(next.roots());
    }
    assertEquals(4, seen.stream().distinct().count(), "the first, the one taken back and two more");
  }

  /** Of an agent that was away, and joined by the invitation of the root that signs. */
  @Test
  void eitherRootVouchesForTheOther() throws Exception {
    rotation.forward(READY, false);
    TrustBundle both = authority.trustBundle();
    for (X509Certificate root : both.roots()) {
      assertTaken(new TrustBundle(1, List.of(root)), both);
    }
    for (int i = 0; i < 4; i++) {
      rotation.forward(READY, false);
    }
    assertEquals(1, authority.trustBundle().roots().size());
    assertTaken(first, authority.trustBundle());
  }

  @Test
  void aRootWithoutTheWordOfATrustedOneIsRefused() throws Exception {
    rotation.forward(READY, false);
    TrustBundle good = authority.trustBundle();
    assertRefused(first, new TrustBundle(2, good.roots()), "no root that is trusted has signed");
    TrustBundle stranger =
        Authority.create(Roots.COLONY, Roots.CLOCK, KeyType.P_256.generate()).trustBundle();
    List<X509Certificate> planted = new ArrayList<>(good.roots());
    planted.addAll(stranger.roots());
    assertRefused(
        good,
        new TrustBundle(3, planted, good.crossCertificates()),
        "no root that is trusted has signed");
    assertRefused(
        first,
        new TrustBundle(2, stranger.roots(), good.crossCertificates()),
        "no root that is trusted has signed");
  }

  /** Finding C: the key that the colony's port needs at hand, stolen once. */
  @Test
  void theIntermediatesOfATrustedRootPlantNoRoot() throws Exception {
    KeyPair keys = KeyType.P_256.generate();
    X509Certificate planted = CertificateForm.root(Roots.COLONY, 7, keys, Roots.NOW);
    for (Issuer stolen : authority.issuers()) {
      boolean isRoot = stolen.certificate().equals(authority.certificate());
      TrustBundle forged =
          new TrustBundle(
              2,
              List.of(authority.certificate(), planted),
              List.of(CertificateForm.cross(stolen, planted, Roots.NOW)));
      assertEquals(isRoot, objection(first, forged).isEmpty(), stolen.certificate().toString());
      // The same, with the name of the root for its issuer.
      X509Certificate renamed =
          signed(stolen, authority.certificate(), planted, new BasicConstraints(1));
      assertEquals(
          isRoot,
          objection(
                  first,
                  new TrustBundle(2, List.of(authority.certificate(), planted), List.of(renamed)))
              .isEmpty());
    }
  }

  /** What a root has signed for another purpose is not its word for a root. */
  @Test
  void anIntermediateIsNoRootAndAWordForAnotherKeyOrOfYesterdayIsNone() throws Exception {
    Issuer root = issuer(authority.certificate());
    KeyPair keys = KeyType.P_256.generate();
    X509Certificate next = CertificateForm.root(Roots.COLONY, 7, keys, Roots.NOW);
    X509Certificate namesake =
        CertificateForm.root(Roots.COLONY, 7, KeyType.P_256.generate(), Roots.NOW);
    X509Certificate cross = CertificateForm.cross(root, next, Roots.NOW);
    assertTaken(first, new TrustBundle(2, List.of(next), List.of(cross)));
    assertRefused(first, new TrustBundle(2, List.of(namesake), List.of(cross)), "CN=");
    Intermediate server = authority.intermediates().get(0);
    assertRefused(
        first,
        new TrustBundle(2, List.of(server.certificate()), List.of(server.certificate())),
        "CN=");
    assertRefused(first, new TrustBundle(2, List.of(cross), List.of(cross)), "CN=");
    X509Certificate noAuthority =
        signed(root, authority.certificate(), next, new BasicConstraints(false));
    assertRefused(first, new TrustBundle(2, List.of(next), List.of(noAuthority)), "CN=");
    X509Certificate narrow = signed(root, authority.certificate(), next, new BasicConstraints(0));
    assertRefused(first, new TrustBundle(2, List.of(next), List.of(narrow)), "CN=");
    Instant end = cross.getNotAfter().toInstant();
    TrustBundle late = new TrustBundle(2, List.of(next), List.of(cross));
    assertTrue(TrustSuccession.unvouched(first.roots(), late, end).isPresent());
    assertTrue(
        TrustSuccession.unvouched(first.roots(), late, Roots.NOW.minus(Duration.ofHours(1)))
            .isEmpty(),
        "for whose clock is slow");
  }

  @Test
  void versionsOnlyGrowAndInSaneSteps() throws Exception {
    rotation.forward(READY, false);
    TrustBundle both = authority.trustBundle();
    List<X509Certificate> crosses = both.crossCertificates();
    assertTaken(both, both);
    assertRefused(both, new TrustBundle(1, both.roots()), "its version is 1, and 2 is trusted");
    assertTaken(both, new TrustBundle(2 + TrustSuccession.MAX_STEP, both.roots(), crosses));
    assertRefused(
        both, new TrustBundle(3 + TrustSuccession.MAX_STEP, both.roots()), "more than 1000 steps");
    assertRefused(both, new TrustBundle(Long.MAX_VALUE, both.roots()), "more than 1000 steps");
    assertRefused(both, new TrustBundle(2, first.roots()), "another bundle of version 2");
    assertTaken(both, new TrustBundle(2, List.of(both.roots().get(1), both.roots().get(0))));
  }

  private Issuer issuer(X509Certificate certificate) {
    return authority.issuers().stream()
        .filter(issuer -> issuer.certificate().equals(certificate))
        .findFirst()
        .orElseThrow();
  }

  private static X509Certificate signed(
      Issuer by, X509Certificate issuer, X509Certificate root, BasicConstraints constraints)
      throws Exception {
    X509v3CertificateBuilder builder =
        new X509v3CertificateBuilder(
            X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded()),
            SerialNumbers.next(),
            root.getNotBefore(),
            root.getNotAfter(),
            X500Name.getInstance(root.getSubjectX500Principal().getEncoded()),
            SubjectPublicKeyInfo.getInstance(root.getPublicKey().getEncoded()));
    builder
        .addExtension(Extension.basicConstraints, true, constraints)
        .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign));
    return by.sign(builder);
  }
}
