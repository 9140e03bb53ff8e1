package coral.colony;

import coral.certificate.Authority;
import coral.certificate.TrustBundle;
import coral.model.AgentId;
import coral.session.Notice;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What agents are told of the roots that they have to trust, which of them have said that they do,
 * and by which root's certificate each has come. What is known of an agent lives as long as this
 * process: it says it again with its next session, to which the present bundle is always told.
 * Thread-safe.
 */
final class TrustNotices {
  private final Authority authority;
  private final Map<AgentId, Long> taken = new ConcurrentHashMap<>();

  /** Whose intermediate, or root, signed the certificate of an agent's last session. */
  private final Map<AgentId, X509Certificate> issuers = new ConcurrentHashMap<>();

  TrustNotices(Authority authority) {
    this.authority = authority;
  }

  /** The present bundle, as agents are told of it. */
  Notice.TrustBundle present() {
    TrustBundle present = authority.trustBundle();
    return new Notice.TrustBundle(present.version(), present.pem(), present.crossPem());
  }

  /**
   * An agent has a bundle on disk. A version that was never told is ignored: an agent is believed
   * to have at most what there is.
   */
  void taken(AgentId agentId, long version) {
    if (version >= 1 && version <= authority.trustBundle().version()) {
      taken.merge(agentId, version, Math::max);
    }
  }

  /** An agent opens a session with this certificate. */
  void opened(AgentId agentId, X509Certificate certificate) {
    issuers.put(agentId, issuer(certificate));
  }

  /** Whether a certificate of this colony comes from the root that signs now. */
  boolean isOfActiveRoot(X509Certificate certificate) {
    return isActive(issuer(certificate));
  }

  /** How many of these agents have the present bundle. */
  int haveTaken(Collection<AgentId> agents) {
    long present = authority.trustBundle().version();
    return (int) agents.stream().filter(agent -> taken.getOrDefault(agent, 0L) >= present).count();
  }

  /** How many of these agents have come with a certificate of the root that signs now. */
  int areOnActiveRoot(Collection<AgentId> agents) {
    return (int)
        agents.stream()
            .map(issuers::get)
            .filter(issuer -> issuer != null && isActive(issuer))
            .count();
  }

  /** Forgets an agent that is no member any more. */
  void forget(AgentId agentId) {
    taken.remove(agentId);
    issuers.remove(agentId);
  }

  private boolean isActive(X509Certificate issuer) {
    return issuer.equals(authority.certificate())
        || authority.intermediates().stream()
            .anyMatch(intermediate -> intermediate.certificate().equals(issuer));
  }

  /** The intermediate; the certificate itself if a root signed it before there were any. */
  private X509Certificate issuer(X509Certificate certificate) {
    List<X509Certificate> chain = authority.chain(certificate);
    return chain.get(chain.size() - 1);
  }
}
