package coral.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.address.IpAllocator.Reply;
import coral.model.AgentId;
import coral.model.MeshSubnet;
import coral.storage.AllocationReadModel;
import coral.storage.AllocationReadModel.Row;
import coral.storage.Projection;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The table of RFD 019, from the journal of a real allocator. */
@Timeout(90)
final class AllocationProjectionTest {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.123456Z");

  @TempDir Path directory;

  private DurableAllocator start() throws Exception {
    Path path = directory.resolve("colony.duckdb");
    return new DurableAllocator(
        path, SUBNET, IpAllocator.Settings.of(path.toString()), InstantSource.fixed(NOW));
  }

  @Test
  void theTableIsBroughtUpToDateAndRebuiltWhenItWasDropped() throws Exception {
    long seed = 7;
    List<Row> rows;
    try (DurableAllocator allocator = start()) {
      Random random = new Random(seed);
      AllocationReadModel table = new AllocationReadModel(allocator.file);
      for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 50; i++) {
          change(allocator, random);
        }
        catchUp(allocator, table);
        assertEquals(expected(allocator), rows(table), "seed " + seed);
        assertEquals(0, catchUp(allocator, table), "nothing is applied twice");
      }
      rows = rows(table);
    }
    try (DurableAllocator allocator = start()) {
      AllocationReadModel table = new AllocationReadModel(allocator.file);
      assertEquals(allocator.list().size(), rows(table).size());
      assertEquals(0, catchUp(allocator, table), "the offset survives a restart");
      try (Connection connection = allocator.file.connect();
          Statement statement = connection.createStatement()) {
        statement.execute("DROP TABLE agent_ip_allocations");
      }
    }
    try (DurableAllocator allocator = start()) {
      AllocationReadModel table = new AllocationReadModel(allocator.file);
      assertEquals(0, table.appliedUpTo());
      assertTrue(catchUp(allocator, table) > 0);
      assertEquals(rows, rows(table));
    }
  }

  @Test
  void rowsOfAnotherVersionAreComputedAnewAndKeepWhenTheirAgentsWereLastSeen() throws Exception {
    AgentId agent = new AgentId("a");
    Instant later = NOW.plusSeconds(60);
    try (DurableAllocator allocator = start()) {
      AllocationReadModel table = new AllocationReadModel(allocator.file, "10.42.0.0/16");
      allocator.allocate("a", AllocationTableTest.key(1), "").join();
      catchUp(allocator, table);
      table.touch(Map.of(agent, later));
      assertEquals(1, new AllocationReadModel(allocator.file, "10.42.0.0/16").appliedUpTo());
      AllocationReadModel other = new AllocationReadModel(allocator.file, "10.77.0.0/16");
      assertEquals(0, other.appliedUpTo());
      assertEquals(1, catchUp(allocator, other));
      assertEquals(List.of(new Row(agent, "10.42.0.2", NOW, later)), rows(other));
    }
  }

  @Test
  void theTableFollowsTheJournal() throws Exception {
    try (DurableAllocator allocator = start()) {
      AllocationReadModel table = new AllocationReadModel(allocator.file);
      BlockingQueue<Long> applied = new LinkedBlockingQueue<>();
      Pair<UniqueKillSwitch, CompletionStage<Done>> following =
          new Projection(allocator.system, IpAllocator.PERSISTENCE_ID, telling(table, applied))
              .follow();
      for (int i = 0; i < 3; i++) {
        allocator.allocate("agent-" + i, AllocationTableTest.key(i + 1), "").join();
        assertEquals(i + 1L, applied.poll(20, TimeUnit.SECONDS));
        assertEquals(expected(allocator), rows(table));
      }
      following.first().shutdown();
      following.second().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }
  }

  @Test
  void lastSeenIsWrittenInBatchesAndNeverMovesBack() throws Exception {
    try (DurableAllocator allocator = start()) {
      AllocationReadModel table = new AllocationReadModel(allocator.file);
      CompletableFuture<Reply> last = new CompletableFuture<>();
      for (int i = 0; i < 600; i++) {
        last = allocator.allocate("agent-" + i, AllocationTableTest.key(i + 1), "");
      }
      last.join();
      catchUp(allocator, table);
      Instant later = NOW.plusSeconds(60);
      Map<AgentId, Instant> seen = new HashMap<>();
      for (int i = 0; i < 600; i += 2) {
        seen.put(new AgentId("agent-" + i), later);
      }
      seen.put(new AgentId("nobody"), later);
      table.touch(seen);
      table.touch(Map.of(new AgentId("agent-0"), NOW));
      table.touch(Map.of());
      List<AgentId> asked =
          List.of(new AgentId("agent-0"), new AgentId("agent-1"), new AgentId("nobody"));
      assertEquals(Map.of(asked.get(0), later, asked.get(1), NOW), table.lastSeen(asked));
      assertEquals(600, rows(table).size());
      assertEquals(300, rows(table).stream().filter(row -> row.lastSeen().equals(later)).count());
    }
  }

  @Test
  void addressesMayBeSwappedWithinOneTransaction() throws Exception {
    try (DurableAllocator allocator = start()) {
      AllocationReadModel table = new AllocationReadModel(allocator.file);
      AgentId a = new AgentId("a");
      AgentId b = new AgentId("b");
      AgentId c = new AgentId("c");
      table.apply(List.of(row(a, "10.42.0.2"), row(b, "10.42.0.3")), List.of(), 2);
      table.apply(
          List.of(row(b, "10.42.0.2"), row(c, "10.42.0.4"), row(a, "10.42.0.3")), List.of(), 7);
      assertEquals(
          List.of(row(a, "10.42.0.3"), row(b, "10.42.0.2"), row(c, "10.42.0.4")), rows(table));
      table.apply(List.of(row(a, "10.42.0.2")), List.of(b), 9);
      assertEquals(List.of(row(a, "10.42.0.2"), row(c, "10.42.0.4")), rows(table));
      assertEquals(9, table.appliedUpTo());
      assertEquals(
          new AllocationReadModel.Page(List.of(row(a, "10.42.0.2")), Optional.of(a)),
          table.page(Optional.empty(), 1));
    }
  }

  private static Row row(AgentId agent, String ip) {
    return new Row(agent, ip, NOW, NOW);
  }

  private static void change(DurableAllocator allocator, Random random) {
    String agent = "agent-" + random.nextInt(20);
    if (random.nextInt(3) == 0) {
      allocator.ask(replyTo -> new IpAllocator.Release(new AgentId(agent), replyTo)).join();
    } else {
      allocator.allocate(agent, AllocationTableTest.key(1 + random.nextInt(99)), "").join();
    }
  }

  private static long catchUp(DurableAllocator allocator, AllocationReadModel table)
      throws Exception {
    return projection(allocator, table).catchUp().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static Projection projection(DurableAllocator allocator, AllocationReadModel table) {
    return new Projection(
        allocator.system,
        IpAllocator.PERSISTENCE_ID,
        Projection.into(table, AllocationProjectionTest::meaning));
  }

  /** The table, which tells how far it is after each transaction. */
  private static Projection.Target telling(AllocationReadModel table, Queue<Long> applied) {
    Projection.Target target = Projection.into(table, AllocationProjectionTest::meaning);
    return new Projection.Target() {
      @Override
      public long appliedUpTo() throws IOException {
        return target.appliedUpTo();
      }

      @Override
      public void apply(List<Projection.JournalEvent> events) throws IOException {
        target.apply(events);
        applied.add(events.get(events.size() - 1).sequenceNumber());
      }
    };
  }

  private static Optional<Projection.RowChange> meaning(Object event) {
    if (event instanceof AllocationEvent.Allocated allocated) {
      String ip = SUBNET.addresses(allocated.hostNumber()).ipv4Text();
      Row row = new Row(allocated.agentId(), ip, allocated.at(), allocated.at());
      return Optional.of(new Projection.RowChange(allocated.agentId(), Optional.of(row)));
    }
    if (event instanceof AllocationEvent.Released released) {
      return Optional.of(new Projection.RowChange(released.agentId(), Optional.empty()));
    }
    return Optional.empty();
  }

  private static List<Row> expected(DurableAllocator allocator) {
    return allocator.list().stream()
        .map(
            a ->
                new Row(
                    a.agentId(),
                    SUBNET.addresses(a.hostNumber()).ipv4Text(),
                    a.allocatedAt(),
                    a.allocatedAt()))
        .sorted(Comparator.comparing(Row::agentId))
        .toList();
  }

  private static List<Row> rows(AllocationReadModel table) throws Exception {
    return table.page(Optional.empty(), 10_000).rows();
  }
}
