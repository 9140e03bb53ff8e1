package coral.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Aligned columns under a line of headings, for people.
 *
 * <p>On a terminal that is too narrow, columns are left out in the order that {@link #expendable}
 * gives; if that is not enough, the widest ones are shortened, the first column last.
 */
public final class Table {
  private static final String GAP = "  ";

  /** What a shortened cell ends with. */
  private static final String MORE = "…";

  /** A shortened column still tells its cells apart by this many characters, or is left alone. */
  private static final int MIN_CELL = 5;

  private final List<List<String>> rows = new ArrayList<>();
  private List<Integer> expendable = List.of();
  private List<Integer> states = List.of();

  /** A table with these headings. */
  public Table(String... headings) {
    rows.add(List.of(headings));
  }

  /**
   * The columns that may be left out where there is no room, the first of them first.
   *
   * @throws IllegalArgumentException if there is no such column
   */
  public Table expendable(String... headings) {
    expendable = columns(headings);
    return this;
  }

  /**
   * The columns that name states, which have colours.
   *
   * @throws IllegalArgumentException if there is no such column
   */
  public Table states(String... headings) {
    states = columns(headings);
    return this;
  }

  private List<Integer> columns(String... headings) {
    List<Integer> columns = new ArrayList<>();
    for (String heading : headings) {
      int column = rows.get(0).indexOf(heading);
      if (column < 0) {
        throw new IllegalArgumentException("there is no column " + heading);
      }
      columns.add(column);
    }
    return columns;
  }

  /**
   * Adds a row. An empty cell is shown as a dash; control characters, which could reach the
   * terminal from a stranger's name, as question marks.
   *
   * @throws IllegalArgumentException unless there is one cell for each heading
   */
  public Table row(String... cells) {
    if (cells.length != rows.get(0).size()) {
      throw new IllegalArgumentException(
          "a row needs " + rows.get(0).size() + " cells, not " + cells.length);
    }
    List<String> row = new ArrayList<>(cells.length);
    for (String cell : cells) {
      row.add(cell.isEmpty() ? "-" : printable(cell));
    }
    rows.add(row);
    return this;
  }

  /** All of it, without colours. Every line ends with a line feed and without trailing blanks. */
  @Override
  public String toString() {
    return on(Screen.PLAIN);
  }

  /** As it fits a screen. Every line ends with a line feed and without trailing blanks. */
  String on(Screen screen) {
    int[] widths = widths();
    List<Integer> shown = new ArrayList<>(IntStream.range(0, widths.length).boxed().toList());
    int limit = screen.width();
    if (limit > 0) {
      for (Integer column : expendable) {
        if (length(shown, widths) > limit) {
          shown.remove(column);
        }
      }
      shorten(shown, widths, limit);
    }
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < rows.size(); row++) {
      line(text, row, shown, widths, screen);
    }
    return text.toString();
  }

  private int[] widths() {
    int[] widths = new int[rows.get(0).size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    return widths;
  }

  private static int length(List<Integer> shown, int[] widths) {
    return shown.stream().mapToInt(column -> widths[column]).sum()
        + GAP.length() * (shown.size() - 1);
  }

  private static void shorten(List<Integer> shown, int[] widths, int limit) {
    int excess = length(shown, widths) - limit;
    while (excess > 0) {
      int widest = shown.get(0);
      for (int column : shown.subList(1, shown.size())) {
        boolean first = widest == shown.get(0);
        if (widths[column] > MIN_CELL && (first || widths[column] > widths[widest])) {
          widest = column;
        }
      }
      if (widths[widest] <= MIN_CELL) {
        return; // the terminal breaks the lines
      }
      widths[widest]--;
      excess--;
    }
  }

  private void line(StringBuilder text, int row, List<Integer> shown, int[] widths, Screen screen) {
    int blanks = 0;
    for (int column : shown) {
      String cell = rows.get(row).get(column);
      if (cell.length() > widths[column]) {
        cell = cell.substring(0, widths[column] - MORE.length()) + MORE;
      }
      Paint paint =
          row == 0 ? Paint.HEADING : states.contains(column) ? Paint.ofState(cell) : Paint.NONE;
      // No blanks at the end of a line: they come before the next cell.
      text.append(" ".repeat(blanks)).append(screen.paint(paint, cell));
      blanks = widths[column] - cell.length() + GAP.length();
    }
    text.append('\n');
  }

  /** Text from elsewhere as it may be shown on a terminal. */
  static String printable(String text) {
    return text.replaceAll("[\\p{Cntrl}\\p{Cf}]", "?");
  }
}
