package coral.cli;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/**
 * How much a terminal shows.
 *
 * @param rows at least 2
 * @param columns at least 20
 */
record TerminalSize(int rows, int columns) {
  /** That of the VT100. */
  static final TerminalSize USUAL = new TerminalSize(24, 80);

  TerminalSize {
    rows = Math.max(2, rows);
    columns = Math.max(20, columns);
  }

  /** That of the terminal that the process is controlled from, by its own account. */
  static TerminalSize measure() {
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(new File("/dev/tty"))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!stty.waitFor(1, TimeUnit.SECONDS)) {
        stty.destroy();
        return USUAL;
      }
      return parse(
          new String(stty.getInputStream().readNBytes(64), StandardCharsets.US_ASCII).strip());
    } catch (IOException e) {
      return USUAL;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return USUAL;
    }
  }

  /** Reads {@code "24 80"}; what does not know its size says 0 for both. */
  static TerminalSize parse(String text) {
    if (!text.matches("[1-9][0-9]{0,3} [1-9][0-9]{0,3}")) {
      return USUAL;
    }
    int blank = text.indexOf(' ');
    return new TerminalSize(
        Integer.parseInt(text.substring(0, blank)), Integer.parseInt(text.substring(blank + 1)));
  }
}
