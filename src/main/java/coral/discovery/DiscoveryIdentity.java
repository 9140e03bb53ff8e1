package coral.discovery;

import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.Fingerprint;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * The key and certificate that a discovery service shows, signed by itself and made at its first
 * start. Colonies pin the certificate by its fingerprint; nobody else vouches for it.
 */
record DiscoveryIdentity(PrivateKey key, X509Certificate certificate) {
  private static final String KEY_FILE = "tls-key.pem";
  private static final String CERTIFICATE_FILE = "tls-cert.pem";

  /** Nothing renews it but a new pin on every colony. */
  private static final Duration VALIDITY = Duration.ofDays(3650);

  /** For hosts whose clocks are behind. */
  private static final Duration BACKDATED = Duration.ofHours(1);

  /**
   * Reads the identity, or makes it if the directory holds none.
   *
   * @throws IOException naming the file that cannot be read or written, or that is missing
   */
  static DiscoveryIdentity loadOrCreate(Path directory, InstantSource clock) throws IOException {
    Path keyFile = directory.resolve(KEY_FILE);
    Path certificateFile = directory.resolve(CERTIFICATE_FILE);
    if (!Files.exists(certificateFile)) {
      // The certificate is written last: a key without one is the rest of a start that broke off.
      DiscoveryIdentity made = create(clock.instant());
      SecureFiles.write(keyFile, Pem.encode(made.key).getBytes(StandardCharsets.US_ASCII));
      SecureFiles.write(
          certificateFile, Pem.encode(made.certificate).getBytes(StandardCharsets.US_ASCII));
    }
    List<X509Certificate> chain = Pem.readCertificates(certificateFile);
    return new DiscoveryIdentity(Pem.readPrivateKey(keyFile), chain.get(0));
  }

  /** What colonies pin. */
  Fingerprint fingerprint() {
    try {
      return Fingerprint.of(certificate.getEncoded());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("a parsed certificate can be encoded", e);
    }
  }

  @Override
  public String toString() {
    return fingerprint().value();
  }

  @SuppressWarnings("JavaUtilDate") // the builder takes no other
  private static DiscoveryIdentity create(Instant now) throws IOException {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(256);
      KeyPair keys = generator.generateKeyPair();
      X500Name subject = new X500Name("CN=Coral Discovery");
      JcaX509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              subject,
              new BigInteger(127, new SecureRandom()).setBit(126), // positive, 16 bytes
              Date.from(now.minus(BACKDATED)),
              Date.from(now.plus(VALIDITY)),
              subject,
              keys.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
      builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
      builder.addExtension(
          Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
      builder.addExtension(
          Extension.subjectAlternativeName,
          false,
          new GeneralNames(new GeneralName(GeneralName.dNSName, "localhost")));
      X509Certificate certificate =
          new JcaX509CertificateConverter()
              .getCertificate(
                  builder.build(
                      new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
      return new DiscoveryIdentity(keys.getPrivate(), certificate);
    } catch (GeneralSecurityException | OperatorCreationException e) {
      throw new IllegalStateException("every Java runtime signs with P-256", e);
    }
  }
}
