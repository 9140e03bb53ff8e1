package coral.token;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PublicKey;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The SHA-256 of a key's SubjectPublicKeyInfo, which a token can be bound to (RFC 7800).
 *
 * @param value 64 lower-case hexadecimal digits
 */
public record PublicKeyHash(String value) {
  /** Bytes of a hash. */
  public static final int LENGTH = 32;

  private static final Pattern SYNTAX = Pattern.compile("[0-9a-f]{64}");

  /**
   * @throws IllegalArgumentException if {@code value} is not 64 lower-case hexadecimal digits
   */
  public PublicKeyHash {
    if (!SYNTAX.matcher(value).matches()) {
      throw new IllegalArgumentException("a key's hash has 64 lower-case hexadecimal digits");
    }
  }

  /**
   * The hash of these bytes.
   *
   * @throws IllegalArgumentException unless there are 32
   */
  public static PublicKeyHash of(byte[] digest) {
    if (digest.length != LENGTH) {
      throw new IllegalArgumentException("a key's SHA-256 has 32 bytes, not " + digest.length);
    }
    return new PublicKeyHash(HexFormat.of().formatHex(digest));
  }

  /** The hash of this key. */
  public static PublicKeyHash of(PublicKey key) {
    return of(sha256(key.getEncoded()));
  }

  /** The 32 bytes. */
  public byte[] toBytes() {
    return HexFormat.of().parseHex(value);
  }

  static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
