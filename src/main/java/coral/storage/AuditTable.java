package coral.storage;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * The tables of the audit log. Rows are only ever added. Knows nothing of what their hashes and
 * signatures mean. Every method blocks on the database and is one transaction.
 */
public final class AuditTable {
  /** What this needs in its file. */
  static final String SCHEMA = "db/audit.sql";

  private static final String COLUMNS =
      "sequence, time, kind, actor, mesh_address, source_address, subject, detail, request_id,"
          + " hash";

  /**
   * One record.
   *
   * @param time in whole microseconds
   */
  public record Row(
      long sequence,
      Instant time,
      String kind,
      String actor,
      String meshAddress,
      String sourceAddress,
      String subject,
      String detail,
      String requestId,
      String hash) {}

  /**
   * One root.
   *
   * @param signedAt in whole seconds
   */
  public record Root(
      long firstSequence,
      long lastSequence,
      String hash,
      Instant signedAt,
      String signature,
      String certificates) {}

  /**
   * What there is.
   *
   * @param covered the last record that a root covers; 0 if none
   */
  public record Contents(List<Row> last, long count, Map<String, Long> journals, long covered) {}

  /**
   * Which records.
   *
   * @param after only those with a higher sequence number
   * @param since only those of this time or later
   * @param agentId only those about this agent, or of its doing
   */
  public record Filter(
      long after, Optional<Instant> since, Optional<String> agentId, Optional<String> kind) {}

  /**
   * Some records, in their order.
   *
   * @param lastLookedAt the last record that was compared with the filter
   * @param more whether there are others after it
   */
  public record Page(List<Row> rows, long lastLookedAt, boolean more) {}

  private final DuckDbFile file;

  /** The tables in this file, which has been opened with their schema. */
  public AuditTable(DuckDbFile file) {
    this.file = file;
  }

  /**
   * What there is now.
   *
   * @param rows how many of the last rows to give
   * @throws StoreException if the database cannot be read
   */
  public Contents contents(int rows) throws StoreException {
    return file.inTransaction(
        connection -> {
          long count = number(connection, "SELECT count(*) FROM audit_records");
          long covered =
              number(connection, "SELECT coalesce(max(last_sequence), 0) FROM audit_roots");
          Map<String, Long> journals = new HashMap<>();
          try (Statement statement = connection.createStatement();
              ResultSet result =
                  statement.executeQuery("SELECT journal, sequence_number FROM audit_journals")) {
            while (result.next()) {
              journals.put(result.getString(1), result.getLong(2));
            }
          }
          return new Contents(last(connection, rows), count, journals, covered);
        });
  }

  private static List<Row> last(Connection connection, int limit) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT * FROM (SELECT "
                + COLUMNS
                + " FROM audit_records ORDER BY sequence DESC LIMIT ?) ORDER BY sequence")) {
      statement.setInt(1, limit);
      read(statement, rows::add);
    }
    return rows;
  }

  private static long number(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      result.next();
      return result.getLong(1);
    }
  }

  /**
   * Adds rows, and sets how far journals have been recorded.
   *
   * @throws StoreException if the database cannot be written; it is not known then whether they
   *     were added
   */
  public void append(List<Row> rows, Map<String, Long> journals) throws StoreException {
    file.inTransaction(
        connection -> {
          append(connection, rows);
          try (PreparedStatement statement =
              connection.prepareStatement(
                  "INSERT INTO audit_journals VALUES (?, ?) ON CONFLICT (journal)"
                      + " DO UPDATE SET sequence_number = excluded.sequence_number")) {
            for (Map.Entry<String, Long> journal : journals.entrySet()) {
              statement.setString(1, journal.getKey());
              statement.setLong(2, journal.getValue());
              statement.executeUpdate();
            }
          }
          return 0;
        });
  }

  /** DuckDB's Appender must be flushed: its {@code close} swallows errors. */
  private static void append(Connection connection, List<Row> rows) throws SQLException {
    if (rows.isEmpty()) {
      return;
    }
    try (DuckDBAppender appender =
        connection.unwrap(DuckDBConnection.class).createAppender("audit_records")) {
      for (Row row : rows) {
        appender.beginRow();
        appender.append(row.sequence());
        appender.append(Timestamps.of(row.time()));
        appender.append(row.kind());
        appender.append(row.actor());
        appender.append(row.meshAddress());
        appender.append(row.sourceAddress());
        appender.append(row.subject());
        appender.append(row.detail());
        appender.append(row.requestId());
        appender.append(row.hash());
        appender.endRow();
      }
      appender.flush();
    }
  }

  /**
   * The last row after {@code after} whose time is before {@code end}.
   *
   * @throws StoreException if the database cannot be read
   */
  public Optional<Long> lastBefore(long after, Instant end) throws StoreException {
    return file.inTransaction(
        connection -> {
          try (PreparedStatement statement =
              connection.prepareStatement(
                  "SELECT max(sequence) FROM audit_records WHERE sequence > ? AND time < ?")) {
            statement.setLong(1, after);
            statement.setObject(2, Timestamps.of(end));
            try (ResultSet result = statement.executeQuery()) {
              result.next();
              long last = result.getLong(1);
              return result.wasNull() ? Optional.<Long>empty() : Optional.of(last);
            }
          }
        });
  }

  /**
   * Gives the rows from {@code first} to {@code last}, both included, in their order.
   *
   * @throws StoreException if the database cannot be read
   */
  public void rows(long first, long last, Consumer<Row> each) throws StoreException {
    file.inTransaction(
        connection -> {
          try (PreparedStatement statement =
              connection.prepareStatement(
                  "SELECT "
                      + COLUMNS
                      + " FROM audit_records WHERE sequence BETWEEN ? AND ? ORDER BY sequence")) {
            statement.setLong(1, first);
            statement.setLong(2, last);
            read(statement, each);
          }
          return 0;
        });
  }

  /**
   * The next rows that pass the filter.
   *
   * @throws StoreException if the database cannot be read
   */
  public Page page(Filter filter, int limit) throws StoreException {
    return file.inTransaction(
        connection -> {
          long last = number(connection, "SELECT coalesce(max(sequence), 0) FROM audit_records");
          List<Row> rows = new ArrayList<>();
          try (PreparedStatement statement = connection.prepareStatement(select(filter))) {
            int parameter = 1;
            statement.setLong(parameter++, filter.after());
            if (filter.since().isPresent()) {
              statement.setObject(parameter++, Timestamps.of(filter.since().get()));
            }
            if (filter.agentId().isPresent()) {
              statement.setString(parameter++, filter.agentId().get());
              statement.setString(parameter++, "agent/" + filter.agentId().get());
            }
            if (filter.kind().isPresent()) {
              statement.setString(parameter++, filter.kind().get());
            }
            statement.setInt(parameter, limit + 1);
            read(statement, rows::add);
          }
          if (rows.size() <= limit) {
            return new Page(rows, Math.max(last, filter.after()), false);
          }
          List<Row> page = rows.subList(0, limit);
          return new Page(List.copyOf(page), page.get(limit - 1).sequence(), true);
        });
  }

  /**
   * The newest row of this kind about each subject, the newest first.
   *
   * @param since only of this time or later
   * @throws StoreException if the database cannot be read
   */
  public List<Row> newestBySubject(String kind, Instant since, int limit) throws StoreException {
    return file.inTransaction(
        connection -> {
          List<Row> rows = new ArrayList<>();
          try (PreparedStatement statement =
              connection.prepareStatement(
                  "SELECT "
                      + COLUMNS
                      + " FROM audit_records WHERE kind = ? AND time >= ? QUALIFY row_number()"
                      + " OVER (PARTITION BY subject ORDER BY sequence DESC) = 1"
                      + " ORDER BY sequence DESC LIMIT ?")) {
            statement.setString(1, kind);
            statement.setObject(2, Timestamps.of(since));
            statement.setInt(3, limit);
            read(statement, rows::add);
          }
          return rows;
        });
  }

  private static String select(Filter filter) {
    return "SELECT "
        + COLUMNS
        + " FROM audit_records WHERE sequence > ?"
        + (filter.since().isPresent() ? " AND time >= ?" : "")
        + (filter.agentId().isPresent() ? " AND (subject = ? OR actor = ?)" : "")
        + (filter.kind().isPresent() ? " AND kind = ?" : "")
        + " ORDER BY sequence LIMIT ?";
  }

  private static void read(PreparedStatement statement, Consumer<Row> each) throws SQLException {
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        each.accept(
            new Row(
                result.getLong(1),
                Timestamps.read(result, 2),
                result.getString(3),
                result.getString(4),
                result.getString(5),
                result.getString(6),
                result.getString(7),
                result.getString(8),
                result.getString(9),
                result.getString(10)));
      }
    }
  }

  /**
   * Adds a root.
   *
   * @throws StoreException if the database cannot be written
   */
  public void append(Root root) throws StoreException {
    file.inTransaction(
        connection -> {
          try (PreparedStatement statement =
              connection.prepareStatement("INSERT INTO audit_roots VALUES (?, ?, ?, ?, ?, ?)")) {
            statement.setLong(1, root.firstSequence());
            statement.setLong(2, root.lastSequence());
            statement.setString(3, root.hash());
            statement.setObject(4, Timestamps.of(root.signedAt()));
            statement.setString(5, root.signature());
            statement.setString(6, root.certificates());
            return statement.executeUpdate();
          }
        });
  }

  /**
   * The next roots, in their order.
   *
   * @param after only those that cover records after this one
   * @throws StoreException if the database cannot be read
   */
  public List<Root> roots(long after, int limit) throws StoreException {
    return file.inTransaction(
        connection -> {
          List<Root> roots = new ArrayList<>();
          try (PreparedStatement statement =
              connection.prepareStatement(
                  "SELECT first_sequence, last_sequence, hash, signed_at, signature, certificates"
                      + " FROM audit_roots WHERE last_sequence > ? ORDER BY last_sequence"
                      + " LIMIT ?")) {
            statement.setLong(1, after);
            statement.setInt(2, limit);
            try (ResultSet result = statement.executeQuery()) {
              while (result.next()) {
                roots.add(
                    new Root(
                        result.getLong(1),
                        result.getLong(2),
                        result.getString(3),
                        Timestamps.read(result, 4),
                        result.getString(5),
                        result.getString(6)));
              }
            }
          }
          return roots;
        });
  }
}
