package coral.rpc;

import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * What one side of a TLS connection proves itself with.
 *
 * @param chain the leaf first; the root may be left out
 */
public record ClientCertificate(PrivateKey key, List<X509Certificate> chain) {
  /**
   * @throws IllegalArgumentException if the chain is empty
   */
  public ClientCertificate {
    chain = List.copyOf(chain);
    if (chain.isEmpty()) {
      throw new IllegalArgumentException("a certificate chain has at least its leaf");
    }
  }

  /** The subject; never the key. */
  @Override
  public String toString() {
    return chain.get(0).getSubjectX500Principal().getName();
  }
}
