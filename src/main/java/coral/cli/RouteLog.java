package coral.cli;

import java.io.PrintWriter;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a command tries on its way to a colony: told as it happens to whoever asked for it ({@code
 * --verbose}, RFD 005, appendix E), and kept for the message of its failure.
 */
final class RouteLog {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss", Locale.ROOT);

  private final Optional<PrintWriter> out;
  private final InstantSource clock;
  private final List<String> failures = new ArrayList<>();

  private RouteLog(Optional<PrintWriter> out, InstantSource clock) {
    this.out = out;
    this.clock = clock;
  }

  /** Tells it line by line, with the local time. */
  static RouteLog to(PrintWriter out, InstantSource clock) {
    return new RouteLog(Optional.of(out), clock);
  }

  /** Only keeps it. */
  static RouteLog silent() {
    return new RouteLog(Optional.empty(), InstantSource.system());
  }

  /** Tells a step. */
  void say(String step) {
    if (out.isPresent()) {
      String time = TIME.format(clock.instant().atZone(ZoneId.systemDefault()));
      out.get().println("[" + time + "] " + Table.printable(step));
      out.get().flush();
    }
  }

  /** Tells a step, and keeps why a way is not taken. */
  void failed(String way, String reason) {
    String line = way + ": " + Table.printable(reason);
    say(line);
    failures.add(line);
  }

  /** Why each way was not taken, in the order of the attempts. */
  List<String> failures() {
    return List.copyOf(failures);
  }
}
