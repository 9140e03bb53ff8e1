package coral.proxy;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.function.Supplier;

/**
 * The roots that the certificates of callers lead to. A proxy learns them from its colony; until
 * then there are none, and no certificate is good. Thread-safe.
 */
public final class CallerRoots implements Supplier<List<X509Certificate>> {
  private volatile List<X509Certificate> roots = List.of();

  /** From the next connection on these. */
  public void replace(List<X509Certificate> next) {
    roots = List.copyOf(next);
  }

  @Override
  public List<X509Certificate> get() {
    return roots;
  }
}
