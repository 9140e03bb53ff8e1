package coral.wireguard;

import coral.model.WireGuardKey;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * A symmetric key that two peers share besides their key pairs (whitepaper, section 5.2). Its
 * {@code toString} hides it.
 */
public final class PresharedKey {
  private final byte[] bytes;

  private PresharedKey(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * A preshared key of its bytes.
   *
   * @param bytes exactly 32 bytes; copied
   * @throws IllegalArgumentException for another length
   */
  public static PresharedKey of(byte[] bytes) {
    if (bytes.length != WireGuardKey.LENGTH) {
      throw new IllegalArgumentException("a preshared key has 32 bytes, not " + bytes.length);
    }
    return new PresharedKey(bytes.clone());
  }

  /** A copy of the 32 bytes. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PresharedKey key && MessageDigest.isEqual(bytes, key.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "(hidden)";
  }
}
