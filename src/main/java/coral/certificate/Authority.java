package coral.certificate;

import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Fingerprint;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x500.style.IETFUtils;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.bc.BcX509ExtensionUtils;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * A colony's root: its certificate, and the key that signs all others (RFD 020). Thread-safe.
 *
 * <p>Who holds one can make any certificate. Only the colony's process and {@code init} do; the
 * certificates of agents go through {@link CertificateAuthority}, which records them.
 */
public final class Authority {
  /** The root's certificate in a colony's directory. */
  public static final String CERTIFICATE_FILE = "ca-cert.pem";

  /** The root's private key in a colony's directory. */
  public static final String KEY_FILE = "ca-key.pem";

  /**
   * How far a certificate reaches into the past, for clocks that are slow; step-ca does likewise.
   */
  public static final Duration BACKDATE = Duration.ofSeconds(60);

  /** RFD 020: 10 years. */
  private static final int ROOT_YEARS = 10;

  private static final String ROOT_COMMON_NAME = "Coral Colony CA";

  private final Identity root;
  private final ColonyId colonyId;
  private final X500Name name;
  private final SubjectPublicKeyInfo publicKey;

  private Authority(Identity root) {
    this.root = root;
    ProfileCheck.root(root.certificate());
    this.name = X500Name.getInstance(root.certificate().getSubjectX500Principal().getEncoded());
    this.colonyId = organization(name);
    this.publicKey =
        SubjectPublicKeyInfo.getInstance(root.certificate().getPublicKey().getEncoded());
  }

  /** A new root: RSA-4096, 10 years, CN = Coral Colony CA, O = colony id. Takes up to seconds. */
  public static Authority create(ColonyId colonyId, InstantSource clock) {
    return create(colonyId, clock, KeyType.RSA_4096.generate());
  }

  /** A new root of the given keys, RSA. */
  static Authority create(ColonyId colonyId, InstantSource clock, KeyPair keys) {
    X500Name name =
        new X500NameBuilder(BCStyle.INSTANCE)
            .addRDN(BCStyle.O, colonyId.value())
            .addRDN(BCStyle.CN, ROOT_COMMON_NAME)
            .build();
    Instant from = clock.instant().minus(BACKDATE).truncatedTo(ChronoUnit.SECONDS);
    Instant until = from.atZone(ZoneOffset.UTC).plusYears(ROOT_YEARS).toInstant();
    SubjectPublicKeyInfo key = SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded());
    X509v3CertificateBuilder builder =
        new X509v3CertificateBuilder(
            name, SerialNumbers.next(), Date.from(from), Date.from(until), name, key);
    try {
      BcX509ExtensionUtils identifiers = new BcX509ExtensionUtils();
      builder
          .addExtension(Extension.basicConstraints, true, new BasicConstraints(true))
          .addExtension(
              Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign))
          .addExtension(
              Extension.subjectKeyIdentifier, false, identifiers.createSubjectKeyIdentifier(key))
          .addExtension(
              Extension.authorityKeyIdentifier,
              false,
              identifiers.createAuthorityKeyIdentifier(key));
    } catch (IOException e) {
      throw new IllegalStateException("the root's extensions cannot be encoded", e);
    }
    return new Authority(
        new Identity(keys.getPrivate(), List.of(sign(builder, keys.getPrivate()))));
  }

  /**
   * Reads a root from its two files.
   *
   * @throws IOException naming the file that is missing, open to others or malformed, or that is
   *     not a root of a colony
   */
  public static Authority load(Path directory) throws IOException {
    Identity root = Identity.load(directory.resolve(CERTIFICATE_FILE), directory.resolve(KEY_FILE));
    try {
      return new Authority(root);
    } catch (IllegalStateException | IllegalArgumentException e) {
      throw new IOException(directory.resolve(CERTIFICATE_FILE) + ": " + e.getMessage(), e);
    }
  }

  /**
   * Writes the root to its two files, of mode 0600, in a directory of mode 0700.
   *
   * @throws FileAlreadyExistsException if either exists; then nothing is changed
   */
  public void save(Path directory) throws IOException {
    Path certificate = directory.resolve(CERTIFICATE_FILE);
    if (Files.exists(certificate, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileAlreadyExistsException(
          certificate.toString(), null, "exists and is never overwritten");
    }
    SecureFiles.createDirectory(directory);
    SecureFiles.createNew(
        directory.resolve(KEY_FILE), Pem.encode(root.key()).getBytes(StandardCharsets.US_ASCII));
    SecureFiles.createNew(
        certificate, Pem.encode(root.certificate()).getBytes(StandardCharsets.US_ASCII));
  }

  /** The root's own certificate. */
  public X509Certificate certificate() {
    return root.certificate();
  }

  /** By which agents pin this colony. */
  public Fingerprint fingerprint() {
    try {
      return Fingerprint.of(certificate().getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate without an encoding", e);
    }
  }

  /** The colony that the root was made for. */
  public ColonyId colonyId() {
    return colonyId;
  }

  /**
   * Issues a certificate with a new serial number, good from a minute before {@code now} until
   * {@code now + validity}, or until the root ends.
   *
   * @throws IllegalStateException if the root has ended
   */
  public X509Certificate issue(
      CertificateProfile profile, PublicKey subjectKey, Instant now, Duration validity) {
    return issue(
        profile, subjectKey, now.minus(BACKDATE), validity.plus(BACKDATE), SerialNumbers.next());
  }

  /**
   * Issues a certificate. It has been parsed back and checked against its profile when this
   * returns. Milliseconds of one core.
   *
   * @param subjectKey whose holder has proved possession of the private half
   * @param notBefore cut to a second
   * @param validity positive; cut so that no certificate outlives the root
   * @throws IllegalArgumentException if the profile is another colony's or the validity not
   *     positive
   * @throws IllegalStateException if the root has ended, or the certificate is not what its profile
   *     says
   */
  public X509Certificate issue(
      CertificateProfile profile,
      PublicKey subjectKey,
      Instant notBefore,
      Duration validity,
      BigInteger serial) {
    if (!profile.colonyId().equals(colonyId)) {
      throw new IllegalArgumentException(
          "the root of " + colonyId + " does not sign for " + profile.colonyId());
    }
    if (validity.isNegative() || validity.isZero()) {
      throw new IllegalArgumentException("a certificate's validity is positive, not " + validity);
    }
    Instant from = notBefore.truncatedTo(ChronoUnit.SECONDS);
    Instant rootEnds = certificate().getNotAfter().toInstant();
    Instant asked = from.plus(validity).truncatedTo(ChronoUnit.SECONDS);
    Instant until = asked.isAfter(rootEnds) ? rootEnds : asked;
    if (!from.isBefore(until)) {
      throw new IllegalStateException("the root of " + colonyId + " ended at " + rootEnds);
    }
    SubjectPublicKeyInfo key = SubjectPublicKeyInfo.getInstance(subjectKey.getEncoded());
    X500Name subject =
        new X500NameBuilder(BCStyle.INSTANCE)
            .addRDN(BCStyle.O, colonyId.value())
            .addRDN(BCStyle.CN, profile.commonName())
            .build();
    X509v3CertificateBuilder builder =
        new X509v3CertificateBuilder(name, serial, Date.from(from), Date.from(until), subject, key);
    int usage = KeyUsage.digitalSignature;
    if (subjectKey.getAlgorithm().equals("RSA")) {
      usage |= KeyUsage.keyEncipherment;
    }
    try {
      BcX509ExtensionUtils identifiers = new BcX509ExtensionUtils();
      builder
          .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
          .addExtension(Extension.keyUsage, true, new KeyUsage(usage))
          .addExtension(Extension.extendedKeyUsage, false, profile.purpose().usage())
          .addExtension(Extension.subjectAlternativeName, false, profile.alternativeNames())
          .addExtension(
              Extension.subjectKeyIdentifier, false, identifiers.createSubjectKeyIdentifier(key))
          .addExtension(
              Extension.authorityKeyIdentifier,
              false,
              identifiers.createAuthorityKeyIdentifier(publicKey));
    } catch (IOException e) {
      throw new IllegalStateException("the certificate's extensions cannot be encoded", e);
    }
    X509Certificate certificate = sign(builder, root.key());
    ProfileCheck.leaf(certificate, profile, subjectKey, certificate());
    return certificate;
  }

  private static X509Certificate sign(X509v3CertificateBuilder builder, PrivateKey key) {
    try {
      return Pem.certificate(
          builder
              .build(
                  new JcaContentSignerBuilder(PublicKeys.signatureAlgorithm(key.getAlgorithm()))
                      .build(key))
              .getEncoded());
    } catch (OperatorCreationException | IOException e) {
      throw new IllegalStateException("the root's key cannot sign", e);
    }
  }

  private static ColonyId organization(X500Name name) {
    var organizations = name.getRDNs(BCStyle.O);
    if (organizations.length != 1) {
      throw new IllegalArgumentException("the root's subject does not name one colony");
    }
    return new ColonyId(IETFUtils.valueToString(organizations[0].getFirst().getValue()));
  }

  /** Without the private key. */
  @Override
  public String toString() {
    return "Authority[" + certificate().getSubjectX500Principal() + "]";
  }
}
