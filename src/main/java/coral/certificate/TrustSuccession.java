package coral.certificate;

import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.HashSet;
import java.util.Optional;

/**
 * Whether a trust bundle may take the place of what is trusted already. Who hands a bundle on has
 * proved no more than that an intermediate signed its certificate; new roots need the word of a
 * root, which is a cross-certificate (RFC 4210, section 4.4).
 */
public final class TrustSuccession {
  /**
   * A colony's bundle changes two or three times while its root is replaced, and nobody is away for
   * hundreds of replacements. Whoever could set any version could set the highest there is, and
   * nobody would take another bundle ever after.
   */
  public static final long MAX_STEP = 1_000;

  /** Of {@link X509Certificate#getKeyUsage}. */
  private static final int KEY_CERT_SIGN = 5;

  private TrustSuccession() {}

  /** Why a bundle does not follow another, by its version; empty if it does, or is the same. */
  public static Optional<String> outOfOrder(TrustBundle kept, TrustBundle offered) {
    if (offered.version() < kept.version()) {
      return Optional.of(
          "its version is " + offered.version() + ", and " + kept.version() + " is trusted");
    }
    if (offered.version() - kept.version() > MAX_STEP) {
      return Optional.of(
          "its version is "
              + offered.version()
              + ", more than "
              + MAX_STEP
              + " steps from "
              + kept.version());
    }
    boolean sameRoots = new HashSet<>(offered.roots()).equals(new HashSet<>(kept.roots()));
    return offered.version() == kept.version() && !sameRoots
        ? Optional.of("another bundle of version " + kept.version() + " is trusted")
        : Optional.empty();
  }

  /**
   * Why a bundle is not to be believed by whoever trusts these roots; empty if each of its roots is
   * one of them, or has the word of one of them.
   */
  public static Optional<String> unvouched(
      Collection<X509Certificate> trusted, TrustBundle offered, Instant now) {
    for (X509Certificate root : offered.roots()) {
      if (!trusted.contains(root)
          && offered.crossCertificates().stream()
              .noneMatch(cross -> vouchesFor(root, cross, trusted, now))) {
        return Optional.of(
            "no root that is trusted has signed " + root.getSubjectX500Principal().getName());
      }
    }
    return Optional.empty();
  }

  /**
   * The beginning of its time is not looked at: the clock here may be slow, and nothing is won by
   * somebody who waits. An authority that may have no other below it, as every intermediate is,
   * signs no root.
   */
  private static boolean vouchesFor(
      X509Certificate root,
      X509Certificate cross,
      Collection<X509Certificate> trusted,
      Instant now) {
    return cross.getSubjectX500Principal().equals(root.getSubjectX500Principal())
        && cross.getPublicKey().equals(root.getPublicKey())
        && cross.getBasicConstraints() >= 1
        && signsCertificates(cross)
        && signsCertificates(root)
        && isSelfSigned(root)
        && now.isBefore(cross.getNotAfter().toInstant())
        && trusted.stream()
            .anyMatch(
                voucher ->
                    now.isBefore(voucher.getNotAfter().toInstant()) && isSignedBy(cross, voucher));
  }

  private static boolean isSelfSigned(X509Certificate root) {
    return root.getBasicConstraints() >= 1 && isSignedBy(root, root);
  }

  private static boolean signsCertificates(X509Certificate authority) {
    boolean[] usage = authority.getKeyUsage();
    return usage != null && usage.length > KEY_CERT_SIGN && usage[KEY_CERT_SIGN];
  }

  private static boolean isSignedBy(X509Certificate certificate, X509Certificate issuer) {
    if (!certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) {
      return false;
    }
    try {
      certificate.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
