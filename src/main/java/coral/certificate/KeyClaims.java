package coral.certificate;

import coral.model.AgentId;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which agent a key belongs to, by the certificates that are remembered: a key is never two
 * agents'.
 */
final class KeyClaims {
  private record Claim(AgentId agentId, int certificates) {}

  private final Map<String, Claim> claims = new HashMap<>();

  /** The agent that has, or had, a certificate for this key. */
  Optional<AgentId> holder(String keyHash) {
    return Optional.ofNullable(claims.get(keyHash)).map(Claim::agentId);
  }

  /**
   * Counts one more certificate for the key.
   *
   * @throws IllegalStateException if the key is another agent's
   */
  void claim(AgentId agentId, String keyHash) {
    @Nullable Claim known = claims.get(keyHash);
    if (known != null && !known.agentId().equals(agentId)) {
      throw new IllegalStateException(
          "the key " + keyHash + " of " + agentId + " belongs to " + known.agentId());
    }
    claims.put(keyHash, new Claim(agentId, known == null ? 1 : known.certificates() + 1));
  }

  /** Counts one less: the certificate was forgotten. */
  void release(String keyHash) {
    claims.computeIfPresent(
        keyHash,
        (key, claim) ->
            claim.certificates() == 1
                ? null
                : new Claim(claim.agentId(), claim.certificates() - 1));
  }
}
