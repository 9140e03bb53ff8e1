package coral.rpc;

import coral.model.Fingerprint;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
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
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Issues any certificate a test asks for, also those that no authority should issue. */
public final class TestAuthority {
  private static final AtomicLong SERIAL = new AtomicLong(1);

  private final KeyPair keys = generate();
  private final X509Certificate root;

  public TestAuthority(String name) throws Exception {
    X500Name subject = new X500Name("CN=" + name);
    Instant now = InstantSource.system().instant();
    var builder =
        new JcaX509v3CertificateBuilder(
            subject,
            BigInteger.valueOf(SERIAL.incrementAndGet()),
            Date.from(now.minus(Duration.ofDays(1))),
            Date.from(now.plus(Duration.ofDays(10))),
            subject,
            keys.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
    builder.addExtension(
        Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
    root =
        new JcaX509CertificateConverter()
            .getCertificate(
                builder.build(
                    new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
  }

  public X509Certificate root() {
    return root;
  }

  public Fingerprint fingerprint() throws Exception {
    return Fingerprint.of(root.getEncoded());
  }

  /** A leaf of one day with the root behind it. */
  public ClientCertificate issue(String subject, String uri, KeyPurposeId purpose)
      throws Exception {
    return issue(subject, List.of(uri), purpose, Duration.ofHours(-1), Duration.ofDays(1));
  }

  /** A leaf with everything chosen; times are relative to now. */
  public ClientCertificate issue(
      String subject, List<String> uris, KeyPurposeId purpose, Duration from, Duration until)
      throws Exception {
    KeyPair leaf = generate();
    Instant now = InstantSource.system().instant();
    var builder =
        new JcaX509v3CertificateBuilder(
            root,
            BigInteger.valueOf(SERIAL.incrementAndGet()),
            Date.from(now.plus(from)),
            Date.from(now.plus(until)),
            new X500Name(subject),
            leaf.getPublic());
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
    builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
    builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose));
    List<GeneralName> names = new ArrayList<>();
    uris.forEach(uri -> names.add(new GeneralName(GeneralName.uniformResourceIdentifier, uri)));
    names.add(new GeneralName(GeneralName.dNSName, "localhost"));
    builder.addExtension(
        Extension.subjectAlternativeName,
        false,
        new GeneralNames(names.toArray(new GeneralName[0])));
    X509Certificate certificate =
        new JcaX509CertificateConverter()
            .getCertificate(
                builder.build(
                    new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
    return new ClientCertificate(leaf.getPrivate(), List.of(certificate, root));
  }

  /** A server of a colony. */
  public ClientCertificate server(String colony) throws Exception {
    return issue(
        "CN=colony,O=" + colony, "spiffe://" + colony + "/colony", KeyPurposeId.id_kp_serverAuth);
  }

  /** An agent of a colony. */
  public ClientCertificate agent(String colony, String agent) throws Exception {
    return issue(
        "CN=" + agent + ",O=" + colony,
        "spiffe://" + colony + "/agent/" + agent,
        KeyPurposeId.id_kp_clientAuth);
  }

  /** An administrator of a colony. */
  public ClientCertificate administrator(String colony, String name) throws Exception {
    return issue(
        "CN=" + name + ",O=" + colony,
        "spiffe://" + colony + "/admin/" + name,
        KeyPurposeId.id_kp_clientAuth);
  }

  private static KeyPair generate() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(256);
      return generator.generateKeyPair();
    } catch (java.security.GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }
}
