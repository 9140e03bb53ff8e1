package coral.certificate;

import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.SubjectKeyIdentifier;

/**
 * The last look at a certificate before it leaves: read back by another parser than the one that
 * wrote it, it must say what its profile says and nothing more. A failure is a defect of Coral.
 */
final class ProfileCheck {
  static final String BASIC_CONSTRAINTS = "2.5.29.19";
  static final String KEY_USAGE = "2.5.29.15";
  static final String EXTENDED_KEY_USAGE = "2.5.29.37";
  static final String SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
  static final String SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
  static final String AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
  static final String NAME_CONSTRAINTS = "2.5.29.30";

  /** RFC 5280, section 4.1.2.2. */
  private static final int MAX_SERIAL_OCTETS = 20;

  private static final int URI_NAME = 6;
  private static final int DNS_NAME = 2;

  private final X509Certificate certificate;

  private ProfileCheck(X509Certificate certificate) {
    this.certificate = certificate;
  }

  /**
   * Checks a leaf.
   *
   * @throws IllegalStateException saying what is wrong with it
   */
  static void leaf(
      X509Certificate certificate,
      CertificateProfile profile,
      PublicKey subjectKey,
      X509Certificate issuer) {
    ProfileCheck check = new ProfileCheck(certificate);
    check.common(issuer);
    check.require(
        certificate.getPublicKey().equals(subjectKey), "its key is not the one it was made for");
    check.require(
        certificate.getSubjectX500Principal().equals(new X500Principal(profile.subject())),
        "its subject is not " + profile.subject());
    check.require(certificate.getBasicConstraints() == -1, "it is an authority");
    Set<String> others =
        new HashSet<>(
            Set.of(
                EXTENDED_KEY_USAGE,
                SUBJECT_ALTERNATIVE_NAME,
                SUBJECT_KEY_IDENTIFIER,
                AUTHORITY_KEY_IDENTIFIER));
    profile
        .published()
        .ifPresent(
            urls ->
                urls.extensions(issuer)
                    .forEach(
                        (oid, expected) -> {
                          others.add(oid.getId());
                          check.require(
                              Arrays.equals(
                                  extension(certificate, oid.getId()),
                                  RevocationUrls.encoded(expected)),
                              "it says wrongly where its end is published");
                        }));
    check.requireExtensions(Set.of(BASIC_CONSTRAINTS, KEY_USAGE), others);
    boolean isRsa = subjectKey.getAlgorithm().equals("RSA");
    check.requireKeyUsage(isRsa ? Set.of(0, 2) : Set.of(0));
    check.requireNames(profile);
    check.requirePurposes(profile.purpose().oids());
    check.requireNotOutlivedBy(issuer);
  }

  /**
   * Checks a root.
   *
   * @throws IllegalStateException saying what is wrong with it
   */
  static void root(X509Certificate certificate) {
    ProfileCheck check = new ProfileCheck(certificate);
    check.common(certificate);
    check.requireAuthority(Integer.MAX_VALUE, Set.of(BASIC_CONSTRAINTS, KEY_USAGE), Set.of());
  }

  /**
   * Checks a root that another vouches for.
   *
   * @throws IllegalStateException saying what is wrong with it
   */
  static void cross(X509Certificate certificate, X509Certificate root, X509Certificate issuer) {
    ProfileCheck check = new ProfileCheck(certificate);
    check.common(issuer);
    check.require(
        certificate.getPublicKey().equals(root.getPublicKey())
            && certificate.getSubjectX500Principal().equals(root.getSubjectX500Principal()),
        "it is not of the root it was made for");
    check.requireAuthority(1, Set.of(BASIC_CONSTRAINTS, KEY_USAGE), Set.of());
    check.requireNotOutlivedBy(issuer);
  }

  /**
   * Checks an intermediate.
   *
   * @throws IllegalStateException saying what is wrong with it
   */
  static void intermediate(
      X509Certificate certificate,
      Intermediate.Kind kind,
      PublicKey subjectKey,
      X509Certificate issuer) {
    ProfileCheck check = new ProfileCheck(certificate);
    check.common(issuer);
    check.require(
        certificate.getPublicKey().equals(subjectKey), "its key is not the one it was made for");
    check.requireAuthority(
        0, Set.of(BASIC_CONSTRAINTS, KEY_USAGE, NAME_CONSTRAINTS), Set.of(EXTENDED_KEY_USAGE));
    check.requirePurposes(
        List.of(
            switch (kind) {
              case SERVER -> KeyPurposeId.id_kp_serverAuth.getId();
              case CLIENT -> KeyPurposeId.id_kp_clientAuth.getId();
            },
            KeyPurposeId.id_kp_OCSPSigning.getId()));
    check.requireNotOutlivedBy(issuer);
  }

  /**
   * Checks who answers for an issuer.
   *
   * @throws IllegalStateException saying what is wrong with it
   */
  static void responder(X509Certificate certificate, PublicKey subjectKey, X509Certificate issuer) {
    ProfileCheck check = new ProfileCheck(certificate);
    check.common(issuer);
    check.require(
        certificate.getPublicKey().equals(subjectKey), "its key is not the one it was made for");
    check.require(certificate.getBasicConstraints() == -1, "it is an authority");
    check.requireExtensions(
        Set.of(BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE),
        Set.of(
            SUBJECT_KEY_IDENTIFIER,
            AUTHORITY_KEY_IDENTIFIER,
            OCSPObjectIdentifiers.id_pkix_ocsp_nocheck.getId()));
    check.requireKeyUsage(Set.of(0));
    check.requirePurposes(List.of(KeyPurposeId.id_kp_OCSPSigning.getId()));
    check.requireNotOutlivedBy(issuer);
  }

  private void requireAuthority(int pathLength, Set<String> critical, Set<String> others) {
    require(
        certificate.getBasicConstraints() == pathLength,
        "it is not an authority of path length " + pathLength);
    Set<String> more = new HashSet<>(others);
    more.add(SUBJECT_KEY_IDENTIFIER);
    more.add(AUTHORITY_KEY_IDENTIFIER);
    requireExtensions(critical, more);
    requireKeyUsage(Set.of(5, 6));
  }

  private void requireExtensions(Set<String> critical, Set<String> others) {
    require(
        certificate.getCriticalExtensionOIDs().equals(critical),
        "its critical extensions are not " + critical);
    require(
        certificate.getNonCriticalExtensionOIDs().equals(others),
        "it has other extensions than its profile");
  }

  private void requirePurposes(List<String> expected) {
    try {
      require(
          expected.equals(certificate.getExtendedKeyUsage()),
          "its extended key usage is not " + expected);
    } catch (CertificateParsingException e) {
      throw new IllegalStateException(defect("its extended key usage cannot be read"), e);
    }
  }

  private void requireNotOutlivedBy(X509Certificate issuer) {
    require(
        !certificate.getNotAfter().toInstant().isAfter(issuer.getNotAfter().toInstant()),
        "it outlives its issuer");
  }

  private void common(X509Certificate issuer) {
    require(certificate.getVersion() == 3, "it is not of version 3");
    require(
        certificate.getSerialNumber().signum() > 0
            && certificate.getSerialNumber().toByteArray().length <= MAX_SERIAL_OCTETS,
        "its serial number is not 1 to 20 octets");
    require(
        certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal()),
        "its issuer is another");
    require(
        certificate.getNotBefore().toInstant().isBefore(certificate.getNotAfter().toInstant()),
        "it ends before it begins");
    try {
      PublicKeys.verify(certificate, issuer.getPublicKey());
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IllegalStateException(defect("its signature is not its issuer's"), e);
    }
    require(
        SubjectKeyIdentifier.getInstance(extension(certificate, SUBJECT_KEY_IDENTIFIER))
                .getKeyIdentifier()
                .length
            > 0,
        "it has no subject key identifier");
    require(
        Arrays.equals(
            AuthorityKeyIdentifier.getInstance(extension(certificate, AUTHORITY_KEY_IDENTIFIER))
                .getKeyIdentifierOctets(),
            SubjectKeyIdentifier.getInstance(extension(issuer, SUBJECT_KEY_IDENTIFIER))
                .getKeyIdentifier()),
        "its authority key identifier is not its issuer's");
  }

  private void requireNames(CertificateProfile profile) {
    Set<List<?>> expected = new HashSet<>();
    expected.add(List.of(URI_NAME, profile.uri().toString()));
    for (String name : profile.dnsNames()) {
      expected.add(List.of(DNS_NAME, name));
    }
    try {
      var names = certificate.getSubjectAlternativeNames();
      require(
          names != null && names.size() == expected.size() && expected.containsAll(names),
          "its alternative names are not " + expected);
    } catch (CertificateParsingException e) {
      throw new IllegalStateException(defect("its names cannot be read"), e);
    }
  }

  /** The bits of RFC 5280, section 4.2.1.3. */
  private void requireKeyUsage(Set<Integer> expected) {
    boolean[] usage = certificate.getKeyUsage();
    Set<Integer> actual = new HashSet<>();
    for (int bit = 0; usage != null && bit < usage.length; bit++) {
      if (usage[bit]) {
        actual.add(bit);
      }
    }
    require(actual.equals(expected), "its key usage is " + actual + ", not " + expected);
  }

  private static byte[] extension(X509Certificate certificate, String oid) {
    byte[] wrapped = certificate.getExtensionValue(oid);
    if (wrapped == null) {
      throw new IllegalStateException("the certificate lacks the extension " + oid);
    }
    return ASN1OctetString.getInstance(wrapped).getOctets();
  }

  private void require(boolean holds, String defect) {
    if (!holds) {
      throw new IllegalStateException(defect(defect));
    }
  }

  private String defect(String defect) {
    return "the certificate of "
        + certificate.getSubjectX500Principal()
        + " must not be used: "
        + defect;
  }
}
