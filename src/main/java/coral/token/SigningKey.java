package coral.token;

import io.jsonwebtoken.JwtBuilder;
import io.jsonwebtoken.Jwts;
import java.io.IOException;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Date;
import java.util.Map;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.crypto.util.PrivateKeyInfoFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** A private key that signs tokens, and endorses its successor: Ed25519. Thread-safe. */
public final class SigningKey {
  private final Ed25519PrivateKeyParameters seed;
  private final TokenKey publicKey;
  private final PrivateKey key;

  private SigningKey(Ed25519PrivateKeyParameters seed) {
    this.seed = seed;
    this.publicKey = TokenKey.of(seed.generatePublicKey().getEncoded());
    try {
      this.key =
          BouncyCastleProvider.getPrivateKey(PrivateKeyInfoFactory.createPrivateKeyInfo(seed));
    } catch (IOException e) {
      throw new IllegalArgumentException("not an Ed25519 private key", e);
    }
  }

  /** A new key. */
  public static SigningKey generate(SecureRandom random) {
    return new SigningKey(new Ed25519PrivateKeyParameters(random));
  }

  /**
   * The key of a PKCS#8 structure (RFC 8410).
   *
   * @throws IllegalArgumentException if it is anything else; the message says nothing of it
   */
  static SigningKey of(PrivateKeyInfo info) {
    try {
      if (PrivateKeyFactory.createKey(info) instanceof Ed25519PrivateKeyParameters seed) {
        return new SigningKey(seed);
      }
    } catch (IOException | RuntimeException e) {
      // The message of a parser may show what it read.
    }
    throw new IllegalArgumentException("not an Ed25519 private key in PKCS#8");
  }

  /** For {@link SigningKeysFile} and nothing else. */
  PrivateKey privateKey() {
    return key;
  }

  /** The public half. */
  public TokenKey publicKey() {
    return publicKey;
  }

  /** The token as a compact JWS (RFC 7515). Some 40 microseconds of one core. */
  @SuppressWarnings("deprecation") // the other form of an audience is a list; RFD 020 has a text
  public String sign(RegistrationToken token) {
    JwtBuilder builder =
        Jwts.builder()
            .provider(TokenKey.PROVIDER)
            .header()
            .type(RegistrationToken.TYPE)
            .keyId(publicKey.id())
            .and()
            .issuer(RegistrationToken.ISSUER)
            .subject(token.agentId().value())
            .audience()
            .single(token.colonyId().value())
            .issuedAt(Date.from(token.issuedAt()))
            .expiration(Date.from(token.expiresAt()))
            .id(token.id())
            .claim(TokenClaims.COLONY_ID, token.colonyId().value());
    token
        .keyHash()
        .ifPresent(
            hash ->
                builder.claim(
                    TokenClaims.CONFIRMATION,
                    Map.of(TokenClaims.KEY_HASH, TokenKey.base64Url(hash.toBytes()))));
    token
        .wireGuardKey()
        .ifPresent(
            wireGuardKey ->
                builder.claim(
                    TokenClaims.CONFIRMATION,
                    Map.of(
                        TokenClaims.WIREGUARD_KEY,
                        Base64.getEncoder().encodeToString(wireGuardKey.toBytes()))));
    return builder.signWith(key, Jwts.SIG.EdDSA).compact();
  }

  /** This key's word for its successor. */
  Endorsement endorse(TokenKey successor) {
    byte[] message = Endorsement.message(successor);
    Ed25519Signer signer = new Ed25519Signer();
    signer.init(true, seed);
    signer.update(message, 0, message.length);
    return new Endorsement(publicKey.id(), signer.generateSignature());
  }

  /** The key's id, and nothing of the private half. */
  @Override
  public String toString() {
    return "SigningKey[" + publicKey.id() + "]";
  }
}
