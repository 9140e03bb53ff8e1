package coral.certificate;

import coral.model.Secret;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * The secrets of invitations. They are made and hashed where they are shown: actors and the journal
 * see the hash alone.
 */
public final class InvitationSecrets {
  /** Tells people and scanners of sources what it is. */
  private static final String PREFIX = "coral-inv_";

  private static final int BYTES = 32;
  private static final SecureRandom RANDOM = new SecureRandom();

  private InvitationSecrets() {}

  /** A new secret of 256 random bits: too many to guess, so that a plain hash keeps it. */
  public static Secret next() {
    byte[] bytes = new byte[BYTES];
    RANDOM.nextBytes(bytes);
    return new Secret(PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
  }

  /** The SHA-256 of a secret, in 64 lower-case hexadecimal digits. */
  public static String hash(Secret secret) {
    return PublicKeys.sha256(secret.reveal().getBytes(StandardCharsets.UTF_8));
  }
}
