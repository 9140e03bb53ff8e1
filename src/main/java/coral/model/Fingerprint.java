package coral.model;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * The SHA-256 of a certificate's DER encoding, by which it is pinned.
 *
 * @param value {@code sha256:} and 64 lower-case hexadecimal digits
 */
public record Fingerprint(String value) {
  private static final Pattern SYNTAX = Pattern.compile("sha256:[0-9a-f]{64}");

  /**
   * @throws IllegalArgumentException if {@code value} does not have the syntax of a fingerprint
   */
  public Fingerprint {
    if (!SYNTAX.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "a fingerprint is 'sha256:' and 64 lower-case hexadecimal digits, not '" + value + "'");
    }
  }

  /** The fingerprint of an encoded certificate. */
  public static Fingerprint of(byte[] der) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(der);
      return new Fingerprint("sha256:" + HexFormat.of().formatHex(digest));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
