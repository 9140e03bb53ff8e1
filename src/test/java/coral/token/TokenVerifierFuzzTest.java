package coral.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import coral.model.Failure;
import coral.model.RefusedException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** J1 to J12: whatever text a stranger sends as a token, it is refused or says what ours say. */
final class TokenVerifierFuzzTest extends VerifierCase {
  /** Stands for the id of the verifier's key, which is another one in each run. */
  private static final String KEY_ID = "KEY_ID";

  /**
   * A text of two lines is taken for a header and claims, and signed: what discovery's own key has
   * signed is still nobody's word for the rest.
   */
  @FuzzTest(maxDuration = "8s")
  void aTokenIsVerifiedOrRefused(byte[] input) {
    String text = new String(input, StandardCharsets.UTF_8);
    verify(text);
    int line = text.indexOf('\n');
    if (line >= 0) {
      String header = text.substring(0, line).replace(KEY_ID, key.publicKey().id());
      verify(Forgery.signed(key, header, text.substring(line + 1)));
    }
  }

  private void verify(String forged) {
    RegistrationToken read;
    try {
      read = verifier.verify(forged, NOW);
    } catch (RefusedException e) {
      String message = e.refused().message();
      assertEquals(Failure.UNAUTHENTICATED, e.refused().failure());
      assertTrue(message.length() < 300, "it is one sentence");
      assertEquals(null, e.getCause(), "a cause could show the token");
      for (String part : forged.split("\\.", -1)) {
        assertFalse(part.length() > 20 && message.contains(part), "it shows the token");
      }
      return;
    }
    assertEquals(COLONY, read.colonyId());
    assertTrue(
        Duration.between(read.issuedAt(), read.expiresAt()).compareTo(RegistrationToken.LIFETIME)
            <= 0);
    assertFalse(read.issuedAt().isAfter(NOW.plus(TokenVerifier.CLOCK_SKEW)));
    assertTrue(NOW.isBefore(read.expiresAt().plus(TokenVerifier.CLOCK_SKEW)));
  }
}
