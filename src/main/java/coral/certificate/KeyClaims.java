package coral.certificate;

import coral.model.AgentId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Which agent id is bound to which key, one to one. */
final class KeyClaims {
  /** Why a binding is impossible. */
  enum Conflict {
    /** The agent id is bound to another key. */
    AGENT_HAS_ANOTHER_KEY,
    /** The key is bound to another agent id. */
    KEY_HAS_ANOTHER_AGENT
  }

  private final Map<AgentId, String> keys = new HashMap<>();
  private final Map<String, AgentId> agents = new HashMap<>();

  /** What keeps this id from being bound to this key; empty if nothing does, or it already is. */
  Optional<Conflict> conflict(AgentId agentId, String keyHash) {
    @Nullable String key = keys.get(agentId);
    if (key != null && !key.equals(keyHash)) {
      return Optional.of(Conflict.AGENT_HAS_ANOTHER_KEY);
    }
    @Nullable AgentId agent = agents.get(keyHash);
    if (agent != null && !agent.equals(agentId)) {
      return Optional.of(Conflict.KEY_HAS_ANOTHER_AGENT);
    }
    return Optional.empty();
  }

  /**
   * Binds the two to each other.
   *
   * @throws IllegalStateException if there is a conflict
   */
  void bind(AgentId agentId, String keyHash) {
    Optional<Conflict> conflict = conflict(agentId, keyHash);
    if (conflict.isPresent()) {
      throw new IllegalStateException(
          "agent " + agentId + " and key " + keyHash + ": " + conflict.get());
    }
    keys.put(agentId, keyHash);
    agents.put(keyHash, agentId);
  }

  /** Forgets a binding that exists. */
  void release(AgentId agentId) {
    @Nullable String key = keys.remove(agentId);
    if (key != null) {
      agents.remove(key);
    }
  }

  boolean contains(AgentId agentId) {
    return keys.containsKey(agentId);
  }

  int size() {
    return keys.size();
  }
}
