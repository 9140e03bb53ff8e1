package coral.cli;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** From one echo to the next: {@code 500ms}, {@code 2s}, or seconds as ping(8) has them, 0.2. */
final class PingInterval implements ITypeConverter<Duration> {
  private static final Pattern SYNTAX = Pattern.compile("(\\d{1,6}(?:\\.\\d{1,3})?)(ms|s)?");
  private static final Duration MIN = Duration.ofMillis(100);
  private static final Duration MAX = Duration.ofSeconds(60);

  @Override
  public Duration convert(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    if (matcher.matches()) {
      boolean milliseconds = "ms".equals(matcher.group(2));
      Duration interval =
          Duration.ofNanos(
              new BigDecimal(matcher.group(1))
                  .movePointRight(milliseconds ? 6 : 9)
                  .longValueExact());
      if (interval.compareTo(MIN) >= 0 && interval.compareTo(MAX) <= 0) {
        return interval;
      }
    }
    throw new TypeConversionException(
        "expected 100ms to 60s, such as 500ms, 2s or 0.2, not '" + text + "'");
  }
}
