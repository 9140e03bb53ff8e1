package coral.wireguard;

import coral.model.WireGuardKey;
import java.security.SecureRandom;
import org.bouncycastle.math.ec.rfc7748.X25519;

/**
 * A Curve25519 private key with its public key (RFC 7748). Its {@code toString} hides the private
 * half.
 */
public final class KeyPair {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final byte[] privateKey;
  private final WireGuardKey publicKey;

  private KeyPair(byte[] privateKey) {
    this.privateKey = privateKey;
    byte[] point = new byte[WireGuardKey.LENGTH];
    X25519.scalarMultBase(privateKey, 0, point, 0);
    this.publicKey = WireGuardKey.of(point);
  }

  /** A new key pair from the system's secure random numbers. */
  public static KeyPair generate() {
    byte[] scalar = new byte[WireGuardKey.LENGTH];
    RANDOM.nextBytes(scalar);
    return new KeyPair(clamped(scalar));
  }

  /**
   * The key pair of a private key.
   *
   * @param privateKey exactly 32 bytes; copied, and clamped as RFC 7748, section 5 demands
   * @throws IllegalArgumentException for another length
   */
  public static KeyPair ofPrivateKey(byte[] privateKey) {
    if (privateKey.length != WireGuardKey.LENGTH) {
      throw new IllegalArgumentException(
          "a WireGuard private key has 32 bytes, not " + privateKey.length);
    }
    return new KeyPair(clamped(privateKey.clone()));
  }

  public WireGuardKey publicKey() {
    return publicKey;
  }

  /** A copy of the 32 clamped bytes, for the file that keeps them and the handshake. */
  public byte[] privateKeyBytes() {
    return privateKey.clone();
  }

  @Override
  public String toString() {
    return "KeyPair[" + publicKey + ", private key hidden]";
  }

  private static byte[] clamped(byte[] scalar) {
    scalar[0] &= (byte) 248;
    scalar[31] &= 127;
    scalar[31] |= 64;
    return scalar;
  }
}
