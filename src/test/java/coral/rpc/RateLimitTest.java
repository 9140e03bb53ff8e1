package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RateLimitTest {
  private static final int BURST = 4;
  private static final Duration INTERVAL = Duration.ofSeconds(3);

  private Instant now = Instant.EPOCH;
  private final RateLimit<String> limit = new RateLimit<>(() -> now, BURST, INTERVAL);

  /** A bucket of a key holds BURST tokens and gets one more in each interval, in parts. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void itAllowsWhatATokenBucketAllows(long seed) {
    Random random = new Random(seed);
    Map<String, Long> millisOfTokens = new HashMap<>();
    long full = BURST * INTERVAL.toMillis();
    for (int step = 0; step < 5000; step++) {
      long passed = random.nextInt(2000);
      now = now.plusMillis(passed);
      millisOfTokens.replaceAll((key, tokens) -> Math.min(full, tokens + passed));
      String key = "k" + random.nextInt(3);
      long tokens = millisOfTokens.getOrDefault(key, full);
      String where = "seed " + seed + ", step " + step;
      long missing = Math.max(0, INTERVAL.toMillis() - tokens);
      assertEquals(Duration.ofMillis(missing), limit.delay(key), where);
      assertEquals(missing == 0, limit.allows(key), where);
      assertEquals(Duration.ofMillis(missing), limit.take(key), where);
      int more = missing == 0 && random.nextInt(10) == 0 ? random.nextInt(3) : 0;
      limit.count(key, more);
      if (missing == 0) {
        millisOfTokens.put(key, tokens - INTERVAL.toMillis() * (1 + more));
      }
    }
  }

  @Test
  void oneMoreIsAllowedWhenTheDelayIsOver() {
    for (int i = 0; i < BURST; i++) {
      assertEquals(Duration.ZERO, limit.take("a"));
    }
    assertEquals(INTERVAL, limit.take("a"));
    assertEquals(INTERVAL, limit.delay("a"), "a refusal costs nothing");
    assertTrue(limit.allows("b"));
    now = now.plus(INTERVAL).minusNanos(1);
    assertFalse(limit.allows("a"));
    now = now.plusNanos(1);
    assertEquals(Duration.ZERO, limit.take("a"));
    assertFalse(limit.allows("a"));
  }

  @Test
  void aClockThatIsSetBackMakesNobodyWaitLonger() {
    for (int i = 0; i < BURST; i++) {
      limit.take("a");
    }
    assertEquals(INTERVAL, limit.delay("a"));
    for (Duration setBack : List.of(Duration.ofDays(365), Duration.ofSeconds(1))) {
      now = now.minus(setBack);
      assertEquals(INTERVAL, limit.delay("a"), setBack.toString());
      now = now.plus(INTERVAL).minusNanos(1);
      assertFalse(limit.allows("a"), setBack.toString());
      now = now.plusNanos(1);
      assertEquals(Duration.ZERO, limit.take("a"), setBack.toString());
    }
    limit.count("a", BURST);
    now = now.plus(Duration.ofDays(365));
    limit.count("a");
    now = now.minus(Duration.ofDays(365));
    assertTrue(limit.allows("a"), "a clock that was set ahead for a while has worked all off");
  }

  @Test
  void whatWeighsMoreIsWorkedOffLonger() {
    limit.count("a", 2 * BURST);
    assertEquals(INTERVAL.multipliedBy(BURST + 1), limit.delay("a"));
  }

  @Test
  void theKeysRememberedAreBounded() {
    limit.count("first", BURST);
    for (int i = 0; i < RateLimit.MAX_KEYS - 1; i++) {
      limit.count("other-" + i);
    }
    assertFalse(limit.allows("first"), "it was looked at last from here on");
    limit.count("one more");
    assertEquals(RateLimit.MAX_KEYS, limit.size());
    assertFalse(limit.allows("first"));
    for (int i = 0; i < RateLimit.MAX_KEYS; i++) {
      limit.count("another-" + i);
    }
    assertEquals(RateLimit.MAX_KEYS, limit.size());
    assertTrue(limit.allows("first"));
  }
}
