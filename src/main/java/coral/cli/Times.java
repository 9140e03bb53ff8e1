package coral.cli;

import com.google.protobuf.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Protobuf's times as the JDK's. A time that was never set is absent, not 1970. */
final class Times {
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

  static Optional<String> present(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}
