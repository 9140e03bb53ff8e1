package coral.certificate;

import coral.model.ColonyId;
import java.security.KeyPair;
import java.time.Instant;
import java.time.InstantSource;

/** What the tests of this package share: keys are dear, so they are made once. */
final class Roots {
  static final ColonyId COLONY = new ColonyId("my-app-prod-a3f2e1");
  static final Instant NOW = Instant.parse("2026-05-01T10:00:00Z");
  static final InstantSource CLOCK = InstantSource.fixed(NOW);

  static final KeyPair RSA = KeyType.RSA_2048.generate();
  static final KeyPair OTHER_RSA = KeyType.RSA_2048.generate();
  static final KeyPair EC = KeyType.P_256.generate();

  /** Of 2048 bits, which sign in a sixth of the time. */
  static final Authority QUICK = Authority.create(COLONY, CLOCK, KeyType.RSA_2048.generate());

  private Roots() {}

  /** The root as a colony makes it. */
  static Authority real() {
    return Real.ROOT;
  }

  private static final class Real {
    static final Authority ROOT = Authority.create(COLONY, CLOCK);
  }
}
