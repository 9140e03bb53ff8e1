package coral.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** Times and sizes as people say them. */
public final class HumanTime {
  private static final Duration JUST_NOW = Duration.ofSeconds(1);

  private HumanTime() {}

  /** How long ago, in one unit: {@code "12 s ago"}; {@code "now"} within a second or later. */
  public static String ago(Instant then, Instant now) {
    Duration age = Duration.between(then, now);
    return age.compareTo(JUST_NOW) < 0 ? "now" : largestUnit(age) + " ago";
  }

  /** How far ahead, in one unit, rounded up to a whole second first: {@code "in 3 h"}. */
  static String in(Instant then, Instant now) {
    return "in " + largestUnit(Duration.between(now, then).plusSeconds(1).minusNanos(1));
  }

  /** A length of time in its largest unit, rounded down: {@code "3 min"}. */
  static String largestUnit(Duration length) {
    long seconds = length.toSeconds();
    if (seconds < 60) {
      return seconds + " s";
    }
    if (seconds < 3600) {
      return seconds / 60 + " min";
    }
    if (seconds < 86_400) {
      return seconds / 3600 + " h";
    }
    return seconds / 86_400 + " d";
  }

  /** A length of time in its two largest units: {@code "3 min 20 s"}. */
  static String twoUnits(Duration length) {
    long seconds = length.toSeconds();
    if (seconds < 60) {
      return seconds + " s";
    }
    if (seconds < 3600) {
      return seconds / 60 + " min " + seconds % 60 + " s";
    }
    if (seconds < 86_400) {
      return seconds / 3600 + " h " + seconds % 3600 / 60 + " min";
    }
    return seconds / 86_400 + " d " + seconds % 86_400 / 3600 + " h";
  }

  /** Milliseconds with two decimals: {@code "0.42 ms"}. */
  public static String milliseconds(Duration length) {
    return String.format(Locale.ROOT, "%.2f ms", length.toNanos() / 1e6);
  }

  /** A number of bytes in a binary unit: {@code "1.5 MiB"}. */
  static String bytes(long count) {
    if (count < 1024) {
      return count + " B";
    }
    String[] units = {"KiB", "MiB", "GiB", "TiB"};
    double value = count;
    int unit = -1;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", value, units[unit]);
  }
}
