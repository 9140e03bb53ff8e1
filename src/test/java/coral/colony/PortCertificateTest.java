package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.AuthoritySettings;
import coral.testing.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the port of a running colony shows, over real TLS. */
@Timeout(120)
class PortCertificateTest {
  @TempDir Path directory;

  @Test
  void aCertificateThatGrowsOldIsRenewedAndShownFromTheNextConnectionOn() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      X509Certificate first = shown(colony);
      colony.process().certificateRenewal().tell(CertificateRenewal.Look.INSTANCE);
      assertEquals(first, shown(colony), "a young one stays");

      X509Certificate old = growOld(colony);
      assertNotEquals(first, old);
      colony.process().certificateRenewal().tell(CertificateRenewal.Look.INSTANCE);
      // The actor tells nobody when it has looked.
      Eventually.holds(() -> assertNotEquals(first.getSerialNumber(), serial(colony)));
      X509Certificate renewed = shown(colony);
      assertNotEquals(old.getSerialNumber(), renewed.getSerialNumber());
      assertTrue(
          renewed.getNotAfter().toInstant().isAfter(now().plus(Duration.ofDays(364))),
          () -> renewed.getNotAfter().toInstant().toString());
    }
  }

  /** As if the colony had been running for most of a year. */
  private static X509Certificate growOld(TestColony colony) throws IOException {
    ColonyFiles files = new ColonyFiles(colony.database().resolveSibling(""));
    Files.delete(files.directory().resolve("tls-cert.pem"));
    return files
        .serverIdentity(
            files.authority(AuthoritySettings.defaults(), InstantSource.system()),
            InstantSource.fixed(now().minus(Duration.ofDays(300))))
        .certificate();
  }

  private static Instant now() {
    return InstantSource.system().instant();
  }

  private static Object serial(TestColony colony) throws IOException {
    return shown(colony).getSerialNumber();
  }

  /** On a new connection, checked against the pinned root. */
  private static X509Certificate shown(TestColony colony) throws IOException {
    try (SSLSocket socket =
        (SSLSocket)
            colony
                .tls(Optional.empty())
                .getSocketFactory()
                .createSocket(colony.endpoint().host(), colony.endpoint().port())) {
      socket.setSoTimeout(10_000);
      socket.startHandshake();
      return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }
  }
}
