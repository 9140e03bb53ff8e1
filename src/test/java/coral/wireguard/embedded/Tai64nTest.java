package coral.wireguard.embedded;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class Tai64nTest {
  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
  private final Tai64n timestamps = new Tai64n(now::get);

  @Test
  void theEpochIsTenLeapSecondsIn() {
    assertEquals("400000000000000a00000000", HexFormat.of().formatHex(timestamps.next()));
  }

  /** Section 5.1: each timestamp is greater, though the clock stands, or goes back. */
  @Test
  void timestampsIncreaseWhateverTheClockDoes() {
    byte[] last = timestamps.next();
    for (int i = 0; i < 300; i++) {
      if (i == 100) {
        now.set(Instant.EPOCH.minus(Duration.ofDays(1)));
      }
      if (i == 200) {
        now.set(Instant.EPOCH.plus(Duration.ofDays(1)));
      }
      byte[] next = timestamps.next();
      assertTrue(Tai64n.isAfter(next, last), "step " + i);
      last = next;
    }
  }

  @Test
  void theNanosecondsTellLittleOfTheClock() {
    now.set(Instant.ofEpochSecond(5, 123_456_789));
    assertEquals("400000000000000f07000000", HexFormat.of().formatHex(timestamps.next()));
  }
}
