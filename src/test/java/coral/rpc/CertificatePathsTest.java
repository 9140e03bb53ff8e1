package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.Authority;
import coral.certificate.AuthorityRotation;
import coral.certificate.CertificateProfile;
import coral.certificate.KeyType;
import coral.model.AgentId;
import coral.model.ColonyId;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Chains of a leaf, an intermediate and a root, as the authority of a colony makes them. */
class CertificatePathsTest {
  private static final InstantSource CLOCK = InstantSource.system();
  private static final ColonyId COLONY = new ColonyId("shop-test-a1b2c3");
  private static final KeyPair KEYS = KeyType.P_256.generate();
  private static final String CLIENT = CertificatePaths.CLIENT_AUTHENTICATION;
  private static final String SERVER = CertificatePaths.SERVER_AUTHENTICATION;

  private final Authority authority = Authority.create(COLONY, CLOCK, KeyType.P_256);
  private final X509Certificate agent =
      issue(authority, CertificateProfile.agent(COLONY, new AgentId("web-1")));
  private final X509Certificate server = issue(authority, CertificateProfile.server(COLONY));

  @Test
  void aLeafWithItsIntermediateLeadsToTheRootInWhateverOrderTheOthersCome() throws Exception {
    List<X509Certificate> roots = authority.trustBundle().roots();
    CertificatePaths.verify(authority.chain(agent), roots, CLIENT);
    CertificatePaths.verify(authority.chain(server), roots, SERVER);
    List<X509Certificate> others = new ArrayList<>(authority.presented(server));
    others.remove(0);
    others.addAll(authority.chain(agent).subList(1, 2));
    for (int i = 0; i < others.size(); i++) {
      Collections.rotate(others, 1);
      List<X509Certificate> chain = new ArrayList<>(List.of(server));
      chain.addAll(others);
      CertificatePaths.verify(chain, roots, SERVER);
    }
  }

  @Test
  void aLeafAloneAnIntermediateAndAnotherPurposeAreRefused() {
    List<X509Certificate> roots = authority.trustBundle().roots();
    assertRefused(List.of(agent), roots, CLIENT, "does not lead to the trusted authority");
    assertRefused(authority.chain(agent).subList(1, 2), roots, CLIENT, "does not speak for itself");
    assertRefused(roots, roots, SERVER, "does not speak for itself");
    assertRefused(authority.chain(agent), roots, SERVER, "does not sign for this purpose");
    assertRefused(authority.chain(server), roots, CLIENT, "does not sign for this purpose");
  }

  @Test
  void anotherColonyThatCallsItselfTheSameIsRefused() {
    Authority forger = Authority.create(COLONY, CLOCK, KeyType.P_256);
    X509Certificate forged = issue(forger, CertificateProfile.agent(COLONY, new AgentId("web-1")));
    List<X509Certificate> roots = authority.trustBundle().roots();
    assertRefused(forger.chain(forged), roots, CLIENT, "does not lead to the trusted authority");
    assertRefused(forger.presented(forged), roots, CLIENT, "does not lead to");
    List<X509Certificate> mixed = List.of(forged, authority.chain(agent).get(1));
    assertRefused(mixed, roots, CLIENT, "does not lead to the trusted authority");
  }

  /** Who trusts the former root, the next one, or both, is served in every phase. */
  @Test
  void everyPhaseOfARotationIsPassedWithWhateverRootIsTrusted() throws Exception {
    X509Certificate former = authority.certificate();
    AuthorityRotation rotation = new AuthorityRotation(authority, KeyType.P_256, CLOCK);
    AuthorityRotation.Fleet fleet = new AuthorityRotation.Fleet(0, 0, 0);
    for (int phase = 0; phase < 4; phase++) {
      rotation.forward(fleet, false);
      List<X509Certificate> both = authority.trustBundle().roots();
      X509Certificate shown = issue(authority, CertificateProfile.server(COLONY));
      CertificatePaths.verify(authority.presented(shown), List.of(former), SERVER);
      CertificatePaths.verify(authority.presented(shown), both, SERVER);
      if (rotation.phase().compareTo(coral.certificate.RotationPhase.ACTIVE) >= 0) {
        CertificatePaths.verify(
            authority.presented(shown), List.of(authority.certificate()), SERVER);
      }
      CertificatePaths.verify(authority.chain(agent), both, CLIENT);
    }
    rotation.forward(fleet, false);
    assertRefused(
        authority.chain(agent), authority.trustBundle().roots(), CLIENT, "does not lead to");
  }

  /** A leaf of the time when roots signed leaves. */
  @Test
  void aLeafThatTheRootSignedIsStillGood() throws Exception {
    TestAuthority old = new TestAuthority("CA");
    ClientCertificate leaf = old.agent(COLONY.value(), "web-1");
    CertificatePaths.verify(leaf.chain(), List.of(old.root()), CLIENT);
    CertificatePaths.verify(leaf.chain().subList(0, 1), List.of(old.root()), CLIENT);
  }

  private static void assertRefused(
      List<X509Certificate> chain, List<X509Certificate> roots, String purpose, String reason) {
    CertificateException refused =
        assertThrows(
            CertificateException.class, () -> CertificatePaths.verify(chain, roots, purpose));
    assertTrue(String.valueOf(refused.getMessage()).contains(reason), refused::getMessage);
  }

  private static X509Certificate issue(Authority authority, CertificateProfile profile) {
    return authority.issue(profile, KEYS.getPublic(), CLOCK.instant(), Duration.ofDays(1));
  }
}
