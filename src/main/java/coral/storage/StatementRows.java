package coral.storage;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;

/** Many rows for few statements. */
final class StatementRows {
  /** Rows in one statement: enough to make the cost per row small. */
  private static final int ROWS_PER_STATEMENT = 256;

  /** All rows in their order, those of each statement together; nothing for none. */
  static <T> List<List<T>> groups(Collection<T> all) {
    List<List<T>> groups = new ArrayList<>();
    Iterator<T> rest = all.iterator();
    while (rest.hasNext()) {
      List<T> group = new ArrayList<>();
      while (rest.hasNext() && group.size() < ROWS_PER_STATEMENT) {
        group.add(rest.next());
      }
      groups.add(group);
    }
    return groups;
  }

  /** The place holders of one row, for each row of a group, with commas between them. */
  static String places(String ofOneRow, List<?> group) {
    return ofOneRow + (", " + ofOneRow).repeat(group.size() - 1);
  }

  private StatementRows() {}
}
