package coral.storage;

import coral.model.AgentId;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.duckdb.DuckDBAppender;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;

/**
 * The table {@code agent_certificates} of RFD 020: a projection of the journal, for lists and for
 * questions about one certificate. Never asked whether somebody may come in. Every method blocks on
 * the database and is one transaction; calls from several threads wait for each other.
 */
public final class CertificateReadModel {
  private static final int MAX_PAGE = 10_000;

  private static final Pattern TOKEN = Pattern.compile("(-?[0-9]{1,18})-([0-9a-f]{1,40})");

  private static final String COLUMNS =
      "serial_number, agent_id, generation, role, state, certificate, issuer, fingerprint,"
          + " key_hash, payment, issued_at, expires_at, revoked_at, revocation_reason";

  /** What has become of a certificate. */
  public enum State {
    NEXT,
    CURRENT,
    SUPERSEDED,
    FROZEN,
    REVOKED;

    /** The name in the table and in the protocol. */
    public String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }

    boolean isHeld() {
      return this == NEXT || this == CURRENT || this == FROZEN;
    }
  }

  /**
   * One certificate.
   *
   * @param serial in lower-case hexadecimal digits
   * @param role the name in certificates
   * @param payment how it was paid for
   * @param endedAt when it was revoked or frozen
   * @param reason why it was; empty if it was not
   */
  public record Row(
      String serial,
      AgentId agentId,
      long generation,
      String role,
      State state,
      String certificatePem,
      String issuer,
      String fingerprint,
      String keyHash,
      String payment,
      Instant issuedAt,
      Instant expiresAt,
      Optional<Instant> endedAt,
      String reason) {
    /** The state in the protocol: one that has not ended otherwise may have expired. */
    public String status(Instant now) {
      boolean live = state == State.NEXT || state == State.CURRENT;
      return live && now.isAfter(expiresAt) ? "expired" : state.wireName();
    }

    Row numbered(long number) {
      return new Row(
          serial,
          agentId,
          number,
          role,
          state,
          certificatePem,
          issuer,
          fingerprint,
          keyHash,
          payment,
          issuedAt,
          expiresAt,
          endedAt,
          reason);
    }

    Row in(State to) {
      return in(to, endedAt, reason);
    }

    Row in(State to, Optional<Instant> at, String why) {
      return new Row(
          serial,
          agentId,
          generation,
          role,
          to,
          certificatePem,
          issuer,
          fingerprint,
          keyHash,
          payment,
          issuedAt,
          expiresAt,
          at,
          why);
    }
  }

  /** What an event of the journal means to the table. */
  public sealed interface Change {
    AgentId agentId();

    /**
     * A certificate was issued.
     *
     * @param row a generation of 0 counts on from the agent's last one
     * @param promotes whether the one before it was in use
     */
    record Issued(Row row, boolean promotes) implements Change {
      @Override
      public AgentId agentId() {
        return row.agentId();
      }
    }

    /** The agent's next certificate is its current one. */
    record Promoted(AgentId agentId) implements Change {}

    /** All that the agent holds has ended in this way. */
    record Ended(AgentId agentId, State state, String reason, Instant at) implements Change {}
  }

  /**
   * Certificates, the newest first.
   *
   * @param nextToken where the next page starts; empty on the last
   */
  public record Page(List<Row> rows, String nextToken) {
    public Page {
      rows = List.copyOf(rows);
    }
  }

  private final DuckDbFile file;
  private final ProjectionOffset offset = new ProjectionOffset("agent_certificates", "");

  /**
   * Prepares the table; if it was dropped or rows are missing it starts from nothing, and so does
   * {@link #appliedUpTo}.
   *
   * @throws StoreException if the database cannot be written
   */
  public CertificateReadModel(DuckDbFile file) throws StoreException {
    this.file = file;
    file.inTransaction(
        connection -> {
          if (!offset.isComplete(connection)) {
            offset.reset(connection);
          }
          return 0;
        });
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
   * Brings the table up to {@code sequenceNumber}, in one transaction.
   *
   * @throws StoreException if the database cannot be written; then nothing was changed
   */
  public synchronized void apply(List<Change> changes, long sequenceNumber) throws StoreException {
    file.inTransaction(
        connection -> {
          Set<AgentId> agents = new LinkedHashSet<>();
          changes.forEach(change -> agents.add(change.agentId()));
          Map<String, Row> stored = latest(connection, agents);
          CertificateChanges known = new CertificateChanges(stored.values());
          changes.forEach(known::apply);
          append(
              connection,
              known.rows().stream().filter(row -> !stored.containsKey(row.serial())).toList());
          update(
              connection,
              known.rows().stream()
                  .filter(
                      row ->
                          stored.containsKey(row.serial()) && !row.equals(stored.get(row.serial())))
                  .toList());
          offset.save(connection, sequenceNumber);
          return 0;
        });
  }

  /** What the agents hold, and the last that was issued to each. */
  private static Map<String, Row> latest(Connection connection, Set<AgentId> agents)
      throws SQLException {
    Map<String, Row> rows = new LinkedHashMap<>();
    for (List<AgentId> group : StatementRows.groups(agents)) {
      try (PreparedStatement statement =
          connection.prepareStatement(
              "SELECT "
                  + COLUMNS
                  + " FROM agent_certificates WHERE agent_id IN ("
                  + StatementRows.places("?", group)
                  + ") QUALIFY state IN ('next', 'current', 'frozen') OR generation ="
                  + " max(generation) OVER (PARTITION BY agent_id) ORDER BY agent_id,"
                  + " generation")) {
        for (int i = 0; i < group.size(); i++) {
          statement.setString(i + 1, group.get(i).value());
        }
        rows(statement).forEach(row -> rows.put(row.serial(), row));
      }
    }
    return rows;
  }

  /**
   * Inserts into the transaction that has begun: DuckDB's Appender would commit by itself without
   * one, and must be flushed, because its {@code close} swallows errors.
   */
  private static void append(Connection connection, Collection<Row> rows) throws SQLException {
    if (rows.isEmpty()) {
      return;
    }
    try (DuckDBAppender appender =
        connection.unwrap(DuckDBConnection.class).createAppender("agent_certificates")) {
      for (Row row : rows) {
        appender.beginRow();
        appender.append(row.serial());
        appender.append(row.agentId().value());
        appender.append(row.generation());
        appender.append(row.role());
        appender.append(row.state().wireName());
        appender.append(row.certificatePem());
        appender.append(row.issuer());
        appender.append(row.fingerprint());
        appender.append(row.keyHash());
        appender.append(row.payment());
        appender.append(Timestamps.of(row.issuedAt()));
        appender.append(Timestamps.of(row.expiresAt()));
        appender.append(row.state() == State.REVOKED);
        if (row.endedAt().isPresent()) {
          appender.append(Timestamps.of(row.endedAt().get()));
          appender.append(row.reason());
        } else {
          appender.appendNull();
          appender.appendNull();
        }
        appender.endRow();
      }
      appender.flush();
    }
  }

  private static void update(Connection connection, List<Row> rows) throws SQLException {
    for (List<Row> group : StatementRows.groups(rows)) {
      try (PreparedStatement statement =
          connection.prepareStatement(
              "UPDATE agent_certificates AS c SET state = v.state, revoked = v.revoked, revoked_at"
                  + " = v.revoked_at, revocation_reason = v.reason FROM (VALUES "
                  + StatementRows.places("(?, ?, ?::BOOLEAN, ?::TIMESTAMP, ?::TEXT)", group)
                  + ") AS v(serial, state, revoked, revoked_at, reason) WHERE c.serial_number ="
                  + " v.serial")) {
        int parameter = 1;
        for (Row row : group) {
          statement.setString(parameter++, row.serial());
          statement.setString(parameter++, row.state().wireName());
          statement.setBoolean(parameter++, row.state() == State.REVOKED);
          statement.setObject(parameter++, row.endedAt().map(Timestamps::of).orElse(null));
          statement.setString(parameter++, row.endedAt().isPresent() ? row.reason() : null);
        }
        statement.executeUpdate();
      }
    }
  }

  /**
   * The certificate of a serial number.
   *
   * @throws StoreException if the database cannot be read
   */
  public synchronized Optional<Row> find(String serial) throws StoreException {
    return file.inTransaction(
        connection -> {
          try (PreparedStatement statement =
              connection.prepareStatement(
                  "SELECT " + COLUMNS + " FROM agent_certificates WHERE serial_number = ?")) {
            statement.setString(1, serial);
            return rows(statement).stream().findFirst();
          }
        });
  }

  /**
   * A page of the table, the newest certificates first.
   *
   * @param agentId the only agent to list; empty for all
   * @param token of the page before; empty for the first page
   * @param limit 1 to 10,000
   * @throws IllegalArgumentException if the token is not one, or the limit is out of bounds
   * @throws StoreException if the database cannot be read
   */
  public synchronized Page page(Optional<AgentId> agentId, String token, int limit)
      throws StoreException {
    if (limit < 1 || limit > MAX_PAGE) {
      throw new IllegalArgumentException("a page has 1 to " + MAX_PAGE + " rows, not " + limit);
    }
    Matcher after = TOKEN.matcher(token);
    if (!token.isEmpty() && !after.matches()) {
      throw new IllegalArgumentException("the page token is not one that came with a page");
    }
    String sql =
        "SELECT "
            + COLUMNS
            + " FROM agent_certificates WHERE true"
            + (agentId.isPresent() ? " AND agent_id = ?" : "")
            + (token.isEmpty()
                ? ""
                : " AND (epoch_us(issued_at) < ?"
                    + " OR (epoch_us(issued_at) = ? AND serial_number < ?))")
            + " ORDER BY issued_at DESC, serial_number DESC LIMIT ?";
    List<Row> rows =
        file.inTransaction(
            connection -> {
              try (PreparedStatement statement = connection.prepareStatement(sql)) {
                int parameter = 1;
                if (agentId.isPresent()) {
                  statement.setString(parameter++, agentId.get().value());
                }
                if (!token.isEmpty()) {
                  statement.setLong(parameter++, Long.parseLong(after.group(1)));
                  statement.setLong(parameter++, Long.parseLong(after.group(1)));
                  statement.setString(parameter++, after.group(2));
                }
                statement.setInt(parameter, limit + 1);
                return rows(statement);
              }
            });
    if (rows.size() <= limit) {
      return new Page(rows, "");
    }
    Row last = rows.get(limit - 1);
    long micros = ChronoUnit.MICROS.between(Instant.EPOCH, last.issuedAt());
    return new Page(rows.subList(0, limit), micros + "-" + last.serial());
  }

  private static List<Row> rows(PreparedStatement statement) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (ResultSet result = statement.executeQuery()) {
      while (result.next()) {
        @Nullable String reason = result.getString(14);
        rows.add(
            new Row(
                result.getString(1),
                new AgentId(result.getString(2)),
                result.getLong(3),
                result.getString(4),
                State.valueOf(result.getString(5).toUpperCase(Locale.ROOT)),
                result.getString(6),
                result.getString(7),
                result.getString(8),
                result.getString(9),
                result.getString(10),
                Timestamps.read(result, 11),
                Timestamps.read(result, 12),
                Timestamps.readOptional(result, 13),
                reason == null ? "" : reason));
      }
    }
    return rows;
  }
}
