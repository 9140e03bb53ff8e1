package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.testing.Openssl;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stands between a root and its leaves, and what it is worth to who steals it. */
class IntermediatesTest {
  private static final AgentId AGENT = new AgentId("web-1");

  @TempDir Path directory;

  @Test
  void eachKindHasItsOwnOfPathLength0ForOnePurposeAndTwoYears() throws Exception {
    List<Intermediate> intermediates = Roots.QUICK.intermediates();
    assertEquals(2, intermediates.size());
    for (Intermediate intermediate : intermediates) {
      X509Certificate certificate = intermediate.certificate();
      boolean isServer = intermediate.kind() == Intermediate.Kind.SERVER;
      assertEquals(0, certificate.getBasicConstraints());
      assertEquals(
          List.of(isServer ? "1.3.6.1.5.5.7.3.1" : "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.9"),
          certificate.getExtendedKeyUsage());
      assertEquals(
          Set.of("2.5.29.15", "2.5.29.19", "2.5.29.30"), certificate.getCriticalExtensionOIDs());
      assertEquals(
          Duration.ofDays(730),
          Duration.between(
              certificate.getNotBefore().toInstant(), certificate.getNotAfter().toInstant()));
      X509Certificate leaf =
          isServer
              ? issue(Roots.QUICK, CertificateProfile.server(Roots.COLONY))
              : issue(Roots.QUICK, CertificateProfile.agent(Roots.COLONY, AGENT));
      assertEquals(List.of(leaf, certificate), Roots.QUICK.chain(leaf));
      assertEquals(
          List.of(leaf, certificate, Roots.QUICK.certificate()), Roots.QUICK.presented(leaf));
    }
  }

  @Test
  void everyRoleHasItsUri() throws Exception {
    for (CertificateRole role : CertificateRole.values()) {
      X509Certificate leaf =
          issue(Roots.QUICK, CertificateProfile.client(Roots.COLONY, role, new AgentId("ada")));
      assertTrue(
          String.valueOf(leaf.getSubjectAlternativeNames())
              .contains("spiffe://my-app-prod-a3f2e1/" + role.wireName() + "/ada"));
      assertTrue(Roots.QUICK.signedClient(leaf));
    }
  }

  /** The thief of an intermediate's key is held to this colony's names, by Java and by OpenSSL. */
  @Test
  void namesOfOthersAreNotBelieved() throws Exception {
    Openssl.require();
    ColonyId other = new ColonyId("other-prod-000000");
    List<CertificateProfile> foreign =
        List.of(
            CertificateProfile.agent(other, AGENT),
            CertificateProfile.server(other),
            CertificateProfile.nodeAsServer(other));
    Path root =
        Files.writeString(directory.resolve("root.pem"), Pem.encode(Roots.QUICK.certificate()));
    for (CertificateProfile profile : foreign) {
      Issuer thief = stolen(profile.purpose().issuer());
      X509Certificate forged =
          CertificateForm.leaf(
              thief,
              profile,
              Roots.EC.getPublic(),
              Roots.NOW,
              Roots.NOW.plusSeconds(60),
              SerialNumbers.next());
      List<X509Certificate> chain = List.of(forged, thief.certificate());
      CertPathValidatorException refused =
          assertThrows(CertPathValidatorException.class, () -> validate(chain));
      assertTrue(String.valueOf(refused.getMessage()).contains("name constraints"));
      Path file = Files.writeString(directory.resolve("forged.pem"), Pem.encode(chain));
      String output =
          Openssl.run(
              "verify",
              "-attime",
              String.valueOf(Roots.NOW.getEpochSecond() + 1),
              "-CAfile",
              root.toString(),
              "-untrusted",
              file.toString(),
              file.toString());
      assertTrue(output.contains("permitted subtree violation"), output);
    }
  }

  /** Nor does it make another authority. */
  @Test
  void anIntermediateSignsNoAuthority() {
    Issuer thief = stolen(Intermediate.Kind.CLIENT);
    X509Certificate below =
        CertificateForm.intermediate(
            thief,
            Roots.COLONY,
            Intermediate.Kind.CLIENT,
            "9.9",
            Roots.OTHER_RSA.getPublic(),
            Roots.NOW);
    X509Certificate leaf =
        CertificateForm.leaf(
            new Issuer(below, Roots.OTHER_RSA.getPrivate()),
            CertificateProfile.agent(Roots.COLONY, AGENT),
            Roots.EC.getPublic(),
            Roots.NOW,
            Roots.NOW.plusSeconds(60),
            SerialNumbers.next());
    assertThrows(
        CertPathValidatorException.class,
        () -> validate(List.of(leaf, below, thief.certificate())));
  }

  @Test
  void theyAreFollowedYearlyUnderTheSameRootAndWhatTheySignedStaysGood() throws Exception {
    Path home = directory.resolve("colony");
    KeyFiles keys = new KeyFiles(home);
    Authority authority = Authority.create(Roots.COLONY, home, keys, KeyType.P_256, Roots.CLOCK);
    X509Certificate before = issue(authority, CertificateProfile.agent(Roots.COLONY, AGENT));
    assertFalse(authority.renewIntermediates(KeyType.P_256, Roots.NOW.plus(Duration.ofDays(364))));
    Instant later = Roots.NOW.plus(Duration.ofDays(366));
    assertTrue(authority.renewIntermediates(KeyType.P_256, later));
    assertFalse(authority.renewIntermediates(KeyType.P_256, later), "once");
    for (Authority now : List.of(authority, Authority.load(home, keys))) {
      assertEquals(4, now.intermediates().size());
      X509Certificate after =
          now.issue(
              CertificateProfile.agent(Roots.COLONY, AGENT),
              Roots.EC.getPublic(),
              later,
              Duration.ofDays(90));
      assertNotEquals(now.chain(before).get(1), now.chain(after).get(1));
      assertTrue(now.signedClient(before) && now.signedClient(after));
      assertEquals(1, now.trustBundle().version(), "nothing to pin anew");
    }
    assertTrue(authority.renewIntermediates(KeyType.P_256, Roots.NOW.plus(Duration.ofDays(735))));
    assertEquals(4, authority.intermediates().size(), "the first ones have ended");
  }

  /** The root's key may be kept elsewhere. */
  @Test
  void withoutTheRootsKeyThereAreLeavesAndOnlyWhatNeedsItSaysSo() throws Exception {
    Path home = directory.resolve("colony");
    KeyFiles keys = new KeyFiles(home);
    Authority.create(Roots.COLONY, home, keys, KeyType.P_256, Roots.CLOCK);
    Path elsewhere = directory.resolve("safe.pem");
    Files.move(home.resolve(Authority.KEY_FILE), elsewhere);
    Authority authority = Authority.load(home, keys);
    assertFalse(authority.isRootOnline());
    validateWith(
        authority, authority.chain(issue(authority, CertificateProfile.server(Roots.COLONY))));
    Instant later = Roots.NOW.plus(Duration.ofDays(400));
    IOException refused =
        assertThrows(IOException.class, () -> authority.renewIntermediates(KeyType.P_256, later));
    assertTrue(
        String.valueOf(refused.getMessage()).contains("'ca' is not in"), refused::getMessage);
    issue(authority, CertificateProfile.agent(Roots.COLONY, AGENT));
    Files.move(elsewhere, home.resolve(Authority.KEY_FILE));
    assertTrue(authority.renewIntermediates(KeyType.P_256, later), "without a restart");
  }

  /** A colony of an earlier version: its root signed the leaves. */
  @Test
  void anOlderColonyGetsItsIntermediatesAndItsLeavesStayGood() throws Exception {
    Path home = directory.resolve("colony");
    SecureFiles.createDirectory(home);
    SecureFiles.createNew(
        home.resolve(Authority.KEY_FILE),
        Pem.encode(Roots.RSA.getPrivate()).getBytes(StandardCharsets.US_ASCII));
    X509Certificate root = CertificateForm.root(Roots.COLONY, 1, Roots.RSA, Roots.NOW);
    SecureFiles.createNew(
        home.resolve(Authority.CERTIFICATE_FILE),
        Pem.encode(root).getBytes(StandardCharsets.US_ASCII));
    CertificateProfile profile = CertificateProfile.agent(Roots.COLONY, AGENT);
    X509Certificate old =
        CertificateForm.leaf(
            new Issuer(root, Roots.RSA.getPrivate()),
            profile,
            Roots.EC.getPublic(),
            Roots.NOW,
            Roots.NOW.plusSeconds(60),
            SerialNumbers.next());
    Authority authority = Authority.load(home);
    assertThrows(IllegalStateException.class, () -> issue(authority, profile));
    assertTrue(authority.renewIntermediates(KeyType.P_256, Roots.NOW));
    assertTrue(authority.signedClient(old));
    assertEquals(List.of(old), authority.chain(old));
    assertEquals(2, authority.chain(issue(authority, profile)).size());
    assertEquals(root, Authority.load(home).certificate(), "agents pin the same root");
  }

  private static Issuer stolen(Intermediate.Kind kind) {
    Intermediate intermediate =
        Roots.QUICK.intermediates().stream()
            .filter(i -> i.kind() == kind)
            .findFirst()
            .orElseThrow();
    PrivateKey key =
        Roots.QUICK.issuers().stream()
            .filter(issuer -> issuer.certificate().equals(intermediate.certificate()))
            .findFirst()
            .orElseThrow()
            .key();
    return new Issuer(intermediate.certificate(), key);
  }

  private static X509Certificate issue(Authority authority, CertificateProfile profile) {
    return authority.issue(profile, Roots.EC.getPublic(), Roots.NOW, Duration.ofDays(90));
  }

  private static void validate(List<X509Certificate> chain) throws Exception {
    validateWith(Roots.QUICK, chain);
  }

  private static void validateWith(Authority authority, List<X509Certificate> chain)
      throws Exception {
    PKIXParameters parameters =
        new PKIXParameters(Set.of(new TrustAnchor(authority.certificate(), null)));
    parameters.setRevocationEnabled(false);
    parameters.setDate(Date.from(Roots.NOW.plusSeconds(1)));
    CertPathValidator.getInstance("PKIX")
        .validate(
            CertificateFactory.getInstance("X.509").generateCertPath(new ArrayList<>(chain)),
            parameters);
  }
}
