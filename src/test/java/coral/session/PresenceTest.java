package coral.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PresenceTest {
  private static final Instant SEEN = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration INTERVAL = Duration.ofSeconds(15);

  @Test
  void healthyWithinThreeIntervalsDegradedWithinTenThenUnhealthy() {
    assertEquals(Presence.HEALTHY, after(Duration.ZERO));
    assertEquals(Presence.HEALTHY, after(Duration.ofSeconds(45)));
    assertEquals(Presence.DEGRADED, after(Duration.ofSeconds(45).plusNanos(1)));
    assertEquals(Presence.DEGRADED, after(Duration.ofSeconds(150)));
    assertEquals(Presence.UNHEALTHY, after(Duration.ofSeconds(150).plusNanos(1)));
    assertEquals(Presence.UNHEALTHY, after(Duration.ofDays(400)));
  }

  @Test
  void aClockThatWasSetBackMakesNobodyWorse() {
    assertEquals(Presence.HEALTHY, after(Duration.ofSeconds(-100)));
  }

  @Test
  void theTimeUntilWorseIsTheLeastInMillisecondsThatMakesItWorse() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int i = 0; i < 10_000; i++) {
      Duration interval = Duration.ofMillis(1000 + random.nextInt(300_000));
      Instant now = SEEN.plusMillis(random.nextInt(4_000_000));
      Presence presence = Presence.at(SEEN, now, interval);
      Optional<Duration> until = Presence.untilWorse(SEEN, now, interval);
      String what = "seed " + seed + ", interval " + interval + ", now " + now;
      assertEquals(presence == Presence.UNHEALTHY, until.isEmpty(), what);
      until.ifPresent(
          delay -> {
            assertTrue(delay.toMillis() > 0, what);
            assertNotEquals(presence, Presence.at(SEEN, now.plus(delay), interval), what);
            assertEquals(
                presence, Presence.at(SEEN, now.plus(delay).minusMillis(1), interval), what);
          });
    }
  }

  private static Presence after(Duration silence) {
    return Presence.at(SEEN, SEEN.plus(silence), INTERVAL);
  }
}
