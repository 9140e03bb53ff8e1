package coral.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Optional;

/** A colony that verifies tokens of one discovery, and what its refusals have in common. */
abstract class VerifierCase {
  static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
  static final SecureRandom RANDOM = new SecureRandom();
  static final ColonyId COLONY = new ColonyId("shop-prod-a3f2e1");
  static final AgentId AGENT = new AgentId("web-1");
  static final PublicKeyHash KEY_HASH = new PublicKeyHash("ab".repeat(32));

  final SigningKeys discovery = SigningKeys.first(NOW.minusSeconds(3600), RANDOM);
  final SigningKey key = discovery.current();
  final AcceptedKeys accepted = AcceptedKeys.onFirstUse(discovery.published());
  final TokenVerifier verifier = new TokenVerifier(COLONY, () -> accepted);
  final RegistrationToken token =
      RegistrationToken.create(AGENT, COLONY, Optional.of(KEY_HASH), Optional.empty(), NOW, RANDOM);
  final String good = key.sign(token);

  final void refused(String forged) {
    refusal(forged, NOW);
  }

  final void refused(String forged, String because) {
    String message = refusal(forged, NOW).message();
    assertTrue(message.contains(because), message + " does not say '" + because + "'");
  }

  /** S8: no refusal shows a part of the token. */
  final Refused refusal(String forged, Instant at) {
    RefusedException refused =
        assertThrows(RefusedException.class, () -> verifier.verify(forged, at), forged);
    assertEquals(Failure.UNAUTHENTICATED, refused.refused().failure());
    for (String part : forged.split("\\.", -1)) {
      assertFalse(
          part.length() > 10 && refused.refused().message().contains(part), "it shows the token");
    }
    assertTrue(refused.refused().message().length() < 300, "it is one sentence");
    assertEquals(null, refused.getCause(), "a cause could show the token");
    return refused.refused();
  }
}
