package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.CertificateEvent;
import coral.certificate.CertificateRole;
import coral.certificate.Origin;
import coral.model.AgentId;
import coral.storage.CertificateReadModel;
import coral.storage.CertificateReadModel.Page;
import coral.storage.CertificateReadModel.Row;
import coral.storage.DuckDbFile;
import coral.storage.Projection;
import coral.storage.StoreException;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table {@code agent_certificates} (RFD 020), filled from events. */
class CertificateTableTest {
  private static final AgentId WEB = new AgentId("web");
  private static final AgentId DATABASE = new AgentId("database");
  private static final Instant NOW = Instant.parse("2026-05-01T10:00:00.123456Z");
  private static final Origin OPERATOR = new Origin("operator/ann", "10.0.0.2", "r");

  @TempDir Path directory;

  private final List<Projection.JournalEvent> journal = new ArrayList<>();
  private DuckDbFile file;
  private CertificateReadModel table;
  private Instant now = NOW;

  @BeforeEach
  void open() throws StoreException {
    file = DuckDbFile.open(directory.resolve("colony.duckdb"));
    table = new CertificateReadModel(file);
  }

  @AfterEach
  void close() {
    file.close();
  }

  @Test
  void historyStaysAndTheViewShowsTheCertificateInUse() throws Exception {
    add(issued(WEB, 1, "a1"), promoted(WEB, "a1"));
    add(issued(WEB, 2, "a2"));
    assertEquals(List.of("a2 next", "a1 current"), states(WEB));
    assertEquals(List.of("web a1"), view());
    add(promoted(WEB, "a2"), issued(DATABASE, 1, "d1"));
    assertEquals(List.of("a2 current", "a1 superseded"), states(WEB));
    assertEquals(List.of("database d1", "web a2"), view());
  }

  /** F4: a new certificate does not wipe out that the old one was revoked. */
  @Test
  void aRevocationStaysWithItsCertificateWhenTheIdIsClaimedAgain() throws Exception {
    add(issued(WEB, 1, "a1"), promoted(WEB, "a1"), issued(WEB, 2, "a2"));
    Instant revokedAt = now;
    add(new CertificateEvent.Revoked(WEB, "laptop lost", OPERATOR, now));
    add(new CertificateEvent.Rebound(WEB, now), issued(WEB, 3, "a3"));
    assertEquals(List.of("a3 next", "a2 revoked", "a1 revoked"), states(WEB));
    Row first = table.find("a1").orElseThrow();
    assertEquals(Optional.of(revokedAt), first.endedAt());
    assertEquals("laptop lost", first.reason());
    assertEquals(List.of("web a3"), view());
  }

  @Test
  void aFrozenIdentityIsShownAndSupersededWhenItIsClaimedAgain() throws Exception {
    add(issued(WEB, 1, "a1"), promoted(WEB, "a1"));
    add(new CertificateEvent.Frozen(WEB, "two holders", "k", OPERATOR, now));
    assertEquals(List.of("a1 frozen"), states(WEB));
    add(new CertificateEvent.Rebound(WEB, now), issued(WEB, 2, "a2"));
    assertEquals(List.of("a2 next", "a1 superseded"), states(WEB));
  }

  @Test
  void theEventsOfAnOlderColonyAreShown() throws Exception {
    for (int i = 1; i <= 3; i++) {
      add(
          new CertificateEvent.IssuedV1(
              WEB, "b" + i, "k", "f", "PEM", now, now.plus(Duration.ofDays(90))));
    }
    add(issued(WEB, 4, "a4"));
    assertEquals(List.of("a4 next", "b3 superseded", "b2 current", "b1 superseded"), states(WEB));
  }

  @Test
  void aCertificateWhoseTimeIsUpIsExpired() throws Exception {
    add(issued(WEB, 1, "a1"));
    Row row = table.find("a1").orElseThrow();
    assertEquals("next", row.status(row.expiresAt()));
    assertEquals("expired", row.status(row.expiresAt().plusSeconds(1)));
    assertEquals(Optional.empty(), table.find("ff"));
  }

  /** One group or one event at a time makes the same rows; so does a table that is rebuilt. */
  @Test
  void aDroppedTableIsRebuiltToTheSameRows() throws Exception {
    add(issued(WEB, 1, "a1"));
    add(promoted(WEB, "a1"));
    add(issued(WEB, 2, "a2"));
    add(promoted(WEB, "a2"));
    add(issued(DATABASE, 1, "d1"));
    add(new CertificateEvent.Revoked(DATABASE, "gone", OPERATOR, now));
    List<Row> rows = table.page(Optional.empty(), "", 100).rows();
    assertEquals(3, rows.size());
    file.inTransaction(
        connection -> {
          try (Statement statement = connection.createStatement()) {
            return statement.execute("DROP TABLE agent_certificates");
          }
        });
    close();
    open();
    assertEquals(0, table.appliedUpTo());
    CertificateRows.into(table).apply(journal);
    assertEquals(journal.size(), table.appliedUpTo());
    assertEquals(rows, table.page(Optional.empty(), "", 100).rows());
    close();
    open();
    assertEquals(journal.size(), table.appliedUpTo(), "and stays");
  }

  @Test
  void aSerialNumberAndAGenerationAreThereOnce() throws Exception {
    add(issued(WEB, 1, "a1"));
    assertThrows(StoreException.class, () -> add(issued(DATABASE, 1, "a1")));
    journal.remove(journal.size() - 1);
    assertThrows(StoreException.class, () -> add(issued(WEB, 1, "a2")));
    assertEquals(List.of("a1 next"), states(WEB), "nothing was changed");
    assertEquals(1, table.appliedUpTo());
  }

  @Test
  void pagesHoldAllRowsOnceNewestFirst() throws Exception {
    List<CertificateEvent> many = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      many.add(issued(new AgentId("agent-" + i), 1, String.format("%04x", i)));
      now = i % 3 == 0 ? now.plusSeconds(1) : now;
    }
    add(many.toArray(new CertificateEvent[0]));
    List<String> serials = new ArrayList<>();
    String token = "";
    do {
      Page page = table.page(Optional.empty(), token, 70);
      page.rows().forEach(row -> serials.add(row.serial()));
      token = page.nextToken();
    } while (!token.isEmpty());
    List<String> expected = new ArrayList<>();
    for (int i = 599; i >= 0; i--) {
      expected.add(String.format("%04x", i));
    }
    assertEquals(expected, serials);
    assertThrows(IllegalArgumentException.class, () -> table.page(Optional.empty(), "1'; --", 70));
    assertThrows(IllegalArgumentException.class, () -> table.page(Optional.empty(), "", 0));
  }

  private List<String> states(AgentId agentId) throws StoreException {
    List<String> states = new ArrayList<>();
    table
        .page(Optional.of(agentId), "", 100)
        .rows()
        .forEach(row -> states.add(row.serial() + " " + row.state().wireName()));
    return states;
  }

  private List<String> view() throws StoreException {
    return file.inTransaction(
        connection -> {
          List<String> rows = new ArrayList<>();
          try (Statement statement = connection.createStatement();
              ResultSet result =
                  statement.executeQuery(
                      "SELECT agent_id, serial_number FROM current_agent_certificates"
                          + " ORDER BY agent_id")) {
            while (result.next()) {
              rows.add(result.getString(1) + " " + result.getString(2));
            }
          }
          return rows;
        });
  }

  private void add(CertificateEvent... events) throws IOException {
    List<Projection.JournalEvent> group = new ArrayList<>();
    for (CertificateEvent event : events) {
      group.add(new Projection.JournalEvent(journal.size() + 1L, event));
      journal.add(group.get(group.size() - 1));
    }
    CertificateRows.into(table).apply(group);
    assertTrue(table.appliedUpTo() >= group.size());
    now = now.plusSeconds(1);
  }

  private static CertificateEvent promoted(AgentId agentId, String serial) {
    return new CertificateEvent.Promoted(agentId, serial, NOW);
  }

  private CertificateEvent issued(AgentId agentId, long generation, String serial) {
    return new CertificateEvent.Issued(
        agentId,
        CertificateRole.AGENT,
        generation,
        serial,
        "key-" + serial,
        "fingerprint-" + serial,
        "PEM " + serial,
        "CN=agents",
        "token",
        "t-" + serial,
        OPERATOR,
        now,
        now.plus(Duration.ofDays(90)));
  }
}
