package coral.cli.quickstart;

import java.util.List;

/** Why there is no mesh, with the last lines of the process that is to blame. */
final class QuickstartFailedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String reason;
  private final transient List<String> lastLines;

  QuickstartFailedException(String message) {
    this(message, List.of());
  }

  QuickstartFailedException(String message, List<String> lastLines) {
    super(message);
    this.reason = message;
    this.lastLines = List.copyOf(lastLines);
  }

  /** One sentence for people. */
  String reason() {
    return reason;
  }

  /** What the process wrote last; empty if none is to blame. */
  List<String> lastLines() {
    return lastLines;
  }
}
