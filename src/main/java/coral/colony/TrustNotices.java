package coral.colony;

import coral.certificate.TrustBundle;
import coral.model.AgentId;
import coral.session.Notice;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * What agents are told of the roots that they have to trust, and which of them have said that they
 * do. What an agent has said lives as long as this process: it says it again with its next session,
 * to which the present bundle is always told. Thread-safe.
 */
final class TrustNotices {
  private final Supplier<TrustBundle> bundle;
  private final Map<AgentId, Long> taken = new ConcurrentHashMap<>();

  /**
   * @param bundle the present one; must not block
   */
  TrustNotices(Supplier<TrustBundle> bundle) {
    this.bundle = bundle;
  }

  /** The present bundle, as agents are told of it. */
  Notice.TrustBundle present() {
    TrustBundle present = bundle.get();
    return new Notice.TrustBundle(present.version(), present.pem());
  }

  /**
   * An agent has a bundle on disk. A version that was never told is ignored: an agent is believed
   * to have at most what there is.
   */
  void taken(AgentId agentId, long version) {
    if (version >= 1 && version <= bundle.get().version()) {
      taken.merge(agentId, version, Math::max);
    }
  }

  /** How many of these agents have the present bundle. */
  long haveTaken(Collection<AgentId> agents) {
    long present = bundle.get().version();
    return agents.stream().filter(agent -> taken.getOrDefault(agent, 0L) >= present).count();
  }

  /** Forgets an agent that is no member any more. */
  void forget(AgentId agentId) {
    taken.remove(agentId);
  }
}
