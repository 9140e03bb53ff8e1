package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import coral.model.Secret;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class SecretHashTest {
  @Test
  void aHashMatchesItsSecretOnlyAndHasASaltOfItsOwn() {
    Secret secret = new Secret("coral-sec_ä");
    String hash = SecretHash.of(secret);
    assertEquals(Optional.of(hash), SecretHash.among(List.of(hash), secret));
    assertEquals(Optional.empty(), SecretHash.among(List.of(hash), new Secret("coral-sec_a")));
    assertNotEquals(hash, SecretHash.of(secret));
  }

  @Test
  void withTheSaltOfAnotherEqualSecretsHaveEqualHashes() {
    String one = SecretHash.of(new Secret("one"));
    String two = SecretHash.withSaltOf(one, new Secret("two"));
    assertEquals(one, SecretHash.withSaltOf(two, new Secret("one")));
    assertNotEquals(one, two);
    assertEquals(Optional.of(two), SecretHash.among(List.of(one, two), new Secret("two")));
    String other = SecretHash.of(new Secret("three"));
    assertEquals(
        Optional.of(other), SecretHash.among(List.of(one, other, two), new Secret("three")));
  }

  @Test
  void costsAreNeverReadFromAStoredHash() {
    Secret secret = new Secret("s");
    String hash = SecretHash.of(secret);
    for (String other :
        List.of(
            hash.replace("m=19456", "m=8"), hash.replace("argon2id", "argon2i"), "", hash + "A")) {
      assertThrows(
          IllegalArgumentException.class, () -> SecretHash.among(List.of(other), secret), other);
    }
  }
}
