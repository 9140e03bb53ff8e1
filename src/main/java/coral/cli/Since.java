package coral.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.TypeConversionException;

/** Times in the past, as people write them. */
final class Since {
  private static final Pattern AGE = Pattern.compile("(\\d{1,6})([smhd])");

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
    Matcher age = AGE.matcher(text);
    try {
      if (age.matches()) {
        since = now.minus(Duration.ofSeconds(Long.parseLong(age.group(1)) * seconds(age.group(2))));
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

  private static int seconds(String unit) {
    return switch (unit) {
      case "s" -> 1;
      case "m" -> 60;
      case "h" -> 3_600;
      default -> 86_400;
    };
  }

  private static TypeConversionException wrong(String text) {
    return new TypeConversionException(
        "'" + text + "' is neither an age like 15m, 24h or 7d nor a time like 2026-05-01");
  }
}
