package coral.model;

import java.util.Arrays;
import java.util.Base64;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/** A public key of Ed25519 (RFC 8032), written in base64. Immutable. */
public final class Ed25519PublicKey {
  /** Bytes of a key. */
  public static final int LENGTH = Ed25519.PUBLIC_KEY_SIZE;

  /** Bytes of a signature. */
  public static final int SIGNATURE_LENGTH = Ed25519.SIGNATURE_SIZE;

  private static final int BASE64_LENGTH = 44;

  private final byte[] bytes;

  private Ed25519PublicKey(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * The key of these bytes.
   *
   * @param bytes exactly 32 bytes: a point of the curve, of no small order; copied
   * @throws IllegalArgumentException for anything else
   */
  public static Ed25519PublicKey of(byte[] bytes) {
    if (bytes.length != LENGTH) {
      throw new IllegalArgumentException("an Ed25519 key has 32 bytes, not " + bytes.length);
    }
    if (!Ed25519.validatePublicKeyFull(bytes, 0)) {
      throw new IllegalArgumentException("not an Ed25519 public key");
    }
    return new Ed25519PublicKey(bytes.clone());
  }

  /**
   * Reads a key.
   *
   * @param base64 32 bytes in canonical base64 (RFC 4648, section 4)
   * @throws IllegalArgumentException for anything else
   */
  public static Ed25519PublicKey parse(String base64) {
    if (base64.length() != BASE64_LENGTH) { // nothing longer is decoded
      throw new IllegalArgumentException("an Ed25519 key has 44 base64 characters");
    }
    Ed25519PublicKey key = of(Base64.getDecoder().decode(base64));
    if (!key.toString().equals(base64)) {
      throw new IllegalArgumentException("an Ed25519 key whose base64 is not canonical");
    }
    return key;
  }

  /**
   * Whether the key's owner signed this message; false for a malformed signature. Takes a tenth of
   * a millisecond.
   */
  public boolean verifies(byte[] message, byte[] signature) {
    if (signature.length != SIGNATURE_LENGTH) {
      return false;
    }
    Ed25519Signer verifier = new Ed25519Signer();
    verifier.init(false, new Ed25519PublicKeyParameters(bytes));
    verifier.update(message, 0, message.length);
    return verifier.verifySignature(signature);
  }

  /** A copy of the 32 bytes. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Ed25519PublicKey key && Arrays.equals(bytes, key.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /** The key in base64. */
  @Override
  public String toString() {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
