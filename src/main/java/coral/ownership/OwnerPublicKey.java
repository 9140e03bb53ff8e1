package coral.ownership;

import java.util.Arrays;
import java.util.Base64;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/** The public half of a colony's owner key: Ed25519 (RFC 8032). Immutable. */
public final class OwnerPublicKey {
  /** Bytes of a key. */
  public static final int LENGTH = Ed25519.PUBLIC_KEY_SIZE;

  /** Bytes of a signature. */
  public static final int SIGNATURE_LENGTH = Ed25519.SIGNATURE_SIZE;

  private final byte[] bytes;

  private OwnerPublicKey(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * The key of these bytes.
   *
   * @param bytes exactly {@link #LENGTH}: a point of the curve, of no small order
   * @throws IllegalArgumentException for anything else
   */
  public static OwnerPublicKey of(byte[] bytes) {
    if (bytes.length != LENGTH || !Ed25519.validatePublicKeyFull(bytes, 0)) {
      throw new IllegalArgumentException("an owner key is an Ed25519 public key of 32 bytes");
    }
    return new OwnerPublicKey(bytes.clone());
  }

  /**
   * Reads a key as {@link #toString} writes it.
   *
   * @throws IllegalArgumentException for anything else
   */
  public static OwnerPublicKey parse(String base64) {
    return of(Base64.getDecoder().decode(base64));
  }

  /**
   * Whether the key's owner signed the statement, with this sequence; false for a malformed
   * signature. Takes a tenth of a millisecond.
   */
  public boolean verifies(OwnerStatement statement, long sequence, byte[] signature) {
    if (signature.length != SIGNATURE_LENGTH) {
      return false;
    }
    byte[] message = statement.bytes(sequence);
    Ed25519Signer verifier = new Ed25519Signer();
    verifier.init(false, new Ed25519PublicKeyParameters(bytes));
    verifier.update(message, 0, message.length);
    return verifier.verifySignature(signature);
  }

  /** A copy of the bytes. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof OwnerPublicKey key && Arrays.equals(bytes, key.bytes);
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
