package coral.rpc;

import java.security.GeneralSecurityException;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Set;

/** Path validation (RFC 5280, section 6) with one root as the only anchor. */
final class CertificatePaths {
  /** {@code id-kp-serverAuth} (RFC 5280, section 4.2.1.12). */
  static final String SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";

  /** {@code id-kp-clientAuth} (RFC 5280, section 4.2.1.12). */
  static final String CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";

  private CertificatePaths() {}

  /**
   * Checks a chain, its times, and that its leaf is for the given purpose and no authority itself.
   *
   * @param chain the leaf first; the root may be part of it
   * @param purpose an extended key usage that the leaf must state
   */
  static void verify(List<X509Certificate> chain, X509Certificate root, String purpose)
      throws CertificateException {
    X509Certificate leaf = chain.get(0);
    root.checkValidity();
    if (root.getBasicConstraints() < 0) {
      throw new CertificateException("the root is not a certificate authority");
    }
    List<X509Certificate> path = chain.stream().takeWhile(c -> !c.equals(root)).toList();
    if (path.isEmpty()) {
      throw new CertificateException("a certificate authority does not speak for itself");
    }
    try {
      PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(root, null)));
      parameters.setRevocationEnabled(false); // asked of the colony's own index, at every call
      CertPathValidator.getInstance("PKIX")
          .validate(CertificateFactory.getInstance("X.509").generateCertPath(path), parameters);
    } catch (CertPathValidatorException e) {
      throw meaning(e, path);
    } catch (GeneralSecurityException e) {
      throw new CertificateException("the certificate chain cannot be checked", e);
    }
    if (leaf.getBasicConstraints() >= 0) {
      throw new CertificateException("a certificate authority does not speak for itself");
    }
    requirePurpose(leaf, purpose);
  }

  /** Checks that a certificate states a purpose: one without any stated purpose has none here. */
  static void requirePurpose(X509Certificate leaf, String purpose) throws CertificateException {
    List<String> purposes = leaf.getExtendedKeyUsage();
    if (purposes == null || !purposes.contains(purpose)) {
      throw new CertificateException(
          purpose.equals(SERVER_AUTHENTICATION)
              ? "the certificate is not one of a server"
              : "the certificate is not one of a client");
    }
    boolean[] usage = leaf.getKeyUsage();
    if (usage != null && !usage[0]) {
      throw new CertificateException("the certificate's key is not for signatures");
    }
  }

  private static CertificateException meaning(
      CertPathValidatorException e, List<X509Certificate> path) {
    String subject =
        e.getIndex() < 0 ? "" : " of " + path.get(e.getIndex()).getSubjectX500Principal().getName();
    CertificateException meaning;
    if (e.getReason() == BasicReason.EXPIRED) {
      meaning = new CertificateExpiredException("the certificate" + subject + " has expired");
    } else if (e.getReason() == BasicReason.NOT_YET_VALID) {
      meaning =
          new CertificateNotYetValidException("the certificate" + subject + " is not yet valid");
    } else {
      meaning =
          new CertificateException(
              "the certificate" + subject + " does not lead to the trusted authority");
    }
    meaning.initCause(e);
    return meaning;
  }
}
