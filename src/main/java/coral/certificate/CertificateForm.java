package coral.certificate;

import coral.model.ColonyId;
import java.io.IOException;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.regex.Pattern;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralSubtree;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.NameConstraints;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.bc.BcX509ExtensionUtils;

/**
 * The form of every certificate that a colony's authority makes (RFC 5280, section 4). The words
 * are Coral's own; from a request comes the public key and nothing else.
 */
final class CertificateForm {
  /** RFD 020: 10 years. */
  private static final int ROOT_YEARS = 10;

  /** Twice the time after which it is followed: a leaf of a year never outlives it. */
  static final Duration INTERMEDIATE_VALIDITY = Duration.ofDays(730);

  /** An answer is signed by a key that is made at start and never written down. */
  static final Duration RESPONDER_VALIDITY = Duration.ofDays(7);

  private static final String ROOT_COMMON_NAME = "Coral Colony CA";

  /** What RFC 5280, section 4.2.1.10, can constrain the host of a URI to. */
  private static final Pattern HOST = Pattern.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?");

  private final X509v3CertificateBuilder builder;
  private final SubjectPublicKeyInfo subjectKey;
  private final BcX509ExtensionUtils identifiers = new BcX509ExtensionUtils();

  private CertificateForm(
      X500Name issuer,
      SubjectPublicKeyInfo issuerKey,
      BigInteger serial,
      Instant from,
      Instant until,
      X500Name subject,
      PublicKey key)
      throws IOException {
    this.subjectKey = SubjectPublicKeyInfo.getInstance(key.getEncoded());
    this.builder =
        new X509v3CertificateBuilder(
            issuer, serial, Date.from(from), Date.from(until), subject, subjectKey);
    builder
        .addExtension(
            Extension.subjectKeyIdentifier,
            false,
            identifiers.createSubjectKeyIdentifier(subjectKey))
        .addExtension(
            Extension.authorityKeyIdentifier,
            false,
            identifiers.createAuthorityKeyIdentifier(issuerKey));
  }

  /**
   * A root, which signs itself: 10 years, CN = Coral Colony CA, O = colony id.
   *
   * @param generation 1 for the first root of a colony; every other has its number in its name, so
   *     that no two authorities share one
   */
  static X509Certificate root(ColonyId colonyId, int generation, KeyPair keys, Instant now) {
    Instant from = from(now);
    Instant until = from.atZone(ZoneOffset.UTC).plusYears(ROOT_YEARS).toInstant();
    String commonName = generation == 1 ? ROOT_COMMON_NAME : ROOT_COMMON_NAME + " " + generation;
    X500Name name = name(colonyId, commonName);
    return written(
        () -> {
          CertificateForm form =
              new CertificateForm(
                  name,
                  SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded()),
                  SerialNumbers.next(),
                  from,
                  until,
                  name,
                  keys.getPublic());
          form.authority(new BasicConstraints(true));
          return Issuer.sign(form.builder, keys.getPrivate());
        },
        ProfileCheck::root);
  }

  /**
   * A root as one that another root of the colony vouches for: who trusts only the other reaches
   * what this one signed. Path length 1: an intermediate may follow.
   */
  static X509Certificate cross(Issuer other, X509Certificate root, Instant now) {
    Instant from = from(now);
    Instant until =
        earlier(root.getNotAfter().toInstant(), other.certificate().getNotAfter().toInstant());
    return written(
        () -> {
          CertificateForm form =
              new CertificateForm(
                  other.name(),
                  other.publicKey(),
                  SerialNumbers.next(),
                  from,
                  until,
                  X500Name.getInstance(root.getSubjectX500Principal().getEncoded()),
                  root.getPublicKey());
          form.authority(new BasicConstraints(1));
          return other.sign(form.builder);
        },
        certificate -> ProfileCheck.cross(certificate, root, other.certificate()));
  }

  /**
   * An intermediate: path length 0, good for two years or until the root ends, for one purpose and
   * for names of this colony only.
   */
  static X509Certificate intermediate(
      Issuer root,
      ColonyId colonyId,
      Intermediate.Kind kind,
      String generation,
      PublicKey key,
      Instant now) {
    Instant from = from(now);
    Instant until =
        earlier(from.plus(INTERMEDIATE_VALIDITY), root.certificate().getNotAfter().toInstant());
    if (!from.isBefore(until)) {
      throw new IllegalStateException("the root of " + colonyId + " has ended");
    }
    return written(
        () -> {
          CertificateForm form =
              new CertificateForm(
                  root.name(),
                  root.publicKey(),
                  SerialNumbers.next(),
                  from,
                  until,
                  name(colonyId, kind.commonName() + " " + generation),
                  key);
          form.authority(new BasicConstraints(0));
          form.builder
              .addExtension(Extension.extendedKeyUsage, false, usage(kind))
              .addExtension(Extension.nameConstraints, true, constraints(colonyId, kind));
          return root.sign(form.builder);
        },
        certificate -> ProfileCheck.intermediate(certificate, kind, key, root.certificate()));
  }

  /** A leaf of a profile; read back and checked against it. */
  static X509Certificate leaf(
      Issuer issuer,
      CertificateProfile profile,
      PublicKey key,
      Instant from,
      Instant until,
      BigInteger serial) {
    int usage = KeyUsage.digitalSignature;
    if (key.getAlgorithm().equals("RSA")) {
      usage |= KeyUsage.keyEncipherment;
    }
    KeyUsage keyUsage = new KeyUsage(usage);
    return written(
        () -> {
          CertificateForm form =
              new CertificateForm(
                  issuer.name(),
                  issuer.publicKey(),
                  serial,
                  from,
                  until,
                  name(profile.colonyId(), profile.commonName()),
                  key);
          form.builder
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
              .addExtension(Extension.keyUsage, true, keyUsage)
              .addExtension(Extension.extendedKeyUsage, false, profile.purpose().usage())
              .addExtension(Extension.subjectAlternativeName, false, profile.alternativeNames());
          if (profile.published().isPresent()) {
            for (var extension :
                profile.published().get().extensions(issuer.certificate()).entrySet()) {
              form.builder.addExtension(extension.getKey(), false, extension.getValue());
            }
          }
          return issuer.sign(form.builder);
        },
        certificate -> ProfileCheck.leaf(certificate, profile, key, issuer.certificate()));
  }

  /**
   * Who answers for an issuer (RFC 6960, section 4.2.2.2). Nobody asks whether it is revoked itself
   * (section 4.2.2.2.1): it ends within days.
   */
  static X509Certificate responder(Issuer issuer, ColonyId colonyId, PublicKey key, Instant now) {
    Instant from = from(now);
    Instant until =
        earlier(from.plus(RESPONDER_VALIDITY), issuer.certificate().getNotAfter().toInstant());
    return written(
        () -> {
          CertificateForm form =
              new CertificateForm(
                  issuer.name(),
                  issuer.publicKey(),
                  SerialNumbers.next(),
                  from,
                  until,
                  name(colonyId, "Coral OCSP Responder"),
                  key);
          form.builder
              .addExtension(Extension.basicConstraints, true, new BasicConstraints(false))
              .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature))
              .addExtension(
                  Extension.extendedKeyUsage,
                  true,
                  new ExtendedKeyUsage(KeyPurposeId.id_kp_OCSPSigning))
              .addExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nocheck, false, DERNull.INSTANCE);
          return issuer.sign(form.builder);
        },
        certificate -> ProfileCheck.responder(certificate, key, issuer.certificate()));
  }

  private void authority(BasicConstraints constraints) throws IOException {
    builder
        .addExtension(Extension.basicConstraints, true, constraints)
        .addExtension(
            Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
  }

  /** With the purpose of those who answer for it: some verifiers want it nested too. */
  private static ExtendedKeyUsage usage(Intermediate.Kind kind) {
    return new ExtendedKeyUsage(
        new KeyPurposeId[] {
          switch (kind) {
            case SERVER -> KeyPurposeId.id_kp_serverAuth;
            case CLIENT -> KeyPurposeId.id_kp_clientAuth;
          },
          KeyPurposeId.id_kp_OCSPSigning
        });
  }

  /** URIs of this colony, and for servers no host name but localhost. No address at all. */
  private static NameConstraints constraints(ColonyId colonyId, Intermediate.Kind kind) {
    List<GeneralSubtree> permitted = new ArrayList<>();
    // Subjects, too, but for servers: Go's verifier knows no constraint of them, and what it does
    // not know of a critical extension makes it refuse the chain. No client looks at the subject.
    if (kind == Intermediate.Kind.CLIENT) {
      permitted.add(
          new GeneralSubtree(
              new GeneralName(
                  new X500NameBuilder(BCStyle.INSTANCE)
                      .addRDN(BCStyle.O, colonyId.value())
                      .build())));
    }
    if (HOST.matcher(colonyId.value()).matches()) {
      permitted.add(
          new GeneralSubtree(
              new GeneralName(GeneralName.uniformResourceIdentifier, colonyId.value())));
    }
    // Not for clients: OpenSSL takes an agent's common name for a host's if it has a dot in it, and
    // an agent may be called anything. What signs for clients only cannot make a host anyway.
    if (kind == Intermediate.Kind.SERVER) {
      permitted.add(new GeneralSubtree(new GeneralName(GeneralName.dNSName, "localhost")));
    }
    GeneralSubtree[] excluded = {
      new GeneralSubtree(new GeneralName(GeneralName.iPAddress, new DEROctetString(new byte[8]))),
      new GeneralSubtree(new GeneralName(GeneralName.iPAddress, new DEROctetString(new byte[32])))
    };
    return new NameConstraints(permitted.toArray(new GeneralSubtree[0]), excluded);
  }

  private static X500Name name(ColonyId colonyId, String commonName) {
    return new X500NameBuilder(BCStyle.INSTANCE)
        .addRDN(BCStyle.O, colonyId.value())
        .addRDN(BCStyle.CN, commonName)
        .build();
  }

  private static Instant from(Instant now) {
    return now.minus(Authority.BACKDATE).truncatedTo(ChronoUnit.SECONDS);
  }

  private static Instant earlier(Instant a, Instant b) {
    return a.isBefore(b) ? a : b;
  }

  private interface Writing {
    X509Certificate write() throws IOException;
  }

  private interface Check {
    void check(X509Certificate certificate);
  }

  /** Writes, and lets nothing go that was not read back and checked. */
  private static X509Certificate written(Writing writing, Check check) {
    try {
      X509Certificate certificate = writing.write();
      check.check(certificate);
      return certificate;
    } catch (IOException e) {
      throw new IllegalStateException("the certificate's extensions cannot be encoded", e);
    }
  }
}
