package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.Secret;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SecretHashTest {
  @Test
  void aHashMatchesItsSecretOnlyAndHasASaltOfItsOwn() {
    Secret secret = new Secret("coral-sec_ä");
    String hash = SecretHash.of(secret);
    assertTrue(SecretHash.matches(hash, secret));
    assertFalse(SecretHash.matches(hash, new Secret("coral-sec_a")));
    assertNotEquals(hash, SecretHash.of(secret));
  }

  @Test
  void costsAreNeverReadFromAStoredHash() {
    Secret secret = new Secret("s");
    String hash = SecretHash.of(secret);
    for (String other :
        List.of(
            hash.replace("m=19456", "m=8"), hash.replace("argon2id", "argon2i"), "", hash + "A")) {
      assertThrows(IllegalArgumentException.class, () -> SecretHash.matches(other, secret), other);
    }
  }
}
