package coral.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Optional;
import picocli.CommandLine.TypeConversionException;

/** Times in the past, as people write them. */
final class Since {
  private Since() {}

  /**
   * Reads a time.
   *
   * @param text an age such as {@code 90s}, {@code 15m}, {@code 24h} or {@code 7d}, a date in UTC,
   *     or an instant in ISO 8601
   * @throws TypeConversionException for anything else, and for a time before 1970
   */
  static Instant parse(String text, Instant now) {
    Instant since;
    Optional<Duration> age = DurationOption.read(text);
    try {
      if (age.isPresent()) {
        since = now.minus(age.get());
      } else if (text.indexOf('T') < 0) {
        since = LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant();
      } else {
        since = Instant.parse(text);
      }
    } catch (DateTimeException e) {
      throw wrong(text);
    }
    if (since.isBefore(Instant.EPOCH)) {
      throw wrong(text);
    }
    return since;
  }

  private static TypeConversionException wrong(String text) {
    return new TypeConversionException(
        "'" + text + "' is neither an age like 15m, 24h or 7d nor a time like 2026-05-01");
  }
}
