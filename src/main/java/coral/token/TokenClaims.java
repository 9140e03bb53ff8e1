package coral.token;

import com.fasterxml.jackson.databind.JsonNode;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Optional;

/**
 * The claims of a token whose signature holds (RFC 7519, RFD 020). Every one is required and of one
 * type: a JWT library takes a text for a time, and an audience among others for the only one.
 */
final class TokenClaims {
  /** RFD 020: the colony once more, beside {@code aud}. */
  static final String COLONY_ID = "colony_id";

  /** RFC 7800: which key the presenter must prove to hold. */
  static final String CONFIRMATION = "cnf";

  /** Member of {@link #CONFIRMATION}: SHA-256 of a SubjectPublicKeyInfo, in base64url. */
  static final String KEY_HASH = "spki#S256";

  /** Member of {@link #CONFIRMATION}: a WireGuard key, in base64. */
  static final String WIREGUARD_KEY = "wg";

  /** The year 9999: later times have no text. */
  private static final long MAX_SECONDS = 253_402_300_799L;

  private TokenClaims() {}

  /**
   * Reads the claims of a token for a colony.
   *
   * @throws RefusedException UNAUTHENTICATED if one is missing, malformed or for somebody else
   */
  static RegistrationToken read(String json, ColonyId colonyId) {
    JsonNode claims =
        StrictJson.object(json)
            .orElseThrow(() -> TokenVerifier.refused("has claims that are not one JSON object"));
    if (!text(claims, "iss").equals(RegistrationToken.ISSUER)) {
      throw TokenVerifier.refused("is not issued by " + RegistrationToken.ISSUER);
    }
    requireAudience(claims, colonyId);
    if (!text(claims, COLONY_ID).equals(colonyId.value())) {
      throw otherColony(colonyId);
    }
    Instant issuedAt = time(claims, "iat");
    Instant expiresAt = time(claims, "exp");
    if (!issuedAt.isBefore(expiresAt)
        || Duration.between(issuedAt, expiresAt).compareTo(RegistrationToken.LIFETIME) > 0) {
      throw TokenVerifier.refused(
          "is not good for 1 to "
              + RegistrationToken.LIFETIME.toSeconds()
              + " seconds; ask discovery for a new one");
    }
    Optional<JsonNode> confirmation = Optional.ofNullable(claims.get(CONFIRMATION));
    try {
      return new RegistrationToken(
          new AgentId(text(claims, "sub")),
          colonyId,
          text(claims, "jti"),
          issuedAt,
          expiresAt,
          confirmation.flatMap(member -> keyHash(member)),
          confirmation.flatMap(member -> wireGuardKey(member)));
    } catch (IllegalArgumentException e) { // the messages say what a value must be, not what it is
      throw TokenVerifier.refused("is malformed: " + e.getMessage());
    }
  }

  /** RFC 7519, section 4.1.3: a text, or a list; of ours, a list of one. */
  private static void requireAudience(JsonNode claims, ColonyId colonyId) {
    JsonNode audience = claims.path("aud");
    JsonNode only = audience.isArray() && audience.size() == 1 ? audience.get(0) : audience;
    if (!only.isTextual() || !only.textValue().equals(colonyId.value())) {
      throw otherColony(colonyId);
    }
  }

  private static RefusedException otherColony(ColonyId colonyId) {
    return TokenVerifier.refused(
        "is not for this colony alone; ask discovery for one for the colony " + colonyId);
  }

  private static Optional<PublicKeyHash> keyHash(JsonNode confirmation) {
    requireOneOf(confirmation);
    if (!confirmation.has(KEY_HASH)) {
      return Optional.empty();
    }
    String base64 = text(confirmation, KEY_HASH);
    byte[] digest = Base64.getUrlDecoder().decode(base64);
    if (!TokenKey.base64Url(digest).equals(base64)) {
      throw new IllegalArgumentException("the key's hash is not canonical base64url");
    }
    return Optional.of(PublicKeyHash.of(digest));
  }

  private static Optional<WireGuardKey> wireGuardKey(JsonNode confirmation) {
    return confirmation.has(WIREGUARD_KEY)
        ? Optional.of(WireGuardKey.parse(text(confirmation, WIREGUARD_KEY)))
        : Optional.empty();
  }

  /** A binding that is not understood must not pass for none (RFC 7800, section 3.1). */
  private static void requireOneOf(JsonNode confirmation) {
    if (confirmation.size() != 1
        || !(confirmation.has(KEY_HASH) || confirmation.has(WIREGUARD_KEY))) {
      throw new IllegalArgumentException("it must be bound to one key, or to none");
    }
  }

  private static String text(JsonNode object, String name) {
    JsonNode value = object.path(name);
    if (!value.isTextual()) {
      throw TokenVerifier.refused("lacks the text '" + name + "'");
    }
    return value.textValue();
  }

  /** RFC 7519, section 2, NumericDate; of ours, whole seconds. */
  private static Instant time(JsonNode claims, String name) {
    JsonNode value = claims.path(name);
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.longValue() < 0
        || value.longValue() > MAX_SECONDS) {
      throw TokenVerifier.refused("lacks the whole number of seconds '" + name + "'");
    }
    return Instant.ofEpochSecond(value.longValue());
  }
}
