package coral.token;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import io.jsonwebtoken.JwtException;
import io.jsonwebtoken.JwtParser;
import io.jsonwebtoken.Jwts;
import io.jsonwebtoken.security.SignatureException;
import java.security.Key;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Says what a registration token says, if it is one, of an accepted key, for this colony, and now.
 * Each step costs more than the one before: size, form, header, signature, claims. Thread-safe, and
 * without memory: that a token is spent once only is for whoever sells something for it.
 */
public final class TokenVerifier {
  /** How far the clocks of discovery and this colony may differ, in either direction. */
  public static final Duration CLOCK_SKEW = Duration.ofSeconds(5);

  private final ColonyId colonyId;
  private final Supplier<AcceptedKeys> keys;
  private final JwtParser signatures;

  /**
   * A verifier for one colony.
   *
   * @param keys asked for every token; must not block
   */
  public TokenVerifier(ColonyId colonyId, Supplier<AcceptedKeys> keys) {
    this.colonyId = colonyId;
    this.keys = keys;
    this.signatures =
        Jwts.parser()
            .provider(TokenKey.PROVIDER)
            .sig()
            .clear()
            .add(Jwts.SIG.EdDSA)
            .and()
            .zip()
            .clear()
            .and()
            // Times are checked below, with the caller's clock and messages that say what to do. At
            // this one no token has expired, and one that is good later only (nbf) never is.
            .clock(() -> Date.from(Instant.EPOCH))
            .keyLocator(header -> key(String.valueOf(header.get("kid"))))
            .build();
  }

  /**
   * Verifies a token.
   *
   * @throws RefusedException UNAUTHENTICATED, saying why and what to do, without the token
   */
  public RegistrationToken verify(String token, Instant now) {
    CompactToken compact = CompactToken.parse(token);
    AcceptedKeys accepted = keys.get();
    if (accepted.find(compact.keyId(), now).isEmpty()) {
      throw refused(
          accepted.isKnown(compact.keyId())
              ? "was signed with a key that is retired; ask discovery for a new one"
              : "was signed with a key that this colony does not accept; ask the right discovery"
                  + " for a new one in a few seconds");
    }
    try {
      signatures.parse(token);
    } catch (SignatureException e) {
      throw refused("has a signature that does not hold; ask discovery for a new one");
    } catch (JwtException | IllegalArgumentException e) {
      // Its message may show the token.
      throw refused("is not a JWT of RFC 7519; send it as discovery gave it");
    }
    RegistrationToken claims = TokenClaims.read(compact.claims(), colonyId);
    if (now.plus(CLOCK_SKEW).isBefore(claims.issuedAt())) {
      throw refused(
          "was issued at "
              + claims.issuedAt()
              + ", which is in the future for this colony; set the clocks of both hosts");
    }
    if (!now.isBefore(claims.expiresAt().plus(CLOCK_SKEW))) {
      throw refused("expired at " + claims.expiresAt() + "; ask discovery for a new one");
    }
    return claims;
  }

  /**
   * The id of the key that a token names, if the token has the right form and the key is not known:
   * then reading discovery's keys again may help, see {@link KeyRefresh}.
   */
  public Optional<String> unknownKey(String token) {
    try {
      String keyId = CompactToken.parse(token).keyId();
      return keys.get().isKnown(keyId) ? Optional.empty() : Optional.of(keyId);
    } catch (RefusedException e) {
      return Optional.empty();
    }
  }

  private @Nullable Key key(String keyId) {
    return keys.get().known(keyId).map(TokenKey::forProvider).orElse(null);
  }

  /** A refusal of a token. */
  static RefusedException refused(String why) {
    return new RefusedException(Failure.UNAUTHENTICATED, "the registration token " + why);
  }
}
