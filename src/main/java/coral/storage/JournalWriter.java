package coral.storage;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.persistence.jdbc.journal.dao.JournalTables.JournalPekkoSerializationRow;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;
import scala.collection.immutable.Set;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Writes journal rows on one connection, each call one transaction. For one thread. After a failure
 * it must be closed; it then opens itself anew, because DuckDB's statements are dead after an
 * error.
 *
 * <p>Few rows go by INSERT, more by DuckDB's Appender, which takes a fifth of the time for each
 * row. The Appender must be flushed, because its {@code close} swallows errors, within a
 * transaction that has begun, because it commits by itself otherwise. Hence the explicit BEGIN: a
 * connection without auto-commit begins lazily, with its first statement.
 */
final class JournalWriter {
  private static final String INSERT =
      "INSERT INTO event_journal (ordering, deleted, persistence_id, sequence_number, writer,"
          + " write_timestamp, adapter_manifest, event_payload, event_ser_id, event_ser_manifest,"
          + " meta_payload, meta_ser_id, meta_ser_manifest) VALUES ";

  private static final String ROW = "(?,?,?,?,?,?,?,?,?,?,?,?,?)";

  /**
   * DuckDB prepares a statement again whenever a NULL is bound, which takes three times as long.
   */
  private static final String ROW_WITHOUT_METADATA = "(?,?,?,?,?,?,?,?,?,?,NULL,NULL,NULL)";

  /** Tags in one statement. More gain nothing. */
  private static final int TAGS_PER_STATEMENT = 256;

  /** From so many rows on the Appender is faster. */
  private static final int APPENDED_ROWS = 16;

  private final DuckDbFile file;
  private final Map<String, PreparedStatement> statements = new HashMap<>();
  private @Nullable DuckDBConnection connection;
  private @Nullable DuckDBAppender appender;
  private long nextOrdering;

  JournalWriter(DuckDbFile file) {
    this.file = file;
  }

  void write(List<Tuple2<JournalPekkoSerializationRow, Set<String>>> events)
      throws SQLException, StoreException {
    DuckDBConnection open = connection();
    execute(open, "BEGIN TRANSACTION");
    if (events.size() < APPENDED_ROWS) {
      insert(open, events);
    } else {
      append(open, events);
    }
    writeTags(open, tags(events));
    execute(open, "COMMIT");
    nextOrdering += events.size();
  }

  private static void execute(Connection open, String sql) throws SQLException {
    try (Statement statement = open.createStatement()) {
      statement.execute(sql);
    }
  }

  private void insert(
      Connection open, List<Tuple2<JournalPekkoSerializationRow, Set<String>>> events)
      throws SQLException {
    long ordering = nextOrdering;
    int from = 0;
    while (from < events.size()) {
      // Chunks of powers of two, so that few statements serve every size.
      int rows = Integer.highestOneBit(events.size() - from);
      List<Tuple2<JournalPekkoSerializationRow, Set<String>>> chunk =
          events.subList(from, from + rows);
      boolean metadata = chunk.stream().anyMatch(event -> event._1().metaPayload().isDefined());
      String row = metadata ? ROW : ROW_WITHOUT_METADATA;
      PreparedStatement insert = prepare(open, INSERT + row + ("," + row).repeat(rows - 1));
      int parameter = 0;
      for (Tuple2<JournalPekkoSerializationRow, Set<String>> event : chunk) {
        parameter = bind(insert, parameter, ordering++, event._1(), metadata);
      }
      insert.executeUpdate();
      from += rows;
    }
  }

  private void append(
      DuckDBConnection open, List<Tuple2<JournalPekkoSerializationRow, Set<String>>> events)
      throws SQLException {
    DuckDBAppender rows = appender;
    if (rows == null) {
      rows = open.createAppender("event_journal");
      appender = rows;
    }
    long ordering = nextOrdering;
    for (Tuple2<JournalPekkoSerializationRow, Set<String>> event : events) {
      append(rows, ordering++, event._1());
    }
    rows.flush();
  }

  /** In the order of the columns in {@code journal.sql}. */
  private static void append(DuckDBAppender rows, long ordering, JournalPekkoSerializationRow row)
      throws SQLException {
    rows.beginRow();
    rows.append(ordering);
    rows.append(row.deleted());
    rows.append(row.persistenceId());
    rows.append(row.sequenceNumber());
    rows.append(row.writer());
    rows.append(row.writeTimestamp());
    rows.append(row.adapterManifest());
    rows.append(row.eventSerId());
    rows.append(row.eventSerManifest());
    rows.append(row.eventPayload());
    if (row.metaPayload().isDefined()) {
      rows.append(((Number) row.metaSerId().get()).intValue());
      rows.append(row.metaSerManifest().get());
      rows.append(row.metaPayload().get());
    } else {
      rows.appendNull();
      rows.appendNull();
      rows.appendNull();
    }
    rows.endRow();
  }

  private List<Tuple2<Long, String>> tags(
      List<Tuple2<JournalPekkoSerializationRow, Set<String>>> events) {
    List<Tuple2<Long, String>> tags = new ArrayList<>();
    long ordering = nextOrdering;
    for (Tuple2<JournalPekkoSerializationRow, Set<String>> event : events) {
      for (String tag : CollectionConverters.asJava(event._2())) {
        tags.add(new Tuple2<>(ordering, tag));
      }
      ordering++;
    }
    return tags;
  }

  private static int bind(
      PreparedStatement insert,
      int offset,
      long ordering,
      JournalPekkoSerializationRow row,
      boolean metadata)
      throws SQLException {
    int parameter = offset;
    insert.setLong(++parameter, ordering);
    insert.setBoolean(++parameter, row.deleted());
    insert.setString(++parameter, row.persistenceId());
    insert.setLong(++parameter, row.sequenceNumber());
    insert.setString(++parameter, row.writer());
    insert.setLong(++parameter, row.writeTimestamp());
    insert.setString(++parameter, row.adapterManifest());
    insert.setBytes(++parameter, row.eventPayload());
    insert.setInt(++parameter, row.eventSerId());
    insert.setString(++parameter, row.eventSerManifest());
    if (metadata) {
      if (row.metaPayload().isDefined()) {
        insert.setBytes(++parameter, row.metaPayload().get());
        insert.setInt(++parameter, ((Number) row.metaSerId().get()).intValue());
        insert.setString(++parameter, row.metaSerManifest().get());
      } else {
        insert.setNull(++parameter, Types.BLOB);
        insert.setNull(++parameter, Types.INTEGER);
        insert.setNull(++parameter, Types.VARCHAR);
      }
    }
    return parameter;
  }

  private static void writeTags(Connection open, List<Tuple2<Long, String>> tags)
      throws SQLException {
    for (int from = 0; from < tags.size(); from += TAGS_PER_STATEMENT) {
      List<Tuple2<Long, String>> chunk =
          tags.subList(from, Math.min(tags.size(), from + TAGS_PER_STATEMENT));
      String sql =
          "INSERT INTO event_tag (event_id, tag) VALUES (?,?)" + ",(?,?)".repeat(chunk.size() - 1);
      try (PreparedStatement insert = open.prepareStatement(sql)) {
        int parameter = 0;
        for (Tuple2<Long, String> tag : chunk) {
          insert.setLong(++parameter, tag._1());
          insert.setString(++parameter, tag._2());
        }
        insert.executeUpdate();
      }
    }
  }

  private PreparedStatement prepare(Connection open, String sql) throws SQLException {
    PreparedStatement statement = statements.get(sql);
    if (statement == null) {
      statement = open.prepareStatement(sql);
      statements.put(sql, statement);
    }
    return statement;
  }

  private DuckDBConnection connection() throws SQLException, StoreException {
    DuckDBConnection open = connection;
    if (open == null) {
      open = file.connect().unwrap(DuckDBConnection.class);
      connection = open;
      // No sequence: this process is the only writer of the file, and this the only one in it, so
      // events are numbered in the order of their commits and no reader sees a gap.
      try (Statement statement = open.createStatement();
          ResultSet last =
              statement.executeQuery("SELECT coalesce(max(ordering), 0) FROM event_journal")) {
        last.next();
        nextOrdering = last.getLong(1) + 1;
      }
    }
    return open;
  }

  /** Lets go of the connection and rolls back what it had begun. */
  void close() {
    DuckDBConnection open = connection;
    connection = null;
    List<AutoCloseable> all = new ArrayList<>(statements.values());
    statements.clear();
    if (appender != null) {
      all.add(appender);
      appender = null;
    }
    if (open != null) {
      all.add(open);
    }
    all.forEach(JournalWriter::closeQuietly);
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // Broken already; closing the connection rolls back.
      return;
    }
  }
}
