package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.Pem;
import coral.model.AgentId;
import coral.testing.Openssl;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What certificates say of where their end is published, as openssl reads it. */
class RevocationUrlsTest {
  private static final String CRL_DISTRIBUTION_POINTS = "2.5.29.31";
  private static final String AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1";

  @TempDir Path directory;

  private static X509Certificate agent(KeyPair keys, Optional<RevocationUrls> urls) {
    return Roots.QUICK.issue(
        CertificateProfile.agent(Roots.COLONY, new AgentId("web")).publishedAt(urls),
        keys.getPublic(),
        Roots.NOW,
        Duration.ofDays(90));
  }

  @Test
  void aCertificateNamesTheListOfItsIssuerAndTheResponder() throws Exception {
    Openssl.require();
    RevocationUrls urls = new RevocationUrls(URI.create("http://ca.example.org:9080/coral"));
    for (KeyPair keys : List.of(Roots.RSA, Roots.EC)) {
      X509Certificate certificate = agent(keys, Optional.of(urls));
      Path file = Files.writeString(directory.resolve("leaf.pem"), Pem.encode(certificate));
      String text = Openssl.run("x509", "-in", file.toString(), "-noout", "-text");
      String list = RevocationUrls.listName(Roots.QUICK.chain(certificate).get(1));
      assertTrue(text.contains("URI:http://ca.example.org:9080/coral/crl/" + list), text);
      assertTrue(text.contains("OCSP - URI:http://ca.example.org:9080/coral/ocsp"), text);
      assertEquals(
          "http://ca.example.org:9080/coral/ocsp",
          Openssl.run("x509", "-in", file.toString(), "-noout", "-ocsp_uri").strip());
      assertFalse(certificate.getCriticalExtensionOIDs().contains(CRL_DISTRIBUTION_POINTS));
    }
  }

  @Test
  void withoutASettingNothingIsSaid() {
    X509Certificate certificate = agent(Roots.EC, Optional.empty());
    for (String oid : List.of(CRL_DISTRIBUTION_POINTS, AUTHORITY_INFORMATION_ACCESS)) {
      assertEquals(null, certificate.getExtensionValue(oid));
    }
  }

  /** What leaves says what its profile says: no more, no less, and nothing else. */
  @Test
  void theLastLookFindsWhatIsSaidWrongly() {
    RevocationUrls urls = new RevocationUrls(URI.create("http://ca.example.org"));
    RevocationUrls other = new RevocationUrls(URI.create("http://evil.example.org"));
    CertificateProfile plain = CertificateProfile.agent(Roots.COLONY, new AgentId("web"));
    X509Certificate said = agent(Roots.EC, Optional.of(urls));
    X509Certificate silent = agent(Roots.EC, Optional.empty());
    X509Certificate issuer = Roots.QUICK.chain(said).get(1);
    ProfileCheck.leaf(said, plain.publishedAt(Optional.of(urls)), Roots.EC.getPublic(), issuer);
    assertThrows(
        IllegalStateException.class,
        () ->
            ProfileCheck.leaf(
                said, plain.publishedAt(Optional.of(other)), Roots.EC.getPublic(), issuer));
    assertThrows(
        IllegalStateException.class,
        () -> ProfileCheck.leaf(said, plain, Roots.EC.getPublic(), issuer));
    assertThrows(
        IllegalStateException.class,
        () ->
            ProfileCheck.leaf(
                silent, plain.publishedAt(Optional.of(urls)), Roots.EC.getPublic(), issuer));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://ca.example.org",
        "ldap://ca.example.org",
        "http:///crl",
        "ca.example.org",
        "http://ca.example.org/",
        "http://ca.example.org?x",
        "http://ca.example.org#x",
        "http://me@ca.example.org"
      })
  void whatIsNoPlaceToPublishIsRefused(String url) {
    assertThrows(IllegalArgumentException.class, () -> new RevocationUrls(URI.create(url)));
  }
}
