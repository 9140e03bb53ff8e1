package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.Pem;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.testing.Openssl;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAPublicKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** RFD 020: what the colony's root is and what it signs. */
class AuthorityTest {
  private static final AgentId AGENT = new AgentId("web-1.eu_west");
  private static final String CLIENT = "1.3.6.1.5.5.7.3.2";
  private static final String SERVER = "1.3.6.1.5.5.7.3.1";

  @TempDir Path directory;

  @Test
  void theRootIsRsa4096ForTenYearsAndSignsCertificatesAndCrlsOnly() throws Exception {
    X509Certificate root = Roots.real().certificate();
    assertEquals(4096, ((RSAPublicKey) root.getPublicKey()).getModulus().bitLength());
    assertEquals(
        "CN=Coral Colony CA,O=my-app-prod-a3f2e1", root.getSubjectX500Principal().getName());
    assertEquals(Roots.NOW.minusSeconds(60), root.getNotBefore().toInstant());
    assertEquals(Instant.parse("2036-05-01T09:59:00Z"), root.getNotAfter().toInstant());
    assertEquals(Integer.MAX_VALUE, root.getBasicConstraints());
    assertUsage(root, 5, 6);
    assertTrue(root.getExtensionValue("2.5.29.14") != null);
    assertEquals(Set.of("2.5.29.19", "2.5.29.15"), root.getCriticalExtensionOIDs());
    assertEquals(Roots.COLONY, Roots.real().colonyId());
  }

  /** Cases C3 and C10: nothing but what the profile says, from a minute ago, in whole seconds. */
  @Test
  void anAgentsCertificateSaysWhatItsProfileSays() throws Exception {
    for (KeyPair keys : List.of(Roots.RSA, Roots.EC)) {
      X509Certificate certificate =
          issue(CertificateProfile.agent(Roots.COLONY, AGENT), keys, Duration.ofDays(90));
      assertEquals(
          "CN=web-1.eu_west,O=my-app-prod-a3f2e1", certificate.getSubjectX500Principal().getName());
      assertEquals(
          Set.of(List.of(6, "spiffe://my-app-prod-a3f2e1/agent/web-1.eu_west")),
          names(certificate));
      assertEquals(List.of(CLIENT), certificate.getExtendedKeyUsage());
      assertEquals(-1, certificate.getBasicConstraints());
      assertEquals(Set.of("2.5.29.19", "2.5.29.15"), certificate.getCriticalExtensionOIDs());
      if (keys == Roots.RSA) {
        assertUsage(certificate, 0, 2);
      } else {
        assertUsage(certificate, 0);
      }
      assertEquals(Roots.NOW.minusSeconds(60), certificate.getNotBefore().toInstant());
      assertEquals(Roots.NOW.plus(Duration.ofDays(90)), certificate.getNotAfter().toInstant());
      assertEquals(16, certificate.getSerialNumber().toByteArray().length);
      assertPathIsValid(certificate);
    }
  }

  @Test
  void administratorsAndServersHaveProfilesOfTheirOwn() throws Exception {
    X509Certificate administrator =
        issue(
            CertificateProfile.administrator(Roots.COLONY, "admin"), Roots.EC, Duration.ofDays(1));
    assertEquals(
        Set.of(List.of(6, "spiffe://my-app-prod-a3f2e1/admin/admin")), names(administrator));
    assertEquals(List.of(CLIENT), administrator.getExtendedKeyUsage());
    X509Certificate server =
        issue(CertificateProfile.server(Roots.COLONY), Roots.EC, Duration.ofDays(1));
    assertEquals(
        Set.of(List.of(6, "spiffe://my-app-prod-a3f2e1/colony"), List.of(2, "localhost")),
        names(server));
    assertEquals(List.of(SERVER), server.getExtendedKeyUsage());
    assertPathIsValid(server);
  }

  /** Case C10. */
  @Test
  void noCertificateOutlivesItsIssuer() {
    X509Certificate certificate =
        issue(CertificateProfile.server(Roots.COLONY), Roots.EC, Duration.ofDays(36500));
    assertEquals(Roots.QUICK.chain(certificate).get(1).getNotAfter(), certificate.getNotAfter());
    assertThrows(
        IllegalStateException.class,
        () ->
            Roots.QUICK.issue(
                CertificateProfile.server(Roots.COLONY),
                Roots.EC.getPublic(),
                Roots.NOW.plus(Duration.ofDays(4000)),
                Duration.ofDays(1)));
  }

  /** Case C10: and a validity that is none. */
  @Test
  void anotherColonysProfileIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            issue(CertificateProfile.server(new ColonyId("other")), Roots.EC, Duration.ofDays(1)));
    for (Duration validity : List.of(Duration.ZERO, Duration.ofDays(-1))) {
      assertThrows(
          IllegalArgumentException.class,
          () ->
              Roots.QUICK.issue(
                  CertificateProfile.server(Roots.COLONY),
                  Roots.EC.getPublic(),
                  Roots.NOW,
                  validity,
                  BigInteger.TEN));
    }
  }

  /** Case C9: RFC 5280, section 4.1.2.2. */
  @Test
  void serialNumbersArePositiveUniqueAndHave16Octets() {
    Set<BigInteger> drawn = new HashSet<>();
    for (int i = 0; i < 100_000; i++) {
      BigInteger serial = SerialNumbers.next();
      byte[] octets = serial.toByteArray();
      assertEquals(16, octets.length);
      assertTrue(octets[0] >= 0x40, "positive, with its second bit set");
      assertTrue(drawn.add(serial));
    }
  }

  /** Case C12: what is wrong never leaves. */
  @Test
  void theCheckFindsWhatDiffersFromTheProfile() {
    CertificateProfile agent = CertificateProfile.agent(Roots.COLONY, AGENT);
    X509Certificate certificate = issue(agent, Roots.EC, Duration.ofDays(1));
    X509Certificate root = Roots.QUICK.certificate();
    X509Certificate issuer = Roots.QUICK.chain(certificate).get(1);
    ProfileCheck.leaf(certificate, agent, Roots.EC.getPublic(), issuer);
    List<Runnable> wrong =
        List.of(
            () -> ProfileCheck.leaf(certificate, agent, Roots.RSA.getPublic(), issuer),
            () ->
                ProfileCheck.leaf(
                    certificate,
                    CertificateProfile.agent(Roots.COLONY, new AgentId("web-2")),
                    Roots.EC.getPublic(),
                    issuer),
            () ->
                ProfileCheck.leaf(
                    certificate,
                    CertificateProfile.administrator(Roots.COLONY, AGENT.value()),
                    Roots.EC.getPublic(),
                    issuer),
            () ->
                ProfileCheck.leaf(
                    certificate, agent, Roots.EC.getPublic(), Roots.real().certificate()),
            () -> ProfileCheck.leaf(certificate, agent, Roots.EC.getPublic(), root),
            () -> ProfileCheck.leaf(root, agent, root.getPublicKey(), root),
            () -> ProfileCheck.root(certificate));
    for (Runnable check : wrong) {
      assertThrows(IllegalStateException.class, check::run);
    }
  }

  @Test
  void aRootIsSavedPrivatelyAndLoadedAgain() throws Exception {
    Path home = directory.resolve("colony");
    Roots.QUICK.save(home);
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(home)));
    for (String file : List.of(Authority.CERTIFICATE_FILE, Authority.KEY_FILE)) {
      assertEquals(
          "rw-------",
          PosixFilePermissions.toString(Files.getPosixFilePermissions(home.resolve(file))));
    }
    Authority loaded = Authority.load(home);
    assertEquals(Roots.QUICK.fingerprint(), loaded.fingerprint());
    assertEquals(Roots.COLONY, loaded.colonyId());
    X509Certificate issued =
        loaded.issue(
            CertificateProfile.server(Roots.COLONY),
            Roots.EC.getPublic(),
            Roots.NOW,
            Duration.ofDays(1));
    assertPathIsValid(issued);
    assertFalse(loaded.toString().contains("PRIVATE"));
  }

  @Test
  void aRootIsNeverOverwritten() throws Exception {
    Path home = directory.resolve("colony");
    Roots.QUICK.save(home);
    assertThrows(FileAlreadyExistsException.class, () -> Roots.real().save(home));
    Files.delete(home.resolve(Authority.CERTIFICATE_FILE));
    assertThrows(FileAlreadyExistsException.class, () -> Roots.real().save(home));
    assertFalse(Files.exists(home.resolve(Authority.CERTIFICATE_FILE)));
  }

  @Test
  void filesThatAreNotOneRootAreRefusedByName() throws Exception {
    Path home = directory.resolve("colony");
    Roots.QUICK.save(home);
    // As an earlier version of Coral left it.
    Files.delete(home.resolve(AuthorityStateFile.NAME));
    Path certificate = home.resolve(Authority.CERTIFICATE_FILE);
    Files.writeString(certificate, Pem.encode(Roots.real().certificate()));
    assertRefused(home, "not that of the certificate");
    Files.writeString(certificate, "hello");
    assertRefused(home, "ca-cert.pem");
    X509Certificate leaf =
        issue(CertificateProfile.server(Roots.COLONY), Roots.RSA, Duration.ofDays(1));
    Files.writeString(certificate, Pem.encode(leaf));
    Files.writeString(home.resolve(Authority.KEY_FILE), Pem.encode(Roots.RSA.getPrivate()));
    assertRefused(home, "ca-cert.pem");
    Files.writeString(certificate, Pem.encode(Roots.QUICK.certificate()));
    Files.setPosixFilePermissions(
        home.resolve(Authority.KEY_FILE), PosixFilePermissions.fromString("rw-r--r--"));
    assertRefused(home, "chmod 600");
  }

  @Test
  void anIdentityIsSavedAndLoadedAndItsKeyMustFit() throws Exception {
    X509Certificate leaf =
        issue(CertificateProfile.agent(Roots.COLONY, AGENT), Roots.EC, Duration.ofDays(1));
    Identity identity =
        new Identity(Roots.EC.getPrivate(), List.of(leaf, Roots.QUICK.certificate()));
    Path certificate = directory.resolve("cert.pem");
    Path key = directory.resolve("key.pem");
    identity.save(certificate, key);
    assertEquals(identity.chain(), Identity.load(certificate, key).chain());
    assertThrows(
        IllegalArgumentException.class,
        () -> new Identity(KeyType.P_256.generate().getPrivate(), List.of(leaf)));
    assertThrows(
        IllegalArgumentException.class, () -> new Identity(Roots.EC.getPrivate(), List.of()));
    assertFalse(identity.toString().contains("key="), identity.toString());
  }

  /** A second opinion, as strict as there is one. */
  @Test
  void opensslAcceptsTheChainStrictly() throws Exception {
    Openssl.require();
    Path root = directory.resolve("root.pem");
    Files.writeString(root, Pem.encode(Roots.real().certificate()));
    Path server = directory.resolve("server.pem");
    Path agent = directory.resolve("agent.pem");
    for (boolean isAgent : new boolean[] {false, true}) {
      X509Certificate leaf =
          Roots.real()
              .issue(
                  isAgent
                      ? CertificateProfile.agent(Roots.COLONY, AGENT)
                      : CertificateProfile.server(Roots.COLONY),
                  (isAgent ? Roots.RSA : Roots.EC).getPublic(),
                  Roots.NOW,
                  Duration.ofDays(90));
      Files.writeString(isAgent ? agent : server, Pem.encode(Roots.real().chain(leaf)));
    }
    String time = String.valueOf(Roots.NOW.getEpochSecond());
    for (String[] check :
        new String[][] {{"sslclient", agent.toString()}, {"sslserver", server.toString()}}) {
      String output =
          Openssl.run(
              "verify",
              "-x509_strict",
              "-check_ss_sig",
              "-attime",
              time,
              "-purpose",
              check[0],
              "-CAfile",
              root.toString(),
              "-untrusted",
              check[1],
              check[1]);
      assertTrue(output.endsWith(": OK\n"), output);
    }
    String wrongPurpose =
        Openssl.run(
            "verify",
            "-attime",
            time,
            "-purpose",
            "sslserver",
            "-CAfile",
            root.toString(),
            "-untrusted",
            agent.toString(),
            agent.toString());
    assertTrue(wrongPurpose.contains("unsuitable certificate purpose"), wrongPurpose);
    String text = Openssl.run("x509", "-text", "-noout", "-in", agent.toString());
    assertTrue(text.contains("TLS Web Client Authentication\n"), text);
    assertTrue(text.contains("URI:spiffe://my-app-prod-a3f2e1/agent/web-1.eu_west\n"), text);
    assertTrue(text.contains("Digital Signature, Key Encipherment\n"), text);
    assertTrue(text.contains("CA:FALSE\n"), text);
  }

  private void assertRefused(Path home, String reason) {
    IOException refused = assertThrows(IOException.class, () -> Authority.load(home));
    assertTrue(refused.toString().contains(reason), refused.toString());
  }

  private static X509Certificate issue(
      CertificateProfile profile, KeyPair keys, Duration validity) {
    return Roots.QUICK.issue(profile, keys.getPublic(), Roots.NOW, validity);
  }

  private static void assertPathIsValid(X509Certificate certificate) throws Exception {
    PKIXParameters parameters =
        new PKIXParameters(Set.of(new TrustAnchor(Roots.QUICK.certificate(), null)));
    parameters.setRevocationEnabled(false);
    parameters.setDate(Date.from(Roots.NOW));
    CertPathValidator.getInstance("PKIX")
        .validate(
            CertificateFactory.getInstance("X.509")
                .generateCertPath(Roots.QUICK.chain(certificate)),
            parameters);
  }

  private static Set<List<?>> names(X509Certificate certificate) throws Exception {
    Collection<List<?>> names = certificate.getSubjectAlternativeNames();
    return new HashSet<>(names);
  }

  private static void assertUsage(X509Certificate certificate, int... bits) {
    boolean[] expected = new boolean[9];
    for (int bit : bits) {
      expected[bit] = true;
    }
    assertTrue(
        Arrays.equals(expected, Arrays.copyOf(certificate.getKeyUsage(), 9)),
        Arrays.toString(certificate.getKeyUsage()));
  }
}
