package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class DurationOptionTest {
  @Test
  void aLengthIsANumberAndAUnit() {
    assertEquals(Duration.ofSeconds(90), DurationOption.parse("90s"));
    assertEquals(Duration.ofMinutes(15), DurationOption.parse("15m"));
    assertEquals(Duration.ofHours(24), DurationOption.parse("24h"));
    assertEquals(Duration.ofDays(7), DurationOption.parse("7d"));
    assertEquals(Duration.ofDays(999_999_999), DurationOption.parse("999999999d"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1", "h", "1w", "-1h", "1.5h", "1 h", "1h30m", "1H", "9999999999s"})
  void anythingElseIsRefusedWithWhatWasExpected(String text) {
    String message =
        String.valueOf(
            assertThrows(TypeConversionException.class, () -> DurationOption.parse(text))
                .getMessage());
    assertEquals(
        "expected a whole number and a unit, such as 90s, 15m, 24h or 7d, not '" + text + "'",
        message);
  }

  @Test
  void boundsAreIncludedAndNamed() {
    InviteCommand.Ttl ttl = new InviteCommand.Ttl();
    assertEquals(Duration.ofMinutes(1), ttl.convert("60s"));
    assertEquals(Duration.ofDays(30), ttl.convert("720h"));
    for (String outside : new String[] {"59s", "721h"}) {
      String message =
          String.valueOf(
              assertThrows(TypeConversionException.class, () -> ttl.convert(outside)).getMessage());
      assertTrue(message.equals("expected 1m to 30d, not '" + outside + "'"), message);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"0s", "1s", "90s", "1m", "90m", "1h", "36h", "1d", "30d"})
  void whatIsWrittenIsReadAgain(String text) {
    assertEquals(text, DurationOption.written(DurationOption.parse(text)));
  }
}
