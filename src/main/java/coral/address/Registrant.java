package coral.address;

import coral.model.Authentication;
import coral.model.SpentTokens;
import java.util.Optional;

/**
 * What is known of somebody who asks for an address.
 *
 * @param componentName what runs on its host, for people; at most 63 characters
 * @param authentication how it has proved who it is
 * @param token the registration token that it was let in by, to be spent in the same write
 * @param source where it asks from; empty where that is not known
 */
public record Registrant(
    String componentName,
    Authentication authentication,
    Optional<SpentTokens.Token> token,
    String source) {
  /** Somebody with a certificate. */
  public static Registrant certified(String componentName) {
    return new Registrant(componentName, Authentication.CERTIFICATE, Optional.empty(), "");
  }

  /** The same, asking from this address. */
  public Registrant from(String source) {
    return new Registrant(componentName, authentication, token, source);
  }
}
