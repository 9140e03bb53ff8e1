package coral.cli;

import java.io.PrintWriter;
import java.util.List;

/**
 * A terminal that shows one text and then another in its place, with the sequences that every
 * terminal since the VT100 knows, and xterm's second screen, so that what stood there before is
 * there again afterwards.
 */
final class LiveScreen implements AutoCloseable {
  private static final String ENTER = "\u001b[?1049h\u001b[?25l";
  private static final String LEAVE = "\u001b[?25h\u001b[?1049l";

  /** ECMA-48: CUP, EL, ED. */
  private static final String HOME = "\u001b[H";

  private static final String ERASE_TO_END_OF_LINE = "\u001b[K";
  private static final String ERASE_BELOW = "\u001b[J";

  private final PrintWriter out;
  private boolean left;

  /** Takes the terminal. */
  LiveScreen(PrintWriter out) {
    this.out = out;
    out.print(ENTER);
    out.flush();
  }

  /**
   * Shows a text, as much of it as there is room for.
   *
   * @param text lines that fit, each with a line feed
   * @param rows of the terminal
   */
  void show(String text, int rows) {
    List<String> lines = text.lines().toList();
    boolean fits = lines.size() <= rows;
    int shown = fits ? lines.size() : rows - 1;
    StringBuilder drawn = new StringBuilder(HOME);
    for (int i = 0; i < shown; i++) {
      drawn.append(lines.get(i)).append(ERASE_TO_END_OF_LINE).append(i < rows - 1 ? "\r\n" : "");
    }
    if (!fits) {
      drawn
          .append("… and ")
          .append(lines.size() - shown)
          .append(" more")
          .append(ERASE_TO_END_OF_LINE);
    }
    out.print(drawn.append(ERASE_BELOW));
    out.flush();
  }

  /** Gives the terminal back as it was. */
  @Override
  public void close() {
    if (!left) {
      left = true;
      out.print(LEAVE);
      out.flush();
    }
  }
}
