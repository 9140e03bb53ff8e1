package coral.discovery;

import coral.model.Secret;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/** Argon2id (RFC 9106) of a secret, written as a PHC string. Takes about 20 ms of a core. */
final class SecretHash {
  /** OWASP's password storage cheat sheet: 19 MiB, two passes, one lane. */
  private static final int MEMORY_KIB = 19456;

  private static final int PASSES = 2;
  private static final int SALT_BYTES = 16;
  private static final int TAG_BYTES = 32;

  private static final String PREFIX = "$argon2id$v=19$m=" + MEMORY_KIB + ",t=" + PASSES + ",p=1$";

  /** The costs are ours and never read from a stored text, which could name any. */
  private static final Pattern SYNTAX =
      Pattern.compile(Pattern.quote(PREFIX) + "([A-Za-z0-9+/]{22})\\$([A-Za-z0-9+/]{43})");

  private static final SecureRandom RANDOM = new SecureRandom();

  private SecretHash() {}

  /** A new hash, with a salt of its own. */
  static String of(Secret secret) {
    byte[] salt = new byte[SALT_BYTES];
    RANDOM.nextBytes(salt);
    return write(secret, Base64.getEncoder().withoutPadding().encodeToString(salt));
  }

  /**
   * The hash with the salt of another. It equals the other if the secrets do, and both can be
   * searched for a secret at the price of one.
   *
   * @throws IllegalArgumentException if the other is not one that this class wrote
   */
  static String withSaltOf(String hash, Secret secret) {
    return write(secret, parts(hash).group(1));
  }

  /**
   * The one of some hashes that is of this secret. Computes once for each salt among them,
   * whichever it is.
   *
   * @throws IllegalArgumentException if one is not a text that this class wrote
   */
  static Optional<String> among(List<String> hashes, Secret secret) {
    Map<String, byte[]> tags = new HashMap<>();
    Optional<String> found = Optional.empty();
    for (String hash : hashes) {
      Matcher parts = parts(hash);
      byte[] actual = tags.computeIfAbsent(parts.group(1), salt -> tag(secret, salt));
      if (MessageDigest.isEqual(Base64.getDecoder().decode(parts.group(2)), actual)) {
        found = Optional.of(hash);
      }
    }
    return found;
  }

  private static Matcher parts(String hash) {
    Matcher parts = SYNTAX.matcher(hash);
    if (!parts.matches()) {
      throw new IllegalArgumentException("not an Argon2id hash with the costs in use");
    }
    return parts;
  }

  private static String write(Secret secret, String salt) {
    return PREFIX
        + salt
        + "$"
        + Base64.getEncoder().withoutPadding().encodeToString(tag(secret, salt));
  }

  private static byte[] tag(Secret secret, String salt) {
    Argon2BytesGenerator generator = new Argon2BytesGenerator();
    generator.init(
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withVersion(Argon2Parameters.ARGON2_VERSION_13)
            .withMemoryAsKB(MEMORY_KIB)
            .withIterations(PASSES)
            .withParallelism(1)
            .withSalt(Base64.getDecoder().decode(salt))
            .build());
    byte[] tag = new byte[TAG_BYTES];
    generator.generateBytes(secret.reveal().getBytes(StandardCharsets.UTF_8), tag);
    return tag;
  }
}
