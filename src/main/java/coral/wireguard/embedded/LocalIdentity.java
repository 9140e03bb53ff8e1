package coral.wireguard.embedded;

import coral.model.WireGuardKey;
import coral.wireguard.KeyPair;
import java.util.Optional;
import org.bouncycastle.math.ec.rfc7748.X25519;

/** This side's static key, with what is derived from it once. */
final class LocalIdentity {
  private final byte[] privateKey;
  private final WireGuardKey publicKey;
  private final byte[] publicBytes;
  private final byte[] mac1Key;

  LocalIdentity(KeyPair keys) {
    privateKey = keys.privateKeyBytes();
    publicKey = keys.publicKey();
    publicBytes = publicKey.toBytes();
    mac1Key = mac1Key(publicBytes);
  }

  WireGuardKey publicKey() {
    return publicKey;
  }

  byte[] publicBytes() {
    return publicBytes;
  }

  /** For mac1 of what we receive. */
  byte[] mac1Key() {
    return mac1Key;
  }

  /** DH with our private key; empty if the point is of low order. */
  Optional<byte[]> agree(byte[] point) {
    return agree(privateKey, point);
  }

  /** DH; empty if the point is of low order (RFC 7748, section 6.1: an all-zero result). */
  static Optional<byte[]> agree(byte[] privateKey, byte[] point) {
    byte[] secret = new byte[WireGuardKey.LENGTH];
    return X25519.calculateAgreement(privateKey, 0, point, 0, secret, 0)
        ? Optional.of(secret)
        : Optional.empty();
  }

  /** The key of mac1 in messages to the owner of a public key (section 5.4.4). */
  static byte[] mac1Key(byte[] recipient) {
    return Blake2s.hash(Noise.MAC1_LABEL, recipient);
  }
}
