package coral.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class InstantReaderTest {
  private static final long YEAR_0 = Instant.parse("0000-01-01T00:00:00Z").getEpochSecond();
  private static final long YEAR_9999 = Instant.parse("9999-12-31T23:59:59Z").getEpochSecond();

  @Test
  void everyInstantIsReadAsTheJdkReadsIt() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int[] units = {1, 1_000, 1_000_000, 1_000_000_000};
    for (int i = 0; i < 100_000; i++) {
      long second = YEAR_0 + (long) (random.nextDouble() * (YEAR_9999 - YEAR_0));
      int unit = units[random.nextInt(units.length)];
      int nanoseconds = random.nextInt(1_000_000_000);
      Instant instant = Instant.ofEpochSecond(second, nanoseconds - nanoseconds % unit);
      String text = instant.toString();
      assertEquals(Instant.parse(text), InstantReader.parse(text), () -> text + " seed " + seed);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "Z",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04:05+01:00",
        "2026-13-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:60Z",
        "2026-01-02 03:04:05Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05.1234567890Z",
        "2026-01-02T03:04:05.12x4Z",
        "+12026-01-02T03:04:05Z"
      })
  void whatHasAnotherFormIsLeftToJackson(String text) {
    assertNull(InstantReader.parse(text));
  }
}
