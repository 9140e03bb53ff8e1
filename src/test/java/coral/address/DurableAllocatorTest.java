package coral.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.address.IpAllocator.Refusal;
import coral.address.IpAllocator.Release;
import coral.address.IpAllocator.Released;
import coral.address.IpAllocator.Reply;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.storage.DuckDbFile;
import coral.storage.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The allocator on a real DuckDB file. */
@Timeout(120)
final class DurableAllocatorTest {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static final int MOST_AT_ONCE = 5_000;

  @TempDir Path directory;

  private Path database() {
    return directory.resolve("colony.duckdb");
  }

  @Test
  void anAgentKeepsItsAddressAcrossRestarts() throws Exception {
    List<Allocation> before;
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      for (int i = 0; i < 5; i++) {
        allocate(allocator, i, i, "r" + i);
      }
      allocator.get(replyTo -> new Release(new AgentId("agent-1"), replyTo));
      allocate(allocator, 3, 33, "new-key");
      before = allocator.list();
    }
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      assertEquals(before, allocator.list());
      assertEquals(4, before.size());
      assertTrue(allocator.changes.isEmpty(), "what was known at the start is not news");
      assertEquals(before.get(0), allocate(allocator, 0, 0, "another-request"));
      assertEquals(
          3, allocate(allocator, 9, 9, "r9").hostNumber(), "the released one, lowest first");
      assertEquals(
          Failure.REQUEST_ID_REUSED, refusal(allocator, 3, 3, "r3"), "spent ids survive a restart");
    }
  }

  @Test
  void aSnapshotAndTheEventsAfterItGiveTheSameTable() throws Exception {
    List<Allocation> before;
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      allocateAll(allocator, 0, AllocationJournal.EVENTS_PER_SNAPSHOT / 2);
      allocateAll(
          allocator,
          AllocationJournal.EVENTS_PER_SNAPSHOT / 2,
          AllocationJournal.EVENTS_PER_SNAPSHOT / 2 + 50);
      allocator.get(replyTo -> new Release(new AgentId("agent-7"), replyTo));
      before = allocator.list();
      awaitSnapshot(allocator);
    }
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      assertEquals(before, allocator.list());
      assertEquals(9, allocate(allocator, 70_000, 70_000, "").hostNumber());
    }
    // Without it, all events are there to be replayed.
    execute(database(), "UPDATE snapshot SET snapshot_payload = 'damaged'::BLOB");
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      assertEquals(before.size() + 1, usage(allocator).held());
    }
  }

  @Test
  void requestsThatArriveTogetherShareACommit() throws Exception {
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      allocateAll(allocator, 0, 1_000);
    }
    // One transaction writes its rows with one timestamp of the journal's writer.
    long writes = query(database(), "SELECT count(DISTINCT write_timestamp) FROM event_journal");
    assertEquals(1_000, query(database(), "SELECT count(*) FROM event_journal"));
    assertTrue(writes <= 100, writes + " writes for 1,000 allocations offered at once");
  }

  @Test
  void sixtyFourThreadsGetTheAddressesThatAModelAllows() throws Exception {
    long seed = 20_260_102;
    Map<String, Allocation> held = new ConcurrentHashMap<>();
    Set<Integer> inUse = ConcurrentHashMap.newKeySet();
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      ExecutorService threads = Executors.newFixedThreadPool(64);
      List<Future<?>> all = new ArrayList<>();
      for (int t = 0; t < 64; t++) {
        int thread = t;
        all.add(
            threads.submit(
                () -> hammer(allocator, thread, new Random(seed + thread), held, inUse)));
      }
      for (Future<?> each : all) {
        each.get();
      }
      threads.shutdown();
      assertEquals(held, byAgent(allocator.list()), "seed " + seed);
      assertReplayGives(held, allocator.changes);
    }
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      assertEquals(held, byAgent(allocator.list()), "after a restart, seed " + seed);
    }
  }

  /** Each thread has agents of its own, so that it knows what they must hold. */
  private static Void hammer(
      DurableAllocator allocator,
      int thread,
      Random random,
      Map<String, Allocation> held,
      Set<Integer> inUse) {
    for (int i = 0; i < 60; i++) {
      int agent = thread * 8 + random.nextInt(8);
      String name = "agent-" + agent;
      Allocation mine = held.get(name);
      if (mine != null && random.nextInt(3) == 0) {
        // Before the reply, for by then the number may be another's.
        inUse.remove(mine.hostNumber());
        held.remove(name);
        Reply reply = allocator.get(replyTo -> new Release(new AgentId(name), replyTo));
        assertEquals(new Released(mine.agentId(), mine.hostNumber()), reply);
      } else {
        int key = agent + 1_000 * random.nextInt(3);
        Allocation now = allocate(allocator, agent, key, "");
        if (mine == null) {
          assertTrue(inUse.add(now.hostNumber()), "given twice: " + now);
        } else {
          assertEquals(mine.hostNumber(), now.hostNumber());
          assertEquals(mine.allocatedAt(), now.allocatedAt());
        }
        held.put(name, now);
      }
    }
    return null;
  }

  private static void assertReplayGives(
      Map<String, Allocation> held, List<AllocationChange> changes) {
    AllocationTable table = new AllocationTable(SUBNET);
    long expected = 1;
    for (AllocationChange change : changes) {
      assertEquals(expected++, change.sequenceNumber(), "in order, each once");
      change.event().applyTo(table);
    }
    assertEquals(held, byAgent(table.page(0, 100_000).allocations()));
  }

  @Test
  void anExhaustedPoolRefusesAndReleasesStillWork() throws Exception {
    MeshSubnet subnet = MeshSubnet.parse("10.42.0.0/30", "fd42::/64");
    try (DurableAllocator allocator = new DurableAllocator(database(), subnet)) {
      assertEquals(2, allocate(allocator, 0, 0, "").hostNumber());
      assertEquals(Failure.POOL_EXHAUSTED, refusal(allocator, 1, 1, ""));
      assertInstanceOf(
          Released.class, allocator.get(replyTo -> new Release(new AgentId("agent-0"), replyTo)));
      assertEquals(2, allocate(allocator, 1, 1, "").hostNumber());
    }
  }

  @Test
  void aJournalThatDoesNotFitTheSubnetIsRefusedByName() throws Exception {
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      allocateAll(allocator, 0, 20);
    }
    MeshSubnet small = MeshSubnet.parse("10.42.0.0/28", "fd42::/64");
    try (DurableAllocator allocator = new DurableAllocator(database(), small)) {
      Refusal refusal = (Refusal) allocator.get(IpAllocator.GetUsage::new);
      assertEquals(Failure.FAILED_PRECONDITION, refusal.refused().failure());
      String message = refusal.refused().message();
      for (String part : List.of("agent-13", "10.42.0.15", "10.42.0.0/28", database().toString())) {
        assertTrue(message.contains(part), message);
      }
      assertEquals(Failure.FAILED_PRECONDITION, refusal(allocator, 99, 99, ""));
    }
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      assertEquals(20, usage(allocator).held(), "nothing was changed");
    }
  }

  @Test
  void aTableThatSomebodyElseWroteIntoFailsAndRecovers() throws Exception {
    IpAllocator.Settings settings = IpAllocator.Settings.of(database().toString());
    try (DurableAllocator allocator =
        new DurableAllocator(database(), SUBNET, settings, InstantSource.fixed(Instant.EPOCH))) {
      allocate(allocator, 0, 0, "r0");
      // The next sequence number is taken: the write breaks the primary key.
      try (Connection connection = allocator.file.connect();
          Statement statement = connection.createStatement()) {
        statement.executeUpdate(
            "INSERT INTO event_journal SELECT ordering + 1, deleted, persistence_id, 2, writer,"
                + " write_timestamp, adapter_manifest, event_ser_id, event_ser_manifest,"
                + " event_payload, NULL, NULL, NULL FROM event_journal");
        Refusal refusal = (Refusal) ask(allocator, 1, 1, "r1");
        assertEquals(Failure.STORE_UNAVAILABLE, refusal.refused().failure());
        assertTrue(refusal.refused().message().contains(database().toString()), refusal::toString);
        statement.executeUpdate("DELETE FROM event_journal WHERE sequence_number = 2");
      }
      Allocation allocation = allocateUntilItWorks(allocator, 1, 1, "r1");
      assertEquals(3, allocation.hostNumber());
      assertEquals(2, allocator.changes.size());
    }
  }

  @Test
  void aFileThatIsOpenAlreadyIsRefused() throws Exception {
    try (DurableAllocator allocator = new DurableAllocator(database(), SUBNET)) {
      allocate(allocator, 0, 0, "");
      assertThrows(StoreException.class, () -> DuckDbFile.open(database()));
      allocate(allocator, 1, 1, "");
    }
    assertFalse(Files.exists(directory.resolve("colony.duckdb.tmp")));
  }

  private static Map<String, Allocation> byAgent(List<Allocation> allocations) {
    Map<String, Allocation> byAgent = new HashMap<>();
    allocations.forEach(a -> byAgent.put(a.agentId().value(), a));
    assertEquals(allocations.size(), byAgent.size());
    assertEquals(
        allocations.size(),
        new HashSet<>(allocations.stream().map(Allocation::hostNumber).toList()).size());
    return byAgent;
  }

  /** No more at once than the allocator lets wait, however slow its disk is. */
  private static void allocateAll(DurableAllocator allocator, int from, int count) {
    for (int next = from; next < from + count; next += MOST_AT_ONCE) {
      CompletableFuture.allOf(
              IntStream.range(next, Math.min(next + MOST_AT_ONCE, from + count))
                  .mapToObj(
                      i ->
                          allocator
                              .allocate("agent-" + i, AllocationTableTest.key(i + 1), "r" + i)
                              .thenAccept(r -> assertInstanceOf(Allocation.class, r)))
                  .toArray(CompletableFuture<?>[]::new))
          .join();
    }
  }

  private static Reply ask(DurableAllocator allocator, int agent, int key, String requestId) {
    return allocator.allocate("agent-" + agent, AllocationTableTest.key(key + 1), requestId).join();
  }

  private static Allocation allocate(
      DurableAllocator allocator, int agent, int key, String requestId) {
    return assertInstanceOf(Allocation.class, ask(allocator, agent, key, requestId));
  }

  private static Failure refusal(DurableAllocator allocator, int agent, int key, String requestId) {
    return assertInstanceOf(Refusal.class, ask(allocator, agent, key, requestId))
        .refused()
        .failure();
  }

  /** As an agent does: asks again with the same request id, for nothing tells when it works. */
  static Allocation allocateUntilItWorks(
      DurableAllocator allocator, int agent, int key, String requestId) {
    return TestProbe.create(allocator.system)
        .awaitAssert(
            PATIENCE,
            () -> assertInstanceOf(Allocation.class, ask(allocator, agent, key, requestId)));
  }

  private static IpAllocator.Usage usage(DurableAllocator allocator) {
    return assertInstanceOf(IpAllocator.Usage.class, allocator.get(IpAllocator.GetUsage::new));
  }

  private static void awaitSnapshot(DurableAllocator allocator) throws Exception {
    try (Connection connection = allocator.file.connect();
        Statement statement = connection.createStatement()) {
      // The journal writes it after the answer, and tells nobody but the allocator.
      TestProbe.create(allocator.system)
          .awaitAssert(
              PATIENCE,
              () -> {
                try (ResultSet result = statement.executeQuery("SELECT count(*) FROM snapshot")) {
                  result.next();
                  assertTrue(result.getLong(1) > 0, "no snapshot");
                }
                return Done.getInstance();
              });
    }
  }

  private static long query(Path database, String sql) throws IOException, SQLException {
    try (DuckDbFile file = DuckDbFile.open(database);
        Connection connection = file.connect();
        Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      result.next();
      return result.getLong(1);
    }
  }

  private static void execute(Path database, String sql) throws IOException, SQLException {
    try (DuckDbFile file = DuckDbFile.open(database);
        Connection connection = file.connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
