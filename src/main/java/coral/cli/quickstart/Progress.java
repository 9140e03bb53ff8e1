package coral.cli.quickstart;

import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;

/** Prints each step with the time at which it was done and how long it took. */
final class Progress {
  private final PrintWriter out;
  private final InstantSource clock;
  private final Instant start;

  Progress(PrintWriter out, InstantSource clock) {
    this.out = out;
    this.clock = clock;
    this.start = clock.instant();
  }

  /** A line with the time since the start. */
  void say(String line) {
    out.println(seconds(elapsed()) + "  " + line);
    out.flush();
  }

  /** Time since the start. */
  Duration elapsed() {
    return Duration.between(start, clock.instant());
  }

  /** A line without a time, such as one of a table. */
  void plain(String text) {
    out.print(text);
    out.flush();
  }

  static String seconds(Duration time) {
    return String.format(Locale.ROOT, "%7.3f s", time.toNanos() / 1e9);
  }
}
