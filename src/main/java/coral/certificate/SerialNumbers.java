package coral.certificate;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.HexFormat;

/** Serial numbers of certificates. */
public final class SerialNumbers {
  private static final int LENGTH = 16;
  private static final SecureRandom RANDOM = new SecureRandom();

  private SerialNumbers() {}

  /**
   * A new serial number: 126 random bits behind the bits 01, so that it is positive and always has
   * 16 octets (RFC 5280, section 4.1.2.2, allows 20; the CA/Browser Forum's baseline requirements,
   * section 7.1, ask for 64 random bits).
   */
  public static BigInteger next() {
    byte[] bytes = new byte[LENGTH];
    RANDOM.nextBytes(bytes);
    bytes[0] = (byte) ((bytes[0] & 0x3f) | 0x40);
    return new BigInteger(1, bytes);
  }

  /** A serial number in lower-case hexadecimal digits, two per octet: its form in records. */
  public static String hex(BigInteger serial) {
    return HexFormat.of().formatHex(serial.toByteArray());
  }
}
