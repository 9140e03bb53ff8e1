package coral.storage;

import coral.model.AgentId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;

/**
 * The table {@code agent_ip_allocations} of RFD 019: a projection of the journal, and the only
 * place where {@code last_seen} is kept. Every method blocks on the database and is one
 * transaction; calls from several threads wait for each other.
 */
public final class AllocationReadModel {
  /** From so many rows on the Appender is faster than statements. */
  private static final int APPENDED_ROWS = 64;

  private static final int MAX_PAGE = 10_000;

  /**
   * One agent.
   *
   * @param ipAddress its IPv4 address in dotted decimal
   */
  public record Row(AgentId agentId, String ipAddress, Instant allocatedAt, Instant lastSeen) {}

  /**
   * Rows in the order of agent ids.
   *
   * @param next the last agent of this page if there is another page after it
   */
  public record Page(List<Row> rows, Optional<AgentId> next) {
    public Page {
      rows = List.copyOf(rows);
    }
  }

  private final DuckDbFile file;
  private final ProjectionOffset offset;

  /** When agents were last seen, of rows that are computed anew: the journal does not tell. */
  private final Map<AgentId, Instant> kept = new HashMap<>();

  /** As the other constructor, for rows that are computed from the journal alone. */
  public AllocationReadModel(DuckDbFile file) throws StoreException {
    this(file, "");
  }

  /**
   * Prepares the table; if it was dropped, rows are missing or they are of another version, it
   * starts from nothing, and so does {@link #appliedUpTo}. What {@code last_seen} there was is kept
   * for the rows to come.
   *
   * @param version what rows are computed with besides the journal, such as the subnet
   * @throws StoreException if the database cannot be written
   */
  public AllocationReadModel(DuckDbFile file, String version) throws StoreException {
    this.file = file;
    this.offset = new ProjectionOffset("agent_ip_allocations", version);
    file.inTransaction(
        connection -> {
          resetIfIncomplete(connection);
          return 0;
        });
  }

  private void resetIfIncomplete(Connection connection) throws SQLException {
    if (offset.isComplete(connection)) {
      return;
    }
    try (PreparedStatement all =
        connection.prepareStatement(
            "SELECT agent_id, ip_address, allocated_at, last_seen FROM agent_ip_allocations")) {
      rows(all).forEach(row -> kept.put(row.agentId(), row.lastSeen()));
    }
    offset.reset(connection);
  }

  /**
   * The sequence number of the last event that the table shows; 0 if none.
   *
   * @throws StoreException if the database cannot be read
   */
  public synchronized long appliedUpTo() throws StoreException {
    return file.inTransaction(offset::read);
  }

  /**
   * Brings the table up to {@code sequenceNumber}, in one transaction. Rows of the same agent are
   * replaced.
   *
   * @throws StoreException if the database cannot be written; then nothing was changed
   */
  public synchronized void apply(List<Row> upserts, List<AgentId> deletes, long sequenceNumber)
      throws StoreException {
    file.inTransaction(
        connection -> {
          // An address may move from one agent to another within one call, and DuckDB checks the
          // unique constraint per statement: so first all rows that change go, then they come.
          Set<AgentId> touched = new HashSet<>(deletes);
          upserts.forEach(row -> touched.add(row.agentId()));
          // A table that is rebuilt has nothing to delete, and many rows to come.
          boolean replaces = offset.rows(connection) > 0 && delete(connection, touched) > 0;
          if (replaces || upserts.size() < APPENDED_ROWS) {
            insert(connection, upserts);
          } else {
            append(connection, upserts);
          }
          offset.save(connection, sequenceNumber);
          return 0;
        });
  }

  /** How many rows were deleted. */
  private static int delete(Connection connection, Set<AgentId> agents) throws SQLException {
    int deleted = 0;
    for (List<AgentId> group : StatementRows.groups(agents)) {
      String sql =
          "DELETE FROM agent_ip_allocations WHERE agent_id IN ("
              + StatementRows.places("?", group)
              + ")";
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        for (int i = 0; i < group.size(); i++) {
          statement.setString(i + 1, group.get(i).value());
        }
        deleted += statement.executeUpdate();
      }
    }
    return deleted;
  }

  /**
   * Inserts into the transaction that has begun: DuckDB's Appender would commit by itself without
   * one, and must be flushed, because its {@code close} swallows errors.
   */
  private static void append(Connection connection, List<Row> rows) throws SQLException {
    try (DuckDBAppender appender =
        connection.unwrap(DuckDBConnection.class).createAppender("agent_ip_allocations")) {
      for (Row row : rows) {
        appender.beginRow();
        appender.append(row.agentId().value());
        appender.append(row.ipAddress());
        appender.append(Timestamps.of(row.allocatedAt()));
        appender.append(Timestamps.of(row.lastSeen()));
        appender.endRow();
      }
      appender.flush();
    }
  }

  private void insert(Connection connection, List<Row> rows) throws SQLException {
    for (List<Row> group : StatementRows.groups(rows)) {
      String sql =
          "INSERT INTO agent_ip_allocations (agent_id, ip_address, allocated_at, last_seen)"
              + " VALUES "
              + StatementRows.places("(?, ?, ?, ?)", group);
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        int parameter = 1;
        for (Row row : group) {
          statement.setString(parameter++, row.agentId().value());
          statement.setString(parameter++, row.ipAddress());
          statement.setObject(parameter++, Timestamps.of(row.allocatedAt()));
          Instant before = kept.getOrDefault(row.agentId(), Instant.MIN);
          statement.setObject(
              parameter++, Timestamps.of(before.isAfter(row.lastSeen()) ? before : row.lastSeen()));
        }
        statement.executeUpdate();
      }
    }
  }

  /**
   * A page of the table.
   *
   * @param after the last agent of the page before; empty for the first page
   * @param limit 1 to 10,000
   * @throws IllegalArgumentException if the limit is out of bounds
   * @throws StoreException if the database cannot be read
   */
  public synchronized Page page(Optional<AgentId> after, int limit) throws StoreException {
    if (limit < 1 || limit > MAX_PAGE) {
      throw new IllegalArgumentException("a page has 1 to " + MAX_PAGE + " rows, not " + limit);
    }
    List<Row> rows =
        file.inTransaction(
            connection -> {
              try (PreparedStatement statement =
                  connection.prepareStatement(
                      "SELECT agent_id, ip_address, allocated_at, last_seen FROM"
                          + " agent_ip_allocations WHERE agent_id > ? ORDER BY agent_id LIMIT ?")) {
                statement.setString(1, after.map(AgentId::value).orElse(""));
                statement.setInt(2, limit + 1);
                return rows(statement);
              }
            });
    return rows.size() > limit
        ? new Page(rows.subList(0, limit), Optional.of(rows.get(limit - 1).agentId()))
        : new Page(rows, Optional.empty());
  }

  private static List<Row> rows(PreparedStatement statement) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        rows.add(
            new Row(
                new AgentId(result.getString(1)),
                result.getString(2),
                Timestamps.read(result, 3),
                Timestamps.read(result, 4)));
      }
    }
    return rows;
  }

  /**
   * Writes when agents were last seen, never moving one back; agents without a row are ignored.
   *
   * @throws StoreException if the database cannot be written; then nothing was changed
   */
  public synchronized void touch(Map<AgentId, Instant> lastSeen) throws StoreException {
    if (lastSeen.isEmpty()) {
      return;
    }
    file.inTransaction(
        connection -> {
          for (List<AgentId> group : StatementRows.groups(new TreeMap<>(lastSeen).keySet())) {
            String sql =
                "UPDATE agent_ip_allocations AS a SET last_seen = v.seen FROM (VALUES "
                    + StatementRows.places("(?, ?::TIMESTAMP)", group)
                    + ") AS v(agent_id, seen) WHERE a.agent_id = v.agent_id AND a.last_seen <"
                    + " v.seen";
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
              int parameter = 1;
              for (AgentId agent : group) {
                statement.setString(parameter++, agent.value());
                statement.setObject(
                    parameter++, Timestamps.of(lastSeen.getOrDefault(agent, Instant.MIN)));
              }
              statement.executeUpdate();
            }
          }
          return 0;
        });
  }

  /**
   * When each of these agents was last seen; without those that have no row.
   *
   * @throws StoreException if the database cannot be read
   */
  public synchronized Map<AgentId, Instant> lastSeen(Collection<AgentId> agents)
      throws StoreException {
    return file.inTransaction(
        connection -> {
          Map<AgentId, Instant> seen = new HashMap<>();
          for (List<AgentId> group : StatementRows.groups(agents)) {
            String sql =
                "SELECT agent_id, ip_address, allocated_at, last_seen FROM agent_ip_allocations"
                    + " WHERE agent_id IN ("
                    + StatementRows.places("?", group)
                    + ")";
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
              for (int i = 0; i < group.size(); i++) {
                statement.setString(i + 1, group.get(i).value());
              }
              rows(statement).forEach(row -> seen.put(row.agentId(), row.lastSeen()));
            }
          }
          return seen;
        });
  }
}
