package coral.discovery;

import coral.model.ColonyId;
import coral.model.Secret;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Secrets that were proved a short while ago, as HMAC-SHA-256 under a key of this process: the next
 * proof costs microseconds in place of an Argon2id, and nothing that outlives the process is weaker
 * for it. What was proved is one hash: when that holds no longer, after a rotation, so does the
 * proof. Safe for use by several threads.
 */
final class ProvenSecrets {
  /** Since its last use. A colony announces itself every minute, and so keeps its own in use. */
  static final Duration LIFETIME = Duration.ofMinutes(5);

  /** The two secrets of as many colonies as a directory may hold. */
  private static final int MAX = 20_000;

  private record Subject(ColonyId meshId, String hash) {}

  private record Proof(String proof, Instant endsAt) {}

  private final Map<Subject, Proof> proofs = new LinkedHashMap<>(16, 0.75f, true);
  private final InstantSource clock;
  private final SecretKeySpec key;

  ProvenSecrets(InstantSource clock) {
    this.clock = clock;
    byte[] bytes = new byte[32];
    new SecureRandom().nextBytes(bytes);
    key = new SecretKeySpec(bytes, "HmacSHA256");
  }

  /** The one of the hashes of which this secret was proved to be; empty if none was. */
  synchronized Optional<String> find(ColonyId meshId, Secret secret, List<String> hashes) {
    String asked = proof(meshId, secret);
    Instant now = clock.instant();
    for (String hash : hashes) {
      Proof known = proofs.get(new Subject(meshId, hash));
      if (known != null
          && now.isBefore(known.endsAt())
          && MessageDigest.isEqual(ascii(known.proof()), ascii(asked))) {
        add(new Subject(meshId, hash), asked, now);
        return Optional.of(hash);
      }
    }
    return Optional.empty();
  }

  /** Takes note that the hash is of this secret. */
  synchronized void add(ColonyId meshId, Secret secret, String hash) {
    add(new Subject(meshId, hash), proof(meshId, secret), clock.instant());
  }

  private void add(Subject subject, String proof, Instant now) {
    proofs.put(subject, new Proof(proof, now.plus(LIFETIME)));
    Iterator<Subject> oldest = proofs.keySet().iterator();
    while (proofs.size() > MAX && oldest.hasNext()) {
      oldest.next();
      oldest.remove();
    }
  }

  private static byte[] ascii(String proof) {
    return proof.getBytes(StandardCharsets.US_ASCII);
  }

  /** The secret as nobody can read it, the same for the same secret of the same colony. */
  String proof(ColonyId meshId, Secret secret) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      mac.update(meshId.value().getBytes(StandardCharsets.UTF_8));
      mac.update((byte) 0); // no mesh id holds it, so that the two cannot run into each other
      byte[] proof = mac.doFinal(secret.reveal().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(proof);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java runtime has HMAC-SHA-256", e);
    }
  }
}
