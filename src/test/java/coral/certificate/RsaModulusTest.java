package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.security.interfaces.RSAPublicKey;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Cases C4 and C5: moduli of RSA whose factors somebody else can find. */
class RsaModulusTest {
  @Test
  void soundKeysPass() {
    for (var keys : List.of(Roots.RSA, Roots.OTHER_RSA)) {
      BigInteger modulus = ((RSAPublicKey) keys.getPublic()).getModulus();
      assertEquals(Optional.empty(), RsaModulus.weakness(modulus));
    }
  }

  /** C5: keys as the defective library makes them, of every size that is allowed. */
  @Test
  void keysOfRocaAreFound() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int[] shape : new int[][] {{1024, 126}, {1536, 126}}) {
      for (int i = 0; i < 3; i++) {
        BigInteger modulus =
            rocaPrime(shape[0], shape[1], random).multiply(rocaPrime(shape[0], shape[1], random));
        assertTrue(
            RsaModulus.weakness(modulus).orElse("").contains("ROCA"),
            () -> modulus + ", seed " + seed);
      }
    }
  }

  /** C5: and no others. */
  @Test
  void otherModuliAreNotTakenForKeysOfRoca() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 300; i++) {
      BigInteger modulus =
          BigInteger.probablePrime(256, random).multiply(BigInteger.probablePrime(256, random));
      assertEquals(Optional.empty(), RsaModulus.weakness(modulus), "seed " + seed);
    }
  }

  /** C4. */
  @Test
  void aModulusThatIsPrimeEvenOrASquareIsFound() {
    Random random = new Random(4);
    BigInteger prime = BigInteger.probablePrime(2048, random);
    assertEquals(Optional.of("'s modulus is a prime"), RsaModulus.weakness(prime));
    BigInteger half = BigInteger.probablePrime(1024, random);
    assertTrue(RsaModulus.weakness(half.multiply(half)).orElse("").contains("too close"));
    assertTrue(RsaModulus.weakness(prime.clearBit(0)).orElse("").contains("small factor"));
  }

  /** A prime k * M + 65537^a mod M, where M is the product of the first primes. */
  private static BigInteger rocaPrime(int bits, int primes, Random random) {
    BigInteger m = BigInteger.ONE;
    BigInteger next = BigInteger.TWO;
    for (int i = 0; i < primes; i++) {
      m = m.multiply(next);
      next = next.nextProbablePrime();
    }
    while (true) {
      BigInteger power = BigInteger.valueOf(65537).modPow(new BigInteger(64, random), m);
      BigInteger k = new BigInteger(bits - m.bitLength(), random).setBit(bits - m.bitLength() - 1);
      BigInteger candidate = k.multiply(m).add(power);
      if (candidate.bitLength() == bits && candidate.isProbablePrime(30)) {
        return candidate;
      }
    }
  }
}
