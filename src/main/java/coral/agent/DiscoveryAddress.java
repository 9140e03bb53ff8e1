package coral.agent;

import coral.model.Fingerprint;
import java.net.URI;
import java.util.Optional;

/**
 * Where discovery is.
 *
 * @param uri {@code https://host:port}, or {@code http://host:port} for a connection in plaintext
 * @param pin of discovery's certificate; empty: any will do for looking colonies up, none for
 *     sending a secret
 */
record DiscoveryAddress(URI uri, Optional<Fingerprint> pin) {

  boolean isPlaintext() {
    return "http".equals(uri.getScheme());
  }

  /** Whether the colony's secret may be shown here: the operator has said whom to believe. */
  boolean isTrusted() {
    return pin.isPresent() || isPlaintext();
  }

  @Override
  public String toString() {
    return uri.toString();
  }
}
