package coral.proxy;

import coral.model.AgentId;
import coral.rpc.Role;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * What callers without a certificate show as {@code authorization: Bearer ...} (RFC 6750), and whom
 * they are by it. Holds the token's hash alone; compares in a time that tells nothing of it.
 */
public final class AccessToken {
  /** As long as 128 random bits in base64: what can be guessed is no secret. */
  private static final int MIN_LENGTH = 22;

  private static final int MAX_LENGTH = 4096;

  private final byte[] hash;
  private final Role role;
  private final String name;

  private AccessToken(byte[] hash, Role role, String name) {
    this.hash = hash;
    this.role = role;
    this.name = name;
  }

  /**
   * A token.
   *
   * @param token 22 to 4096 visible ASCII characters
   * @param role of its holders: viewer, operator or administrator
   * @param name of its holders in the colony's records; as an agent id
   * @throws IllegalArgumentException for anything else; the message does not hold the token
   */
  public static AccessToken of(String token, Role role, String name) {
    if (token.length() < MIN_LENGTH
        || token.length() > MAX_LENGTH
        || !token.chars().allMatch(c -> c > 0x20 && c < 0x7F)) {
      throw new IllegalArgumentException(
          "an access token has "
              + MIN_LENGTH
              + " to "
              + MAX_LENGTH
              + " visible ASCII characters; `openssl rand -hex 32` makes one");
    }
    if (role == Role.ANYONE || role.isMember()) {
      throw new IllegalArgumentException(
          "the holders of a token are viewers, operators or administrators");
    }
    return new AccessToken(sha256(token), role, new AgentId(name).value());
  }

  /** Whether this is the token. */
  boolean matches(String shown) {
    return MessageDigest.isEqual(hash, sha256(shown));
  }

  /** The role of its holders. */
  public Role role() {
    return role;
  }

  /** The name of its holders. */
  public String name() {
    return name;
  }

  /** Whose it is; nothing of the token. */
  @Override
  public String toString() {
    return "access token of " + role.wireName() + "/" + name;
  }

  private static byte[] sha256(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java runtime has no SHA-256", e);
    }
  }
}
