package coral.discovery;

import coral.model.ColonyId;
import coral.model.Secret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Secrets that were proved since this process started, as HMAC-SHA-256 under a key of this process:
 * a renewal costs microseconds in place of an Argon2id, and nothing that outlives the process is
 * weaker for it. One for each mesh id.
 */
final class ProvenSecrets {
  private final Map<ColonyId, byte[]> proofs = new HashMap<>();
  private final SecretKeySpec key;

  ProvenSecrets() {
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    key = new SecretKeySpec(bytes, "HmacSHA256");
  }

  boolean contains(ColonyId meshId, Secret secret) {
    byte[] known = proofs.get(meshId);
    return known != null && MessageDigest.isEqual(known, proof(meshId, secret));
  }

  void add(ColonyId meshId, Secret secret) {
    proofs.put(meshId, proof(meshId, secret));
  }

  void remove(Collection<ColonyId> meshIds) {
    proofs.keySet().removeAll(meshIds);
  }

  private byte[] proof(ColonyId meshId, Secret secret) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      mac.update(meshId.value().getBytes(StandardCharsets.UTF_8));
      mac.update((byte) 0); // no mesh id holds it, so that the two cannot run into each other
      return mac.doFinal(secret.reveal().getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java runtime has HMAC-SHA-256", e);
    }
  }
}
