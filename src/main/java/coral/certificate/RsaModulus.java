package coral.certificate;

import java.math.BigInteger;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * What is known to be wrong with moduli of RSA whose factors somebody else can find (compare the
 * CA/Browser Forum's baseline requirements, section 6.1.1.3). The dearest check is a modular power:
 * 4 ms for 2048 bits, 20 ms for 4096.
 */
final class RsaModulus {
  private static final BigInteger SMALL_PRIMES = productOfPrimesBelow(752);

  private static final int FERMAT_ROUNDS = 100;

  /** Bit n is set if some square is n modulo 64. */
  private static final long SQUARES_MODULO_64 =
      LongStream.range(0, 64).map(n -> 1L << (n * n % 64)).reduce(0, (x, y) -> x | y);

  /**
   * ROCA (CVE-2017-15361): primes of Infineon's library are powers of 65537 modulo many small
   * primes, and so is their product. These are the primes of which the powers of 65537 are few; a
   * sound modulus passes for one of ROCA once in 2^27.
   */
  private static final int[] ROCA_PRIMES = {
    11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157
  };

  private static final Map<Integer, BitSet> ROCA_POWERS = rocaPowers();

  private RsaModulus() {}

  /**
   * What is wrong with a modulus, in words that follow "its RSA key"; empty if nothing is known.
   */
  static Optional<String> weakness(BigInteger modulus) {
    if (!modulus.gcd(SMALL_PRIMES).equals(BigInteger.ONE)) {
      return Optional.of("'s modulus has a small factor");
    }
    if (isOfRoca(modulus)) {
      return Optional.of(
          " was made by a defective library (ROCA, CVE-2017-15361); make it by another");
    }
    if (hasCloseFactors(modulus)) {
      return Optional.of("'s primes are too close to each other");
    }
    if (isProbablePrime(modulus)) {
      return Optional.of("'s modulus is a prime");
    }
    return Optional.empty();
  }

  private static boolean isOfRoca(BigInteger modulus) {
    for (int prime : ROCA_PRIMES) {
      int rest = modulus.mod(BigInteger.valueOf(prime)).intValue();
      if (!ROCA_POWERS.getOrDefault(prime, new BitSet()).get(rest)) {
        return false;
      }
    }
    return true;
  }

  private static Map<Integer, BitSet> rocaPowers() {
    Map<Integer, BitSet> powers = new LinkedHashMap<>();
    for (int prime : ROCA_PRIMES) {
      BitSet reached = new BitSet(prime);
      int power = 1;
      while (!reached.get(power)) {
        reached.set(power);
        power = power * (65537 % prime) % prime;
      }
      powers.put(prime, reached);
    }
    return powers;
  }

  /**
   * Fermat's factorisation: a modulus is a square minus a square, and if its primes are close the
   * first lies just above its root.
   */
  private static boolean hasCloseFactors(BigInteger modulus) {
    BigInteger[] root = modulus.sqrtAndRemainder();
    if (root[1].signum() == 0) {
      return true;
    }
    BigInteger a = root[0].add(BigInteger.ONE);
    BigInteger difference = a.multiply(a).subtract(modulus);
    for (int round = 0; round < FERMAT_ROUNDS; round++) {
      if (isSquare(difference)) {
        return true;
      }
      difference = difference.add(a.shiftLeft(1)).add(BigInteger.ONE);
      a = a.add(BigInteger.ONE);
    }
    return false;
  }

  /** Squares end in twelve of 64 six-bit patterns: four of five roots are not taken. */
  private static boolean isSquare(BigInteger number) {
    return (SQUARES_MODULO_64 >>> (number.intValue() & 63) & 1) == 1
        && number.sqrtAndRemainder()[1].signum() == 0;
  }

  /** Fermat's little theorem to the base 2. A composite that passes is a curiosity, and no key. */
  private static boolean isProbablePrime(BigInteger modulus) {
    return BigInteger.TWO.modPow(modulus.subtract(BigInteger.ONE), modulus).equals(BigInteger.ONE);
  }

  private static BigInteger productOfPrimesBelow(int bound) {
    BigInteger product = BigInteger.ONE;
    BigInteger prime = BigInteger.TWO;
    while (prime.intValue() < bound) {
      product = product.multiply(prime);
      prime = prime.nextProbablePrime();
    }
    return product;
  }
}
