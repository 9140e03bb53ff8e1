package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.certificate.KeyType;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.rpc.RpcException;
import coral.storage.DuckDbFile;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a running colony writes into its audit log, asked for over its port. */
@Timeout(120)
class ColonyAuditTest {
  private static final String LIST = "coral.colony.v1.AuditService/ListAuditRecords";

  @TempDir Path directory;

  private static ListAuditRecordsResponse list(
      TestColony colony, ListAuditRecordsRequest.Builder request) throws Exception {
    return colony.call(
        Optional.of(colony.administrator()),
        LIST,
        request.build(),
        ListAuditRecordsResponse.parser());
  }

  /** The records from the first on, once there is one of this kind. */
  private static List<AuditRecord> untilThereIs(TestColony colony, String kind) throws Exception {
    ListAuditRecordsResponse found =
        list(
            colony,
            ListAuditRecordsRequest.newBuilder()
                .setKind(kind)
                .setWait(Duration.newBuilder().setSeconds(15)));
    assertTrue(found.getRecordsCount() > 0, "no record of " + kind);
    return list(colony, ListAuditRecordsRequest.newBuilder()).getRecordsList();
  }

  private static String text(AuditRecord record) {
    return String.join(
        " | ",
        record.getKind(),
        record.getActor(),
        record.getSourceAddress(),
        record.getSubject().replaceAll("^[0-9a-f]{16}$", "(an invitation)"),
        record.getRequestId().replaceAll("^[0-9a-f]{1,16}$", "(made up)"));
  }

  /** Without what reading the log itself leaves there. */
  private static List<AuditRecord> withoutReading(List<AuditRecord> records) {
    return records.stream().filter(record -> !record.getDetail().contains(LIST)).toList();
  }

  @Test
  void whatHappensToAnAgentIsFoundOnceAlsoAfterARestart() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      assertThrows(
          RpcException.class,
          () ->
              colony.bootstrap(
                  "web-1",
                  KeyType.P_256.generate(),
                  b -> b.setColonySecret(colony.created.secret().reveal())));
      assertThrows(RpcException.class, () -> colony.bootstrap("web-1", KeyType.P_256.generate()));
      colony.register(web, KeyPair.generate().publicKey(), "join-1");
      colony.deregister(colony.administrator(), "web-1");
      List<AuditRecord> records = untilThereIs(colony, "address-released");
      List<String> expected =
          List.of(
              "address-allocated | agent/web-1 | 127.0.0.1 | web-1 | join-1",
              "address-released | colony |  | web-1 | ",
              "certificate-issued | anyone | 127.0.0.1 | web-1 | (made up)",
              "certificate-promoted | agent/web-1 |  | web-1 | ",
              "colony-started | colony |  |  | ",
              "identity-contested | anyone | 127.0.0.1 | web-1 | (made up)",
              "invitation-created | admin/admin | 127.0.0.1 | (an invitation) | (made up)",
              "invitation-used | anyone |  | (an invitation) | ",
              "release-requested | admin/admin | 127.0.0.1 | web-1 | (made up)",
              "role-used | admin/admin | 127.0.0.1 |  | (made up)",
              "role-used | admin/admin | 127.0.0.1 |  | (made up)",
              "secret-refused | anyone | 127.0.0.1 | web-1 | (made up)");
      assertEquals(
          expected, withoutReading(records).stream().map(ColonyAuditTest::text).sorted().toList());
      String all = records.toString();
      assertTrue(!all.contains(colony.created.secret().reveal()), all);

      colony.restart();
      List<AuditRecord> after = list(colony, ListAuditRecordsRequest.newBuilder()).getRecordsList();
      assertEquals(records, after.subList(0, records.size()));
      after = untilThereIs(colony, "colony-started");
      assertTrue(
          withoutReading(after).size() <= withoutReading(records).size() + 1, after.toString());
    }
  }

  @Test
  void whatWasChangedInTheSettingsIsRecordedAtTheNextStart() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      colony.restart(Map.of("coral.colony.heartbeat-interval", "7s"));
      List<String> changes =
          untilThereIs(colony, "configuration-changed").stream()
              .filter(record -> record.getKind().equals("configuration-changed"))
              .map(AuditRecord::getDetail)
              .toList();
      assertEquals(1, changes.size(), changes::toString);
      assertTrue(changes.get(0).startsWith("coral.colony.heartbeat-interval: "), changes::toString);
      assertTrue(changes.get(0).endsWith(" -> \"7s\""), changes::toString);
    }
  }

  @Test
  void recordsAreFilteredAndPagedByNumber() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      for (String agent : List.of("a", "b", "c")) {
        colony.register(colony.bootstrap(agent), KeyPair.generate().publicKey(), "join-" + agent);
      }
      list(
          colony,
          ListAuditRecordsRequest.newBuilder()
              .setAgentId("c")
              .setKind("address-allocated")
              .setWait(Duration.newBuilder().setSeconds(15)));
      ListAuditRecordsRequest.Builder allocated =
          ListAuditRecordsRequest.newBuilder().setKind("address-allocated").setPageSize(2);
      ListAuditRecordsResponse page = list(colony, allocated);
      assertEquals(List.of("a", "b"), subjects(page));
      assertTrue(page.getMore());
      page = list(colony, allocated.setAfterSequence(page.getLastSequence()));
      assertEquals(List.of("c"), subjects(page));
      assertEquals(false, page.getMore());
      assertEquals(
          List.of("b", "b", "b"),
          subjects(list(colony, ListAuditRecordsRequest.newBuilder().setAgentId("b"))));
      long later = InstantSource.system().instant().getEpochSecond() + 60;
      assertEquals(
          List.of(),
          subjects(
              list(
                  colony,
                  ListAuditRecordsRequest.newBuilder()
                      .setSince(Timestamp.newBuilder().setSeconds(later)))));
      for (ListAuditRecordsRequest.Builder bad :
          List.of(
              ListAuditRecordsRequest.newBuilder().setKind("no-such-kind"),
              ListAuditRecordsRequest.newBuilder().setAgentId("NO AGENT"),
              ListAuditRecordsRequest.newBuilder().setPageSize(1_001),
              ListAuditRecordsRequest.newBuilder().setAfterSequence(-1),
              ListAuditRecordsRequest.newBuilder()
                  .setSince(Timestamp.newBuilder().setSeconds(Long.MAX_VALUE)),
              ListAuditRecordsRequest.newBuilder().setWait(Duration.newBuilder().setSeconds(31)))) {
        RpcException refused = assertThrows(RpcException.class, () -> list(colony, bad));
        assertEquals(Failure.INVALID_ARGUMENT, refused.failure(), bad + " " + refused);
      }
    }
  }

  private static List<String> subjects(ListAuditRecordsResponse page) {
    return page.getRecordsList().stream().map(AuditRecord::getSubject).toList();
  }

  @Test
  void aWaitEndsWithTheRecordThatItWaitedFor() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      CompletableFuture<ListAuditRecordsResponse> waiting =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return list(
                      colony,
                      ListAuditRecordsRequest.newBuilder()
                          .setAgentId("web-1")
                          .setWait(Duration.newBuilder().setSeconds(15)));
                } catch (Exception e) {
                  throw new IllegalStateException(e);
                }
              });
      colony.bootstrap("web-1");
      assertEquals("web-1", waiting.get(20, TimeUnit.SECONDS).getRecords(0).getSubject());
    }
  }

  @Test
  void aColonyWhoseLogWasChangedDoesNotStart() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      colony.bootstrap("web-1");
      untilThereIs(colony, "certificate-issued");
      colony.process().close();
      try (DuckDbFile file = DuckDbFile.open(colony.database());
          Connection connection = file.connect();
          Statement statement = connection.createStatement()) {
        statement.executeUpdate(
            "UPDATE audit_records SET subject = 'web-2' WHERE subject = 'web-1'");
      }
      IOException refused = assertThrows(IOException.class, colony::restart);
      assertTrue(
          String.valueOf(refused.getMessage()).contains("the audit log is broken at record"),
          String.valueOf(refused.getMessage()));
    }
  }
}
