package coral.rpc;

import coral.model.Fingerprint;
import java.security.cert.CertificateException;

/** The server showed another certificate than the one that is pinned. */
public final class PinMismatchException extends CertificateException {
  private static final long serialVersionUID = 1L;

  private final transient Fingerprint expected;
  private final transient Fingerprint actual;

  PinMismatchException(Fingerprint expected, Fingerprint actual) {
    super("the server shows " + actual + ", not " + expected + " as pinned");
    this.expected = expected;
    this.actual = actual;
  }

  /** What is pinned. */
  public Fingerprint expected() {
    return expected;
  }

  /** What the server showed in its place. */
  public Fingerprint actual() {
    return actual;
  }
}
