package coral.discovery;

import coral.model.ColonyId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * Rows to write to a table, and to remove from it, of which the mesh id is the key. Many go into
 * one statement: DuckDB spends its time on statements, not on rows.
 */
final class Rows {
  /** Of one statement. */
  private static final int CHUNK = 50;

  private final String table;
  private final List<Object[]> rows = new ArrayList<>();
  private final List<Object> removed = new ArrayList<>();

  Rows(String table) {
    this.table = table;
  }

  /** Writes a row, of all the table's columns, in place of the one with its key. */
  void put(Object[] row) {
    rows.add(row);
  }

  void remove(ColonyId meshId) {
    removed.add(meshId.value());
  }

  void write(Connection connection) throws SQLException {
    for (List<Object[]> chunk : chunks(rows)) {
      String row = "(" + marks(chunk.get(0).length) + ")";
      execute(
          connection,
          "INSERT OR REPLACE INTO "
              + table
              + " VALUES "
              + String.join(", ", Collections.nCopies(chunk.size(), row)),
          chunk.stream().flatMap(Arrays::stream).toList());
    }
    for (List<Object> chunk : chunks(removed)) {
      execute(
          connection,
          "DELETE FROM " + table + " WHERE mesh_id IN (" + marks(chunk.size()) + ")",
          chunk);
    }
  }

  private static String marks(int count) {
    return String.join(", ", Collections.nCopies(count, "?"));
  }

  private static void execute(Connection connection, String sql, List<Object> values)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < values.size(); i++) {
        statement.setObject(i + 1, values.get(i));
      }
      statement.executeUpdate();
    }
  }

  private static <T> List<List<T>> chunks(List<T> all) {
    List<List<T>> chunks = new ArrayList<>();
    for (int from = 0; from < all.size(); from += CHUNK) {
      chunks.add(all.subList(from, Math.min(from + CHUNK, all.size())));
    }
    return chunks;
  }
}
