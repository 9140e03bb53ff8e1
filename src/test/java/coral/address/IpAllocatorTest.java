package coral.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.address.IpAllocator.Allocate;
import coral.address.IpAllocator.Command;
import coral.address.IpAllocator.Refusal;
import coral.address.IpAllocator.Reply;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.model.Refused;
import coral.model.WireGuardKey;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.apache.pekko.persistence.testkit.PersistenceTestKitSnapshotPlugin;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The actor on a journal that fails when it is told to. */
final class IpAllocatorTest {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/24", "fd42::/64");
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

  private final ActorTestKit kit =
      ActorTestKit.create(
          PersistenceTestKitPlugin.getInstance()
              .config()
              .withFallback(PersistenceTestKitSnapshotPlugin.config())
              .withFallback(
                  ConfigFactory.parseString(
                      "pekko.actor.testkit.typed.single-expect-default = 20s"))
              .withFallback(ConfigFactory.load()));
  private final PersistenceTestKit journal = PersistenceTestKit.create(kit.system());
  private final List<AllocationChange> changes = new ArrayList<>();
  private final TestProbe<Reply> probe = kit.createTestProbe();

  @BeforeEach
  void emptyTheJournal() {
    journal.clearAll();
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private static IOException diskFull() {
    return new IOException("the database /data/colony.duckdb cannot be written: the disk is full");
  }

  private ActorRef<Command> start(int queueLimit) {
    return kit.spawn(
        IpAllocator.create(
            SUBNET,
            InstantSource.fixed(NOW),
            new IpAllocator.Settings(
                "/data/colony.duckdb",
                queueLimit,
                256,
                Duration.ofMillis(10),
                Duration.ofMillis(40)),
            changes::add));
  }

  private Allocate allocate(int agent) {
    return new Allocate(
        new AgentId("agent-" + agent),
        AllocationTableTest.key(agent + 1),
        "request-" + agent,
        probe.getRef());
  }

  @Test
  void whatWaitsIsPersistedBeforeItIsAnswered() {
    ActorRef<Command> allocator = start(100);
    allocator.tell(allocate(0));
    assertEquals(
        new Allocation(new AgentId("agent-0"), 2, AllocationTableTest.key(1), NOW),
        probe.receiveMessage());
    journal.expectNextPersisted(
        IpAllocator.PERSISTENCE_ID,
        new AllocationEvent.Allocated(
            new AgentId("agent-0"), 2, AllocationTableTest.key(1), "request-0", NOW));
  }

  @Test
  void aFailedWriteIsRefusedNamingTheFileAndTheRetryGetsTheRightAnswer() {
    ActorRef<Command> allocator = start(100);
    allocator.tell(allocate(0));
    Reply first = probe.receiveMessage();
    journal.failNextPersisted(IpAllocator.PERSISTENCE_ID, diskFull());
    allocator.tell(allocate(1));
    Refused refused = assertInstanceOf(Refusal.class, probe.receiveMessage()).refused();
    assertEquals(Failure.STORE_UNAVAILABLE, refused.failure());
    assertTrue(refused.message().contains("/data/colony.duckdb"), refused.message());
    assertTrue(refused.message().contains("the disk is full"), refused.message());
    probe.awaitAssert(
        () -> {
          allocator.tell(allocate(1));
          Allocation again = assertInstanceOf(Allocation.class, probe.receiveMessage());
          assertEquals(3, again.hostNumber());
          return again;
        });
    allocator.tell(allocate(0));
    assertEquals(first, probe.receiveMessage());
    assertEquals(List.of(1L, 2L), changes.stream().map(AllocationChange::sequenceNumber).toList());
  }

  @Test
  void aJournalThatCannotBeReadAtTheStartIsRefusedAndNeverAnEmptyPool() {
    journal.failNextRead(IpAllocator.PERSISTENCE_ID, diskFull());
    ActorRef<Command> allocator = start(100);
    allocator.tell(new IpAllocator.GetUsage(probe.getRef()));
    Refused refused = assertInstanceOf(Refusal.class, probe.receiveMessage()).refused();
    assertEquals(Failure.STORE_UNAVAILABLE, refused.failure());
    probe.awaitAssert(
        () -> {
          allocator.tell(new IpAllocator.GetUsage(probe.getRef()));
          assertEquals(new IpAllocator.Usage(0, 253, 0, 0), probe.receiveMessage());
          return 0;
        });
  }

  @Test
  void aFullQueueRefusesAndEveryRequestIsAnsweredOnce() {
    ActorRef<Command> allocator = start(5);
    for (int i = 0; i < 100; i++) {
      allocator.tell(allocate(i));
    }
    int allocated = 0;
    int limited = 0;
    for (int i = 0; i < 100; i++) {
      Reply reply = probe.receiveMessage();
      if (reply instanceof Refusal refusal) {
        assertEquals(Failure.LIMIT_REACHED, refusal.refused().failure());
        limited++;
      } else {
        allocated++;
      }
    }
    assertTrue(limited > 0 && allocated >= 5, allocated + " allocated, " + limited + " refused");
    probe.expectNoMessage(Duration.ofMillis(50));
    allocator.tell(new IpAllocator.GetUsage(probe.getRef()));
    assertEquals(new IpAllocator.Usage(allocated, 253, 0, 0), probe.receiveMessage());
  }

  @Test
  void aWriteOfUnknownOutcomeIsAnnouncedWhenItIsReadBack() {
    ActorRef<Command> allocator = start(100);
    allocator.tell(allocate(0));
    probe.receiveMessage();
    // The journal says that it failed, and kept the event all the same.
    journal.failNextPersisted(IpAllocator.PERSISTENCE_ID, diskFull());
    allocator.tell(allocate(1));
    journal.persistForRecovery(
        IpAllocator.PERSISTENCE_ID,
        List.of(
            new AllocationEvent.Allocated(
                new AgentId("agent-1"), 3, AllocationTableTest.key(2), "request-1", NOW)));
    assertInstanceOf(Refusal.class, probe.receiveMessage());
    probe.awaitAssert(
        () -> {
          allocator.tell(allocate(1));
          return assertInstanceOf(Allocation.class, probe.receiveMessage());
        });
    assertEquals(2, changes.size());
    assertEquals(2, changes.get(1).sequenceNumber());
  }

  @Test
  void pagesOutOfBoundsAreRefused() {
    ActorRef<Command> allocator = start(100);
    for (int limit : new int[] {0, -1, 10_001}) {
      allocator.tell(new IpAllocator.ListAllocations(0, limit, probe.getRef()));
      Refusal refusal = assertInstanceOf(Refusal.class, probe.receiveMessage());
      assertEquals(Failure.INVALID_ARGUMENT, refusal.refused().failure());
    }
  }

  @Test
  void messagesSurviveTheWire() {
    AgentId agent = new AgentId("web-1.example_2");
    WireGuardKey key = AllocationTableTest.key(77);
    Allocation allocation = new Allocation(agent, 15, key, NOW.plusNanos(123_456_789));
    List<Command> commands =
        List.of(
            new Allocate(agent, key, "request", probe.getRef()),
            new IpAllocator.Release(agent, probe.getRef()),
            new IpAllocator.Find(agent, probe.getRef()),
            new IpAllocator.ListAllocations(2, 10, probe.getRef()),
            new IpAllocator.GetUsage(probe.getRef()));
    List<Reply> replies =
        List.of(
            allocation,
            new IpAllocator.Released(allocation.agentId(), allocation.hostNumber()),
            new Refusal(new Refused(Failure.POOL_EXHAUSTED, "full")),
            new IpAllocator.Allocations(List.of(allocation), List.of(), 16, 253),
            new IpAllocator.Usage(1, 253, 0, 0));
    commands.forEach(command -> kit.serializationTestKit().verifySerialization(command, true));
    replies.forEach(reply -> kit.serializationTestKit().verifySerialization(reply, true));
    assertFalse(commands.isEmpty() || replies.isEmpty());
  }
}
