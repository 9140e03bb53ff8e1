package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RecentVerdictTest {
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private boolean good = true;
  private int checks;

  private final RecentVerdict verdict =
      new RecentVerdict(
          () -> {
            checks++;
            return good;
          },
          Duration.ofSeconds(1),
          () -> now);

  @Test
  void aVerdictIsRepeatedForASecondAndThenMadeAnew() {
    assertTrue(verdict.get());
    good = false;
    now = now.plusMillis(999);
    assertTrue(verdict.get());
    assertEquals(1, checks);
    now = now.plusMillis(1);
    assertFalse(verdict.get());
    assertEquals(2, checks);
  }

  @Test
  void aClockThatIsSetBackKeepsNoVerdict() {
    verdict.get();
    good = false;
    now = now.minusSeconds(3600);
    assertFalse(verdict.get());
  }
}
