package coral.audit;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/** SHA-256 over parts that follow each other. */
final class Sha256 {
  private static final Pattern HEX = Pattern.compile("[0-9a-f]{64}");

  private Sha256() {}

  /** Whether a text has the form of {@link #hex}. */
  static boolean isHex(String text) {
    return HEX.matcher(text).matches();
  }

  static byte[] of(byte[]... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (byte[] part : parts) {
        digest.update(part);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has SHA-256", e);
    }
  }

  /** In 64 lower-case hexadecimal digits. */
  static String hex(byte[]... parts) {
    return HexFormat.of().formatHex(of(parts));
  }
}
