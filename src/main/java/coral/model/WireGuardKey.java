package coral.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Arrays;
import java.util.Base64;

/**
 * A WireGuard public key: a Curve25519 point of 32 bytes (RFC 7748), written in base64 as {@code
 * wg} does. Private keys are never held by this type.
 */
public final class WireGuardKey {
  /** Bytes in a key. */
  public static final int LENGTH = 32;

  private static final int BASE64_LENGTH = 44;

  private final byte[] bytes;

  private WireGuardKey(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * The key of these bytes.
   *
   * @param bytes exactly 32 bytes, not all zero; copied
   * @throws IllegalArgumentException for anything else
   */
  public static WireGuardKey of(byte[] bytes) {
    if (bytes.length != LENGTH) {
      throw new IllegalArgumentException("a WireGuard key has 32 bytes, not " + bytes.length);
    }
    if (Arrays.equals(bytes, new byte[LENGTH])) {
      throw new IllegalArgumentException("a WireGuard key is not all zeros");
    }
    return new WireGuardKey(bytes.clone());
  }

  /**
   * Reads a key.
   *
   * @param base64 44 characters in the canonical base64 of 32 bytes (RFC 4648, section 4)
   * @throws IllegalArgumentException for anything else
   */
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public static WireGuardKey parse(String base64) {
    if (base64.length() != BASE64_LENGTH) {
      throw new IllegalArgumentException(
          "a WireGuard key has 44 base64 characters, not " + base64.length());
    }
    WireGuardKey key;
    try {
      key = of(Base64.getDecoder().decode(base64));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("not a WireGuard key: " + e.getMessage(), e);
    }
    if (!key.toString().equals(base64)) {
      throw new IllegalArgumentException("not a WireGuard key: its base64 is not canonical");
    }
    return key;
  }

  /** A copy of the 32 bytes. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WireGuardKey key && Arrays.equals(bytes, key.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** The key in base64. */
  @JsonValue
  @Override
  public String toString() {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
