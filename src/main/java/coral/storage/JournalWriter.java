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
import org.jspecify.annotations.Nullable;
import scala.Tuple2;
import scala.collection.immutable.Set;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Writes journal rows on one connection, each call one transaction. For one thread. After a failure
 * it must be closed; it then opens itself anew, because DuckDB's statements are dead after an
 * error.
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

  /** Rows in one statement; a power of two. More gain nothing. */
  private static final int MAX_ROWS = 256;

  private final DuckDbFile file;
  private final Map<String, PreparedStatement> statements = new HashMap<>();
  private @Nullable Connection connection;
  private long nextOrdering;

  JournalWriter(DuckDbFile file) {
    this.file = file;
  }

  void write(List<Tuple2<JournalPekkoSerializationRow, Set<String>>> events)
      throws SQLException, StoreException {
    Connection open = connection();
    long ordering = nextOrdering;
    List<Tuple2<Long, String>> tags = new ArrayList<>();
    int from = 0;
    while (from < events.size()) {
      // Chunks of powers of two, so that nine statements serve every size.
      int rows = Math.min(MAX_ROWS, Integer.highestOneBit(events.size() - from));
      List<Tuple2<JournalPekkoSerializationRow, Set<String>>> chunk =
          events.subList(from, from + rows);
      boolean metadata = chunk.stream().anyMatch(event -> event._1().metaPayload().isDefined());
      String row = metadata ? ROW : ROW_WITHOUT_METADATA;
      PreparedStatement insert = prepare(open, INSERT + row + ("," + row).repeat(rows - 1));
      int parameter = 0;
      for (Tuple2<JournalPekkoSerializationRow, Set<String>> event : chunk) {
        for (String tag : CollectionConverters.asJava(event._2())) {
          tags.add(new Tuple2<>(ordering, tag));
        }
        parameter = bind(insert, parameter, ordering++, event._1(), metadata);
      }
      insert.executeUpdate();
      from += rows;
    }
    writeTags(open, tags);
    open.commit();
    nextOrdering = ordering;
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
    for (int from = 0; from < tags.size(); from += MAX_ROWS) {
      List<Tuple2<Long, String>> chunk = tags.subList(from, Math.min(tags.size(), from + MAX_ROWS));
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

  private Connection connection() throws SQLException, StoreException {
    Connection open = connection;
    if (open == null) {
      open = file.connect();
      connection = open;
      open.setAutoCommit(false);
      // No sequence: this process is the only writer of the file, and this the only one in it, so
      // events are numbered in the order of their commits and no reader sees a gap.
      try (Statement statement = open.createStatement();
          ResultSet last =
              statement.executeQuery("SELECT coalesce(max(ordering), 0) FROM event_journal")) {
        last.next();
        nextOrdering = last.getLong(1) + 1;
      }
      open.rollback();
    }
    return open;
  }

  /** Lets go of the connection and rolls back what it had begun. */
  void close() {
    Connection open = connection;
    connection = null;
    List<AutoCloseable> all = new ArrayList<>(statements.values());
    statements.clear();
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
