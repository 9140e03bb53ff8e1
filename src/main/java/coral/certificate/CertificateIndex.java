package coral.certificate;

import coral.model.ColonyId;
import java.security.cert.X509Certificate;
import java.time.InstantSource;

/** Which client certificates are good now. */
public final class CertificateIndex {
  /**
   * @param root the colony's root
   */
  public CertificateIndex(ColonyId colonyId, X509Certificate root, InstantSource clock) {}

  /** Whether a client may use this certificate now. */
  public boolean accepts(X509Certificate certificate) {
    throw new UnsupportedOperationException();
  }
}
