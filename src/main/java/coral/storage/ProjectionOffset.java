package coral.storage;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * How far the projection into one table has read its journal, kept in the transaction of its rows.
 * The number of rows shows that nobody dropped or emptied the table since.
 */
final class ProjectionOffset {
  private final String table;
  private final String version;

  /**
   * The offset of a table.
   *
   * @param table also the name of the projection
   * @param version of how rows are computed: those of another version are computed anew
   */
  ProjectionOffset(String table, String version) {
    this.table = table;
    this.version = version;
  }

  /** Whether the table shows what the journal says up to the offset, and nothing else. */
  boolean isComplete(Connection connection) throws SQLException {
    try (ResultSet offset = select(connection, "row_count, version")) {
      long rows = rows(connection);
      return offset.next()
          ? offset.getLong(1) == rows && version.equals(offset.getString(2))
          : rows == 0;
    }
  }

  /** Empties the table and forgets the offset: the rows are computed anew. */
  void reset(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.executeUpdate("DELETE FROM " + table);
      statement.executeUpdate("DELETE FROM projection_offset WHERE projection = '" + table + "'");
    }
  }

  /** The sequence number of the last event that the table shows; 0 if none. */
  long read(Connection connection) throws SQLException {
    try (ResultSet offset = select(connection, "sequence_number")) {
      return offset.next() ? offset.getLong(1) : 0;
    }
  }

  void save(Connection connection, long sequenceNumber) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "INSERT INTO projection_offset (projection, sequence_number, row_count, version)"
                + " VALUES (?, ?, ?, ?) ON CONFLICT (projection) DO UPDATE SET sequence_number"
                + " = excluded.sequence_number, row_count = excluded.row_count, version ="
                + " excluded.version")) {
      statement.setString(1, table);
      statement.setLong(2, sequenceNumber);
      statement.setLong(3, rows(connection));
      statement.setString(4, version);
      statement.executeUpdate();
    }
  }

  private ResultSet select(Connection connection, String columns) throws SQLException {
    PreparedStatement statement =
        connection.prepareStatement(
            "SELECT " + columns + " FROM projection_offset WHERE projection = ?");
    statement.closeOnCompletion();
    statement.setString(1, table);
    return statement.executeQuery();
  }

  /** How many rows the table has. */
  long rows(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet count = statement.executeQuery("SELECT count(*) FROM " + table)) {
      count.next();
      return count.getLong(1);
    }
  }
}
