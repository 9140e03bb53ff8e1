package coral.token;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.WireGuardKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a registration token says (RFD 020, "JWT Token Format"): that whoever presents it has shown
 * discovery the secret of a colony and may become one agent of it, once.
 *
 * @param id 16 to 64 characters of base64url, never used twice ({@code jti})
 * @param issuedAt whole seconds
 * @param expiresAt whole seconds, after {@code issuedAt} and at most {@link #LIFETIME} later
 * @param keyHash the key that shall be certified; the token is good for no other
 * @param wireGuardKey the key of an agent that registers by token alone; never beside {@code
 *     keyHash}, so that one token never buys two things
 */
public record RegistrationToken(
    AgentId agentId,
    ColonyId colonyId,
    String id,
    Instant issuedAt,
    Instant expiresAt,
    Optional<PublicKeyHash> keyHash,
    Optional<WireGuardKey> wireGuardKey) {
  /** RFD 020: long enough to register, too short to be worth stealing. */
  public static final Duration LIFETIME = Duration.ofSeconds(60);

  /** The claim {@code iss}. */
  public static final String ISSUER = "coral-discovery";

  /** The header {@code typ}: no other kind of JWT passes for a registration token (RFC 8725). */
  public static final String TYPE = "coral-reg+jwt";

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9_-]{16,64}");

  /** RFC 7519, section 4.1.7: a chance of collision that can be neglected. */
  private static final int ID_BYTES = 16;

  /**
   * @throws IllegalArgumentException if a bound above is not kept
   */
  public RegistrationToken {
    if (!ID.matcher(id).matches()) {
      throw new IllegalArgumentException("a token id has 16 to 64 characters of base64url");
    }
    if (!isWhole(issuedAt) || !isWhole(expiresAt)) {
      throw new IllegalArgumentException("a token's times are whole seconds");
    }
    if (!issuedAt.isBefore(expiresAt)
        || Duration.between(issuedAt, expiresAt).compareTo(LIFETIME) > 0) {
      throw new IllegalArgumentException(
          "a token is good for 1 to " + LIFETIME.toSeconds() + " seconds");
    }
    if (keyHash.isPresent() && wireGuardKey.isPresent()) {
      throw new IllegalArgumentException("a token is bound to one key at most");
    }
  }

  private static boolean isWhole(Instant time) {
    return time.equals(time.truncatedTo(ChronoUnit.SECONDS));
  }

  /** A new token for an agent, good for {@link #LIFETIME} from now. */
  public static RegistrationToken create(
      AgentId agentId,
      ColonyId colonyId,
      Optional<PublicKeyHash> keyHash,
      Optional<WireGuardKey> wireGuardKey,
      Instant now,
      SecureRandom random) {
    byte[] id = new byte[ID_BYTES];
    random.nextBytes(id);
    Instant issuedAt = now.truncatedTo(ChronoUnit.SECONDS);
    return new RegistrationToken(
        agentId,
        colonyId,
        Base64.getUrlEncoder().withoutPadding().encodeToString(id),
        issuedAt,
        issuedAt.plus(LIFETIME),
        keyHash,
        wireGuardKey);
  }
}
