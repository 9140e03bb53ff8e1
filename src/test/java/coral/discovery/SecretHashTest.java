package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.Secret;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class SecretHashTest {
  /** RFC 9106 by OWASP's costs, as a PHC string. */
  @Test
  void s4AHashIsArgon2idWithTheCostsInUse() {
    String hash = SecretHash.of(new Secret("s"));
    assertTrue(
        hash.matches(
            "\\$argon2id\\$v=19\\$m=19456,t=2,p=1\\$[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}"),
        hash);
  }

  /** As bcrypt would not. */
  @Test
  void s4SecretsOfMoreThan72BytesDifferInTheirLastByte() {
    String same = "s".repeat(511);
    Secret secret = new Secret(same + "a");
    String hash = SecretHash.of(secret);
    assertEquals(Optional.of(hash), SecretHash.among(List.of(hash), secret));
    for (String other : List.of(same + "b", same, same + "aa", "s".repeat(72))) {
      assertEquals(Optional.empty(), SecretHash.among(List.of(hash), new Secret(other)), other);
    }
    // Nor does a byte of zero end it.
    String zero = SecretHash.of(new Secret("one\0two"));
    assertEquals(Optional.empty(), SecretHash.among(List.of(zero), new Secret("one\0three")));
  }

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
  void s4CostsAreNeverReadFromAStoredHash() {
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
