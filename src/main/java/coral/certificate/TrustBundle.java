package coral.certificate;

import coral.files.Pem;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * The roots that a colony's agents have to trust, all of them.
 *
 * @param version from 1 on, higher with every change
 * @param roots the one that signs first; one, or two while a root follows another
 */
public record TrustBundle(long version, List<X509Certificate> roots) {
  public TrustBundle {
    roots = List.copyOf(roots);
    if (version < 1 || roots.isEmpty()) {
      throw new IllegalArgumentException("a trust bundle has a version from 1 on, and a root");
    }
  }

  /** The roots as text. */
  public String pem() {
    return Pem.encode(roots);
  }
}
