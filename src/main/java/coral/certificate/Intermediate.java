package coral.certificate;

import java.security.cert.X509Certificate;

/**
 * An intermediate authority, which a root has signed and which signs leaves.
 *
 * @param key its name in {@link AuthorityKeys}
 * @param generation counts the intermediates of this kind of one root from 1
 */
public record Intermediate(String key, Kind kind, int generation, X509Certificate certificate) {
  /** What an intermediate may sign for. One that is stolen makes nothing of the other kind. */
  public enum Kind {
    /** The colony's own certificates, as a server. */
    SERVER("server", "Coral Server CA"),
    /** Agents, proxies and people, and nodes where they are clients. */
    CLIENT("agent", "Coral Agent CA");

    private final String label;
    private final String commonName;

    Kind(String label, String commonName) {
      this.label = label;
      this.commonName = commonName;
    }

    /** As people and the protocol call it. */
    public String label() {
      return label;
    }

    String commonName() {
      return commonName;
    }
  }
}
