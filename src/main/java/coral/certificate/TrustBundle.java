package coral.certificate;

import coral.files.Pem;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * The roots that a colony's agents have to trust, all of them.
 *
 * @param version from 1 on, higher with every change
 * @param roots the one that signs first; one, or two while a root follows another
 * @param crossCertificates roots as another root has signed them, by which {@link TrustSuccession}
 *     believes a root that it does not know; may be empty
 */
public record TrustBundle(
    long version, List<X509Certificate> roots, List<X509Certificate> crossCertificates) {
  public TrustBundle {
    roots = List.copyOf(roots);
    crossCertificates = List.copyOf(crossCertificates);
    if (version < 1 || roots.isEmpty()) {
      throw new IllegalArgumentException("a trust bundle has a version from 1 on, and a root");
    }
  }

  /** Of roots that are known already. */
  public TrustBundle(long version, List<X509Certificate> roots) {
    this(version, roots, List.of());
  }

  /** The roots as text. */
  public String pem() {
    return Pem.encode(roots);
  }

  /** The cross-certificates as text; empty if there are none. */
  public String crossPem() {
    return Pem.encode(crossCertificates);
  }
}
