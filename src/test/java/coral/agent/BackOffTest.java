package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BackOffTest {
  private static final BackOff BACK_OFF =
      new BackOff(Duration.ofMillis(250), Duration.ofSeconds(30), Duration.ofSeconds(60));

  @Test
  void itDoublesUpToItsBound() {
    long[] expected = {250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    for (int i = 0; i < expected.length; i++) {
      assertEquals(Duration.ofMillis(expected[i]), BACK_OFF.after(i + 1, () -> 0));
    }
    assertEquals(Duration.ofSeconds(30), BACK_OFF.after(Integer.MAX_VALUE, () -> 0));
  }

  @Test
  void chanceShortensByUpToHalf() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    for (int i = 0; i < 1000; i++) {
      long milliseconds = BACK_OFF.slowly(random::nextDouble).toMillis();
      assertTrue(milliseconds >= 30_000 && milliseconds <= 60_000, "seed " + seed);
    }
  }

  @Test
  void boundsThatMakeNoSenseAreRefused() {
    Duration second = Duration.ofSeconds(1);
    assertThrows(IllegalArgumentException.class, () -> new BackOff(Duration.ZERO, second, second));
    assertThrows(
        IllegalArgumentException.class, () -> new BackOff(second, Duration.ofMillis(999), second));
    assertThrows(IllegalArgumentException.class, () -> new BackOff(second, second, Duration.ZERO));
  }
}
