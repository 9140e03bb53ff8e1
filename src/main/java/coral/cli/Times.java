package coral.cli;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;

/** Protobuf's times as the JDK's. A time that was never set is absent, not 1970. */
final class Times {
  private static final DateTimeFormatter MINUTE =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm 'UTC'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("uuuu-MM-dd", Locale.ROOT).withZone(ZoneOffset.UTC);

  private Times() {}

  static Optional<Instant> instant(Timestamp time) {
    return time.equals(Timestamp.getDefaultInstance())
        ? Optional.empty()
        : Optional.of(Instant.ofEpochSecond(time.getSeconds(), time.getNanos()));
  }

  static Duration duration(com.google.protobuf.Duration length) {
    return Duration.ofSeconds(length.getSeconds(), length.getNanos());
  }

  /** How long ago; empty if the time is absent. */
  static String ago(Timestamp time, Instant now) {
    return instant(time).map(then -> HumanTime.ago(then, now)).orElse("");
  }

  /** How long ago, as a length of time: {@code "12 s"}; empty if the time is absent. */
  static String age(Timestamp time, Instant now) {
    return instant(time)
        .map(then -> HumanTime.largestUnit(Duration.between(then.isAfter(now) ? now : then, now)))
        .orElse("");
  }

  /** How far away, before or after: {@code "in 3 h"}, {@code "2 d ago"}; empty if absent. */
  static String distance(Timestamp time, Instant now) {
    return instant(time)
        .map(then -> then.isAfter(now) ? HumanTime.in(then, now) : HumanTime.ago(then, now))
        .orElse("");
  }

  /** A time to the minute, and how far away it is; a dash if absent. */
  static String moment(Timestamp time, Instant now) {
    return instant(time)
        .map(then -> MINUTE.format(then) + " (" + distance(time, now) + ")")
        .orElse("-");
  }

  /** The day in UTC; empty if absent. */
  static String day(Timestamp time) {
    return instant(time).map(DAY::format).orElse("");
  }

  static Optional<String> present(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}
