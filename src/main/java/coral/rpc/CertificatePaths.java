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
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Path validation (RFC 5280, section 6) with a colony's roots as the only anchors. */
final class CertificatePaths {
  /** {@code id-kp-serverAuth} (RFC 5280, section 4.2.1.12). */
  static final String SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";

  /** {@code id-kp-clientAuth} (RFC 5280, section 4.2.1.12). */
  static final String CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";

  /** A leaf, an intermediate, and a root that another root vouches for. */
  private static final int MAX_PATH = 3;

  private CertificatePaths() {}

  /**
   * Checks a chain, its times, its name constraints, and that its leaf is for the given purpose and
   * no authority itself. An intermediate that states purposes signs for no other.
   *
   * @param chain the leaf first, the others in any order; roots may be among them
   * @param roots one of which it has to lead to
   * @param purpose an extended key usage that the leaf must state
   */
  static void verify(List<X509Certificate> chain, Collection<X509Certificate> roots, String purpose)
      throws CertificateException {
    X509Certificate leaf = chain.get(0);
    if (leaf.getBasicConstraints() >= 0) {
      throw new CertificateException("a certificate authority does not speak for itself");
    }
    List<X509Certificate> path = new ArrayList<>(List.of(leaf));
    X509Certificate root = lead(path, chain, roots);
    root.checkValidity();
    if (root.getBasicConstraints() < 0) {
      throw new CertificateException("the root is not a certificate authority");
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
    for (X509Certificate authority : path.subList(1, path.size())) {
      List<String> purposes = authority.getExtendedKeyUsage();
      if (purposes != null && !purposes.contains(purpose)) {
        throw new CertificateException(
            "the certificate" + subject(authority) + " does not sign for this purpose");
      }
    }
    requirePurpose(leaf, purpose);
  }

  /**
   * Completes a path from its leaf until one of the roots is the next, which is returned. Follows
   * names, no two of which are the same in one colony; the signatures are verified afterwards.
   */
  private static X509Certificate lead(
      List<X509Certificate> path, List<X509Certificate> chain, Collection<X509Certificate> roots)
      throws CertificateException {
    while (path.size() <= MAX_PATH) {
      X509Certificate last = path.get(path.size() - 1);
      for (X509Certificate root : roots) {
        if (names(last, root)) {
          return root;
        }
      }
      @Nullable X509Certificate next = null;
      for (X509Certificate candidate : chain) {
        boolean selfIssued =
            candidate.getIssuerX500Principal().equals(candidate.getSubjectX500Principal());
        if (!selfIssued && !path.contains(candidate) && names(last, candidate)) {
          next = candidate;
          break;
        }
      }
      if (next == null) {
        break;
      }
      path.add(next);
    }
    throw new CertificateException(
        "the certificate" + subject(path.get(0)) + " does not lead to the trusted authority");
  }

  private static boolean names(X509Certificate certificate, X509Certificate issuer) {
    return certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal());
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

  private static String subject(X509Certificate certificate) {
    return " of " + certificate.getSubjectX500Principal().getName();
  }

  private static CertificateException meaning(
      CertPathValidatorException e, List<X509Certificate> path) {
    String subject = e.getIndex() < 0 ? "" : subject(path.get(e.getIndex()));
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
