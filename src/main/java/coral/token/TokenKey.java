package coral.token;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.util.Arrays;
import java.util.Base64;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.math.ec.rfc8032.Ed25519;

/** The public half of a key that tokens are signed with: Ed25519 (RFC 8032). Immutable. */
public final class TokenKey {
  /** Bytes of a key. */
  public static final int LENGTH = Ed25519.PUBLIC_KEY_SIZE;

  /** Bytes of a signature. */
  public static final int SIGNATURE_LENGTH = Ed25519.SIGNATURE_SIZE;

  /** Seven times faster at Ed25519 than the provider of Java 17; used here, not registered. */
  static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

  private final byte[] bytes;
  private final String id;
  private final PublicKey key;

  private TokenKey(byte[] bytes) {
    this.bytes = bytes;
    this.id = thumbprint(bytes);
    try {
      this.key =
          BouncyCastleProvider.getPublicKey(
              new SubjectPublicKeyInfo(
                  new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519), bytes));
    } catch (IOException e) {
      throw new IllegalArgumentException("not an Ed25519 public key", e);
    }
  }

  /**
   * The key of these bytes.
   *
   * @param bytes exactly 32 bytes: a point of the curve, of no small order
   * @throws IllegalArgumentException for anything else
   */
  public static TokenKey of(byte[] bytes) {
    if (bytes.length != LENGTH) {
      throw new IllegalArgumentException("an Ed25519 key has 32 bytes, not " + bytes.length);
    }
    if (!Ed25519.validatePublicKeyFull(bytes, 0)) {
      throw new IllegalArgumentException("not an Ed25519 public key");
    }
    return new TokenKey(bytes.clone());
  }

  /**
   * Reads a key.
   *
   * @param base64 32 bytes in canonical base64 (RFC 4648, section 4)
   * @throws IllegalArgumentException for anything else
   */
  public static TokenKey parse(String base64) {
    if (base64.length() != 44) { // what 32 bytes take: nothing longer is decoded
      throw new IllegalArgumentException("an Ed25519 key has 44 base64 characters");
    }
    TokenKey key = of(Base64.getDecoder().decode(base64));
    if (!key.toString().equals(base64)) {
      throw new IllegalArgumentException("an Ed25519 key whose base64 is not canonical");
    }
    return key;
  }

  /** The RFC 7638 thumbprint of the key: 43 characters of base64url. */
  public String id() {
    return id;
  }

  /** A copy of the 32 bytes. */
  public byte[] toBytes() {
    return bytes.clone();
  }

  /** Whether the key's owner signed this message; false for a malformed signature. */
  public boolean verifies(byte[] message, byte[] signature) {
    if (signature.length != SIGNATURE_LENGTH) {
      return false;
    }
    Ed25519Signer verifier = new Ed25519Signer();
    verifier.init(false, new Ed25519PublicKeyParameters(bytes));
    verifier.update(message, 0, message.length);
    return verifier.verifySignature(signature);
  }

  /** For the provider {@link #PROVIDER}. */
  PublicKey forProvider() {
    return key;
  }

  /** The members that a thumbprint needs, in their order (RFC 8037, section 2; RFC 7638, 3.2). */
  private static String thumbprint(byte[] bytes) {
    String members = "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"" + base64Url(bytes) + "\"}";
    return base64Url(PublicKeyHash.sha256(members.getBytes(StandardCharsets.US_ASCII)));
  }

  static String base64Url(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenKey key && Arrays.equals(bytes, key.bytes);
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
