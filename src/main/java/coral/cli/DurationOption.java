package coral.cli;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A length of time on the command line, within bounds: {@code 90s}, {@code 15m}, {@code 24h}. */
abstract class DurationOption implements ITypeConverter<Duration> {
  /** Nine digits of days are no overflow. */
  private static final Pattern SYNTAX = Pattern.compile("(\\d{1,9})([smhd])");

  private final Duration min;
  private final Duration max;

  DurationOption(Duration min, Duration max) {
    this.min = min;
    this.max = max;
  }

  @Override
  public final Duration convert(String text) {
    Duration length = parse(text);
    if (length.compareTo(min) < 0 || length.compareTo(max) > 0) {
      throw new TypeConversionException(
          "expected " + written(min) + " to " + written(max) + ", not '" + text + "'");
    }
    return length;
  }

  /**
   * Reads a length of time: a whole number and one unit.
   *
   * @throws TypeConversionException saying what was expected
   */
  static Duration parse(String text) {
    return read(text)
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "expected a whole number and a unit, such as 90s, 15m, 24h or 7d, not '"
                        + text
                        + "'"));
  }

  /** The same; empty if the text is something else. */
  static Optional<Duration> read(String text) {
    Matcher matcher = SYNTAX.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    long count = Long.parseLong(matcher.group(1));
    return Optional.of(
        switch (matcher.group(2)) {
          case "s" -> Duration.ofSeconds(count);
          case "m" -> Duration.ofMinutes(count);
          case "h" -> Duration.ofHours(count);
          default -> Duration.ofDays(count);
        });
  }

  /** In the largest unit that needs no other: what {@link #parse} reads again. */
  static String written(Duration length) {
    long seconds = length.toSeconds();
    if (seconds == 0 || seconds % 60 != 0) {
      return seconds + "s";
    }
    if (seconds % 3600 != 0) {
      return seconds / 60 + "m";
    }
    return seconds % 86_400 != 0 ? seconds / 3600 + "h" : seconds / 86_400 + "d";
  }

  /** For a call: options have whole seconds. */
  static com.google.protobuf.Duration message(Duration length) {
    return com.google.protobuf.Duration.newBuilder().setSeconds(length.toSeconds()).build();
  }
}
