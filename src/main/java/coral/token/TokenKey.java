package coral.token;

import coral.model.Ed25519PublicKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.PublicKey;
import java.util.Base64;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** The public half of a key that tokens are signed with, and what names it. Immutable. */
public final class TokenKey {
  /** Bytes of a key. */
  public static final int LENGTH = Ed25519PublicKey.LENGTH;

  /** Seven times faster at Ed25519 than the provider of Java 17; used here, not registered. */
  static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

  private final Ed25519PublicKey bytes;
  private final String id;
  private final PublicKey key;

  private TokenKey(Ed25519PublicKey bytes) {
    this.bytes = bytes;
    this.id = thumbprint(bytes.toBytes());
    try {
      this.key =
          BouncyCastleProvider.getPublicKey(
              new SubjectPublicKeyInfo(
                  new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519), bytes.toBytes()));
    } catch (IOException e) {
      throw new IllegalArgumentException("not an Ed25519 public key", e);
    }
  }

  /**
   * The key of these bytes.
   *
   * @param bytes as {@link Ed25519PublicKey#of} takes them
   * @throws IllegalArgumentException for anything else
   */
  public static TokenKey of(byte[] bytes) {
    return new TokenKey(Ed25519PublicKey.of(bytes));
  }

  /**
   * Reads a key.
   *
   * @param base64 as {@link Ed25519PublicKey#parse} takes it
   * @throws IllegalArgumentException for anything else
   */
  public static TokenKey parse(String base64) {
    return new TokenKey(Ed25519PublicKey.parse(base64));
  }

  /** The RFC 7638 thumbprint of the key: 43 characters of base64url. */
  public String id() {
    return id;
  }

  /** A copy of the 32 bytes. */
  public byte[] toBytes() {
    return bytes.toBytes();
  }

  /** Whether the key's owner signed this message; false for a malformed signature. */
  public boolean verifies(byte[] message, byte[] signature) {
    return bytes.verifies(message, signature);
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
    return other instanceof TokenKey key && bytes.equals(key.bytes);
  }

  @Override
  public int hashCode() {
    return bytes.hashCode();
  }

  /** The key in base64. */
  @Override
  public String toString() {
    return bytes.toString();
  }
}
