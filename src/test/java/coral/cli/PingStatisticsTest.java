package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class PingStatisticsTest {
  private static Optional<Duration> millis(long millis) {
    return Optional.of(Duration.ofMillis(millis));
  }

  @Test
  void percentilesAreByNearestRank() {
    PingStatistics statistics = new PingStatistics();
    for (int i = 100; i >= 1; i--) {
      statistics.add(millis(i));
    }
    assertEquals(millis(1), statistics.percentile(0));
    assertEquals(millis(50), statistics.percentile(50));
    assertEquals(millis(95), statistics.percentile(95));
    assertEquals(millis(99), statistics.percentile(99));
    assertEquals(millis(100), statistics.percentile(100));
    assertEquals(
        "100 sent, 100 answered, 0 % lost, min/p50/p95/p99/max 1.00/50.00/95.00/99.00/100.00 ms",
        statistics.toString());
  }

  @Test
  void oneAnswerIsEveryPercentileAndWhatIsLostCounts() {
    PingStatistics statistics = new PingStatistics();
    statistics.add(Optional.empty());
    statistics.add(millis(7));
    statistics.add(Optional.empty());
    assertEquals("66.7 %", statistics.loss());
    assertEquals(millis(7), statistics.percentile(0));
    assertEquals(millis(7), statistics.percentile(99));
  }

  @Test
  void withoutAnswersThereAreNoTimes() {
    PingStatistics statistics = new PingStatistics();
    statistics.add(Optional.empty());
    assertEquals("1 sent, 0 answered, 100 % lost", statistics.toString());
    assertEquals(Optional.empty(), statistics.percentile(50));
  }

  @ParameterizedTest
  @CsvSource({"100ms,100", "0.1,100", "1,1000", "2s,2000", "0.25s,250", "60,60000", "1500ms,1500"})
  void anIntervalIsMillisecondsOrSeconds(String text, long millis) {
    assertEquals(Duration.ofMillis(millis), new PingInterval().convert(text));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "99ms", "0.09", "61s", "60.001", "1m", "-1", "1e3", "0.0001", ".5", "x"})
  void anyOtherIntervalIsRefused(String text) {
    assertThrows(TypeConversionException.class, () -> new PingInterval().convert(text));
  }
}
