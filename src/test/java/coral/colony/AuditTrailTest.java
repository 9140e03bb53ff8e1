package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.audit.AuditBacklog;
import coral.audit.AuditLog;
import coral.audit.AuditQueue;
import coral.audit.AuditRecord;
import coral.audit.AuditRoot;
import coral.audit.AuditSigner;
import coral.audit.AuditStore;
import coral.audit.AuditVerification;
import coral.audit.JournaledEvent;
import coral.files.Pem;
import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.ClientCertificate;
import coral.rpc.TestAuthority;
import coral.storage.AuditTable;
import coral.storage.DuckDbFile;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The log's actor on a real database file. */
@Timeout(60)
class AuditTrailTest {
  private static final ColonyId COLONY = new ColonyId("shop-test-a1b2c3");

  /** A full hour, now: the certificates of the test are good at the time of the test. */
  private final Instant hour = InstantSource.system().instant().truncatedTo(ChronoUnit.HOURS);

  private static final ActorTestKit kit =
      ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));
  private static final ExecutorService blocking = Executors.newFixedThreadPool(4);
  private static TestAuthority authority;
  private static AuditSigner signer;

  @TempDir Path directory;

  private final ManualTime time = ManualTime.get(kit.system());
  private final AtomicReference<Instant> now = new AtomicReference<>(hour.plusSeconds(60));
  private final InstantSource clock = () -> now.get();
  private DuckDbFile file;
  private AuditTable table;
  private AuditBacklog backlog;
  private ActorRef<AuditLog.Command> log;
  private AuditQueue sink;

  /** What the log told of, in its order. */
  private final Queue<AuditRecord> recorded = new ConcurrentLinkedQueue<>();

  @BeforeAll
  static void makeAuthority() throws Exception {
    authority = new TestAuthority("Coral Colony CA");
    ClientCertificate leaf =
        authority.issue("CN=x", "spiffe://" + COLONY + "/colony", KeyPurposeId.id_kp_serverAuth);
    signer = AuditSigner.of(leaf.key(), Pem.encode(leaf.chain()));
  }

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
    blocking.shutdown();
  }

  @BeforeEach
  void open() throws IOException {
    file = DuckDbFile.open(directory.resolve("colony.duckdb"));
    table = new AuditTable(file);
    start(new AuditStorage(table));
  }

  @AfterEach
  void close() {
    kit.stop(log);
    file.close();
  }

  private void start(AuditStore store) {
    backlog = new AuditBacklog(clock);
    log =
        kit.spawn(AuditLog.create(store, COLONY, signer, clock, blocking, backlog, recorded::add));
    sink = new AuditQueue(log, backlog, clock, kit.system().scheduler());
  }

  private void restart(AuditStore store) {
    kit.stop(log);
    start(store);
  }

  private static AuditEvent done(String detail) {
    return AuditEvent.of(Kind.ROLE_USED).by("admin/root").detail(detail);
  }

  private static Done await(CompletionStage<Done> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private static RefusedException refusal(CompletionStage<Done> stage) {
    ExecutionException failed =
        assertThrows(
            ExecutionException.class, () -> stage.toCompletableFuture().get(20, TimeUnit.SECONDS));
    return assertInstanceOf(RefusedException.class, failed.getCause());
  }

  private AuditLog.Reply ask(Function<ActorRef<AuditLog.Reply>, AuditLog.Command> question) {
    TestProbe<AuditLog.Reply> probe = kit.createTestProbe();
    log.tell(question.apply(probe.ref()));
    return probe.receiveMessage(Duration.ofSeconds(20));
  }

  private void flush() {
    assertEquals(new AuditLog.Recorded(), ask(AuditLog.Flush::new));
  }

  private List<String> details() throws IOException {
    List<String> details = new ArrayList<>();
    table.rows(1, Long.MAX_VALUE, row -> details.add(row.detail()));
    return details;
  }

  private void sql(String statement) throws Exception {
    try (Connection connection = file.connect();
        Statement run = connection.createStatement()) {
      run.executeUpdate(statement);
    }
  }

  /** The first record that is not as it was; empty if all are. */
  private Optional<Long> firstBroken() throws IOException {
    AuditVerification verification = new AuditVerification(COLONY, List.of(authority.root()));
    List<AuditVerification.Broken> broken = new ArrayList<>();
    for (AuditTable.Root root : table.roots(0, 1_000)) {
      verification
          .add(
              new AuditRoot(
                  root.firstSequence(),
                  root.lastSequence(),
                  root.hash(),
                  root.signedAt(),
                  root.signature(),
                  root.certificates()))
          .ifPresent(broken::add);
    }
    new AuditStorage(table)
        .records(
            1,
            Long.MAX_VALUE,
            record -> {
              if (broken.isEmpty()) {
                verification.add(record).ifPresent(broken::add);
              }
            });
    if (broken.isEmpty()) {
      verification.end().ifPresent(broken::add);
    }
    return broken.stream().findFirst().map(AuditVerification.Broken::sequence);
  }

  /** Passes an hour, and waits until what was recorded is signed or found to be broken. */
  private void passAnHour(long expectedCovered) throws Exception {
    now.updateAndGet(before -> before.plus(Duration.ofHours(1)));
    // Real time: the test kit's own clock stands still, and moves again for a timer set since.
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (table.contents(0).covered() != expectedCovered) {
      assertTrue(System.nanoTime() < deadline, "covered is " + table.contents(0).covered());
      time.timePasses(Duration.ofHours(1));
      flush();
    }
  }

  @Test
  void whatIsAnsweredIsOnDiskAndTheChainGoesOnAfterARestart() throws Exception {
    await(sink.recorded(done("one")));
    assertEquals(List.of("one"), details());
    sink.record(done("two"));
    flush();
    now.set(hour);
    restart(new AuditStorage(table));
    await(sink.recorded(done("three")));
    assertEquals(List.of("one", "two", "three"), details());
    assertEquals(Optional.empty(), firstBroken());
    List<Instant> times = new ArrayList<>();
    table.rows(1, 3, row -> times.add(row.time()));
    assertEquals(List.of(hour.plusSeconds(60), hour.plusSeconds(60), hour.plusSeconds(60)), times);
  }

  @Test
  void aFileThatWasNotClosedHasWhatWasAnswered() throws Exception {
    List<CompletionStage<Done>> answers = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      answers.add(sink.recorded(done("number " + i)));
    }
    for (CompletionStage<Done> answer : answers) {
      await(answer);
    }
    AuditTable.Contents contents = table.contents(1);
    assertEquals(3_000, contents.count());
    assertEquals("number 2999", contents.last().get(0).detail());
    assertEquals(Optional.empty(), firstBroken());
  }

  @Test
  void changedRowsAreNamedWhereverTheyAre() throws Exception {
    for (int i = 1; i <= 20; i++) {
      sink.record(done("number " + i));
    }
    flush();
    passAnHour(20);
    for (int i = 21; i <= 25; i++) {
      sink.record(done("number " + i));
    }
    flush();
    assertEquals(Optional.empty(), firstBroken());
    sql("CREATE TABLE kept AS SELECT * FROM audit_records");
    String[][] damages = {
      {"7", "UPDATE audit_records SET detail = 'something else' WHERE sequence = 7"},
      {"7", "UPDATE audit_records SET hash = '" + "0".repeat(64) + "' WHERE sequence = 7"},
      {"24", "UPDATE audit_records SET actor = 'agent/web-1' WHERE sequence = 24"},
      {"9", "DELETE FROM audit_records WHERE sequence = 9"},
      {"1", "DELETE FROM audit_records WHERE sequence = 1"},
      {
        "10",
        "UPDATE audit_records SET sequence = CASE sequence WHEN 10 THEN 11 ELSE 10 END"
            + " WHERE sequence IN (10, 11)"
      },
      {"13", "INSERT INTO audit_records SELECT * FROM audit_records WHERE sequence = 12"},
      {"19", "DELETE FROM audit_records WHERE sequence > 18"},
      {"1", "DELETE FROM audit_records"},
    };
    for (String[] damage : damages) {
      sql(damage[1]);
      assertEquals(Optional.of(Long.valueOf(damage[0])), firstBroken(), damage[1]);
      sql("DELETE FROM audit_records");
      sql("INSERT INTO audit_records SELECT * FROM kept ORDER BY sequence");
      assertEquals(Optional.empty(), firstBroken());
    }
  }

  @Test
  void aLogWhoseEndWasChangedTakesNothingMore() throws Exception {
    for (int i = 1; i <= 20; i++) {
      sink.record(done("number " + i));
    }
    flush();
    sql("UPDATE audit_records SET detail = 'something else' WHERE sequence = 12");
    restart(new AuditStorage(table));
    RefusedException refused = refusal(sink.recorded(done("more")));
    assertEquals(Failure.FAILED_PRECONDITION, refused.refused().failure());
    assertEquals(
        "the audit log is broken at record 12: it is not what was recorded: its hash does not fit",
        refused.getMessage());
    assertEquals(20, table.contents(0).count());
  }

  @Test
  void aLogThatEndsBeforeWhatWasSignedTakesNothingMore() throws Exception {
    for (int i = 1; i <= 20; i++) {
      sink.record(done("number " + i));
    }
    flush();
    passAnHour(20);
    sql("DELETE FROM audit_records WHERE sequence > 12");
    restart(new AuditStorage(table));
    assertEquals(
        "the audit log is broken at record 13: it is missing: the records up to 20 were signed",
        refusal(sink.recorded(done("more"))).getMessage());
  }

  @Test
  void eachHoursRecordsAreSignedAndThoseOfManyHoursAfterADownTime() throws Exception {
    sink.record(done("one"));
    flush();
    passAnHour(1);
    sink.record(done("two"));
    sink.record(done("three"));
    flush();
    passAnHour(3);
    sink.record(done("four"));
    flush();
    now.updateAndGet(before -> before.plus(Duration.ofHours(15)));
    restart(new AuditStorage(table));
    sink.record(done("five"));
    flush();
    passAnHour(5);
    List<List<Long>> ranges = new ArrayList<>();
    table
        .roots(0, 10)
        .forEach(root -> ranges.add(List.of(root.firstSequence(), root.lastSequence())));
    assertEquals(
        List.of(List.of(1L, 1L), List.of(2L, 3L), List.of(4L, 4L), List.of(5L, 5L)), ranges);
    assertEquals(Optional.empty(), firstBroken());
  }

  @Test
  void recordsThatWereChangedAreNotSigned() throws Exception {
    for (int i = 1; i <= 5; i++) {
      sink.record(done("number " + i));
    }
    flush();
    sql("UPDATE audit_records SET detail = 'something else' WHERE sequence = 3");
    try (LogLines lines = new LogLines()) {
      now.updateAndGet(before -> before.plus(Duration.ofHours(1)));
      lines.awaitLine("are not signed", () -> time.timePasses(Duration.ofHours(1)));
    }
    assertEquals(0, table.contents(0).covered());
  }

  @Test
  void eventsOfAJournalAreRecordedOnceHoweverOftenTheyCome() throws Exception {
    assertEquals(new AuditLog.Position(0), ask(r -> new AuditLog.FindPosition("a", r)));
    assertEquals(new AuditLog.Recorded(), append("a", 1, 2, 3));
    assertEquals(new AuditLog.Recorded(), append("a", 2, 3, 4));
    assertEquals(new AuditLog.Recorded(), append("b", 1));
    AuditLog.Refusal gap = assertInstanceOf(AuditLog.Refusal.class, append("a", 6));
    assertEquals(Failure.INTERNAL, gap.refused().failure());
    restart(new AuditStorage(table));
    assertEquals(new AuditLog.Position(4), ask(r -> new AuditLog.FindPosition("a", r)));
    assertEquals(new AuditLog.Recorded(), append("a", 1, 2, 3, 4, 5));
    assertEquals(List.of("a 1", "a 2", "a 3", "a 4", "b 1", "a 5"), details());
  }

  private AuditLog.Reply append(String journal, int... numbers) {
    List<JournaledEvent> events = new ArrayList<>();
    for (int number : numbers) {
      events.add(new JournaledEvent(number, hour, List.of(done(journal + " " + number))));
    }
    return ask(replyTo -> new AuditLog.AppendJournaled(journal, events, replyTo));
  }

  /** The store as it is, with commits whose outcome the log is not told, or is told wrongly. */
  private static final class Failing implements AuditStore {
    private final AuditStore store;
    private int lostAnswers;
    private int lostWrites;
    private CountDownLatch gate = new CountDownLatch(0);
    private final CountDownLatch begun = new CountDownLatch(1);

    Failing(AuditStore store) {
      this.store = store;
    }

    @Override
    public Contents contents(int records) throws IOException {
      return store.contents(records);
    }

    @Override
    public void append(List<AuditRecord> records, Map<String, Long> journals) throws IOException {
      begun.countDown();
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new CompletionException(e);
      }
      if (lostWrites > 0) {
        lostWrites--;
        throw new IOException("lost");
      }
      store.append(records, journals);
      if (lostAnswers > 0) {
        lostAnswers--;
        throw new IOException("committed, but nobody heard of it");
      }
    }

    @Override
    public Optional<Long> lastBefore(long after, Instant end) throws IOException {
      return store.lastBefore(after, end);
    }

    @Override
    public void records(long first, long last, Consumer<AuditRecord> each) throws IOException {
      store.records(first, last, each);
    }

    @Override
    public void append(AuditRoot root) throws IOException {
      store.append(root);
    }
  }

  @Test
  void aCommitOfWhichNobodyHeardIsNotMadeAgain() throws Exception {
    Failing failing = new Failing(new AuditStorage(table));
    failing.lostAnswers = 1;
    restart(failing);
    await(sink.recorded(done("one")));
    assertEquals(new AuditLog.Recorded(), append("a", 1));
    assertEquals(List.of("one", "a 1"), details());
  }

  @Test
  void whatCouldNotBeWrittenIsRefusedToWhoAsksAndWrittenLaterForWhoDoesNot() throws Exception {
    Failing failing = new Failing(new AuditStorage(table));
    failing.lostWrites = 1;
    failing.gate = new CountDownLatch(1);
    restart(failing);
    sink.record(done("first"));
    assertTrue(failing.begun.await(20, TimeUnit.SECONDS), "no write was begun");
    // What comes now goes into the second write, which succeeds.
    sink.record(done("nobody waits"));
    CompletionStage<Done> second = sink.recorded(done("somebody waits"));
    failing.gate.countDown();
    await(second);
    assertEquals(List.of("first", "nobody waits", "somebody waits"), details());
    failing.lostWrites = 1;
    assertEquals(
        Failure.STORE_UNAVAILABLE, refusal(sink.recorded(done("never"))).refused().failure());
    await(sink.recorded(done("after")));
    assertEquals(List.of("first", "nobody waits", "somebody waits", "after"), details());
    assertEquals(Optional.empty(), firstBroken());
  }

  @Test
  void aFloodOfRefusalsIsCountedAndHidesNothingElse() throws Exception {
    for (int i = 0; i < 10_500; i++) {
      sink.record(AuditEvent.of(Kind.SECRET_REFUSED).by("anyone"));
    }
    sink.record(AuditEvent.of(Kind.IDENTITY_CONTESTED).by("anyone").detail("contested"));
    await(sink.recorded(done("granted")));
    List<String> details = details();
    assertTrue(details.contains("contested"), "another kind of refusal");
    assertTrue(details.contains("granted"));
    assertEquals(500 + 10_000, recorded(details) + counted(details));
    assertEquals(500, recorded(details));

    now.updateAndGet(before -> before.plusSeconds(3));
    for (int i = 0; i < 5; i++) {
      sink.record(AuditEvent.of(Kind.SECRET_REFUSED).by("anyone"));
    }
    flush();
    passAnHour(table.contents(0).count());
    flush();
    assertEquals(503, recorded(details()));
    assertEquals(10_002, counted(details()));
    assertEquals(Optional.empty(), firstBroken());
  }

  private static long recorded(List<String> details) {
    return details.stream().filter(String::isEmpty).count();
  }

  private static long counted(List<String> details) {
    String text = "refusals not recorded: ";
    return details.stream()
        .filter(detail -> detail.startsWith(text))
        .mapToLong(detail -> Long.parseLong(detail.substring(text.length())))
        .sum();
  }

  @Test
  void whoWaitsForARecordHearsOfItAndOnlySoManyMayWait() {
    assertEquals(new AuditLog.Position(0), ask(r -> new AuditLog.FindPosition("a", r)));
    TestProbe<AuditLog.Reply> probe = kit.createTestProbe();
    for (int i = 0; i < 64; i++) {
      log.tell(new AuditLog.Await(0, Duration.ofSeconds(30 + i), probe.ref()));
    }
    AuditLog.Refusal refused =
        assertInstanceOf(
            AuditLog.Refusal.class, ask(r -> new AuditLog.Await(0, Duration.ofSeconds(30), r)));
    assertEquals(Failure.LIMIT_REACHED, refused.refused().failure());
    sink.record(done("one"));
    for (int i = 0; i < 64; i++) {
      assertEquals(new AuditLog.Reached(1), probe.receiveMessage());
    }
    log.tell(new AuditLog.Await(1, Duration.ofSeconds(30), probe.ref()));
    flush();
    time.timePasses(Duration.ofSeconds(30));
    assertEquals(new AuditLog.Reached(1), probe.receiveMessage());
  }
}
