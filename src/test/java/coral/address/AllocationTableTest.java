package coral.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.address.IpAllocator.Allocate;
import coral.address.IpAllocator.Refusal;
import coral.address.IpAllocator.Release;
import coral.address.IpAllocator.Released;
import coral.address.IpAllocator.Reply;
import coral.address.IpAllocator.Reserve;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AllocationTableTest {
  private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
  private static final ActorRef<Reply> NOBODY = TestInbox.<Reply>create().getRef();

  @Test
  void numbersAreGivenInSequenceFromTheOneAfterTheColony() {
    Fixture fixture = new Fixture("10.42.0.0/16");
    assertEquals(2, fixture.allocate("a", 1, "").hostNumber());
    assertEquals(3, fixture.allocate("b", 2, "").hostNumber());
    assertEquals(4, fixture.allocate("c", 3, "").hostNumber());
  }

  @Test
  void theLowestReleasedNumberIsGivenFirst() {
    Fixture fixture = new Fixture("10.42.0.0/16");
    for (int i = 0; i < 6; i++) {
      fixture.allocate("agent-" + i, i + 1, "");
    }
    fixture.release("agent-3");
    fixture.release("agent-1");
    assertEquals(3, fixture.allocate("x", 101, "").hostNumber());
    assertEquals(5, fixture.allocate("y", 102, "").hostNumber());
    assertEquals(8, fixture.allocate("z", 103, "").hostNumber());
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.42.0.0/30", "10.42.0.0/28", "10.42.0.0/24"})
  void theLastAddressIsGivenThenRefusedThenGivenAgainAfterARelease(String ipv4) {
    Fixture fixture = new Fixture(ipv4);
    int capacity = fixture.subnet.capacity();
    for (int i = 0; i < capacity; i++) {
      assertEquals(i + 2, fixture.allocate("agent-" + i, i + 1, "").hostNumber());
    }
    assertEquals(Failure.POOL_EXHAUSTED, fixture.refused("late", 10_000, ""));
    assertEquals(fixture.subnet.lastAgentHostNumber(), capacity + 1);
    assertEquals("agent-0", fixture.release("agent-0").agentId().value(), "releases still work");
    assertEquals(2, fixture.allocate("late", 10_000, "").hostNumber());
  }

  @Test
  void aSubnetOfSixteenMillionAddressesCostsWhatItsAgentsCost() {
    Fixture fixture = new Fixture("10.0.0.0/8");
    assertEquals(16_777_213, fixture.table.capacity());
    fixture.apply(new AllocationEvent.Allocated(new AgentId("far"), 16_777_214, key(1), "", NOW));
    assertEquals(2, fixture.allocate("near", 2, "").hostNumber());
    assertEquals(2, fixture.table.size());
  }

  @Test
  void aRetryWithTheSameRequestIdAndKeySpendsNothing() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    Allocation first = fixture.allocate("a", 1, "r1");
    assertEquals(first, fixture.allocate("a", 1, "r1"));
    assertEquals(1, fixture.events, "a retry writes no event");
  }

  @Test
  void aRequestIdIsNotUsedWithAnotherKey() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    fixture.allocate("a", 1, "r1");
    assertEquals(Failure.REQUEST_ID_REUSED, fixture.refused("a", 2, "r1"));
    assertEquals(key(2), fixture.allocate("a", 2, "r2").wireGuardKey());
  }

  @Test
  void aRetryThatComesAfterTheKeyWasReplacedDoesNotBringTheOldKeyBack() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    fixture.allocate("a", 1, "r1");
    fixture.allocate("a", 2, "r2");
    assertEquals(Failure.REQUEST_ID_REUSED, fixture.refused("a", 1, "r1"));
    assertEquals(key(2), fixture.allocate("a", 2, "r3").wireGuardKey());
  }

  @Test
  void aKeyBelongsToOneAgentUntilItIsReplacedOrReleased() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    fixture.allocate("a", 1, "");
    assertEquals(Failure.WIREGUARD_KEY_TAKEN, fixture.refused("b", 1, ""));
    fixture.allocate("a", 2, "");
    assertEquals(key(1), fixture.allocate("b", 1, "").wireGuardKey());
    assertEquals(Failure.WIREGUARD_KEY_TAKEN, fixture.refused("c", 2, ""));
    fixture.release("a");
    assertEquals(2, fixture.allocate("c", 2, "").hostNumber());
  }

  @Test
  void anOverlongRequestIdIsRefused() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    assertEquals(Failure.INVALID_ARGUMENT, fixture.refused("a", 1, "r".repeat(129)));
    fixture.allocate("a", 1, "r".repeat(128));
  }

  @Test
  void releasingWhatNobodyHoldsIsNotFound() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    assertEquals(Failure.NOT_FOUND, ((Refusal) fixture.decide(release("a"))).refused().failure());
  }

  @Test
  void aReservedAddressIsGivenToItsAgentAndToNobodyElse() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    assertEquals(new Reservation(new AgentId("late"), 2, NOW), fixture.decide(reserve("late", 2)));
    assertEquals(3, fixture.allocate("a", 1, "").hostNumber());
    Allocation late = fixture.allocate("late", 2, "");
    assertEquals(2, late.hostNumber());
    assertEquals(NOW, late.allocatedAt());
    assertEquals(2, fixture.release("late").hostNumber());
    assertEquals(2, fixture.allocate("b", 3, "").hostNumber(), "a reservation is used up");
  }

  @Test
  void aReservationIsHeldUntilItIsReleased() {
    Fixture fixture = new Fixture("10.42.0.0/30");
    fixture.decide(reserve("late", 2));
    assertEquals(Failure.POOL_EXHAUSTED, fixture.refused("a", 1, ""));
    assertEquals(2, fixture.release("late").hostNumber());
    assertEquals(2, fixture.allocate("a", 1, "").hostNumber());
  }

  @Test
  void whatIsHeldIsNotReserved() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    fixture.allocate("a", 1, "");
    for (Reserve refused : List.of(reserve("b", 2), reserve("a", 3))) {
      Refusal refusal = (Refusal) fixture.decide(refused);
      assertEquals(Failure.FAILED_PRECONDITION, refusal.refused().failure());
      assertTrue(refusal.refused().message().contains("10.42.0.2"), refusal::toString);
    }
    for (int outside : List.of(-1, 0, 1, 15, 16)) {
      Refusal refusal = (Refusal) fixture.decide(reserve("b", outside));
      assertEquals(Failure.INVALID_ARGUMENT, refusal.refused().failure());
    }
  }

  @Test
  void theSameReservationAgainWritesNothing() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    Reply first = fixture.decide(reserve("late", 5));
    assertEquals(first, fixture.decide(reserve("late", 5)));
    assertEquals(1, fixture.events);
    assertEquals(
        Failure.FAILED_PRECONDITION,
        ((Refusal) fixture.decide(reserve("late", 6))).refused().failure());
  }

  @Test
  void anEventThatDoesNotFollowIsRejectedAndChangesNothing() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    fixture.allocate("a", 1, "r");
    AgentId a = new AgentId("a");
    AgentId b = new AgentId("b");
    AgentId c = new AgentId("c");
    fixture.apply(new AllocationEvent.Reserved(c, 9, NOW, "admin/a", "", ""));
    AllocationSnapshot before = fixture.table.snapshot();
    List<AllocationEvent> wrong =
        List.of(
            new AllocationEvent.Allocated(b, 2, key(2), "", NOW),
            new AllocationEvent.Allocated(a, 3, key(2), "", NOW),
            new AllocationEvent.Allocated(b, 3, key(1), "", NOW),
            new AllocationEvent.Allocated(b, 0, key(2), "", NOW),
            new AllocationEvent.Allocated(b, 1, key(2), "", NOW),
            new AllocationEvent.Allocated(b, 15, key(2), "", NOW),
            new AllocationEvent.KeyReplaced(b, key(2), "", NOW),
            new AllocationEvent.KeyReplaced(a, key(1), "", NOW),
            new AllocationEvent.Released(b, 2, NOW),
            new AllocationEvent.Released(a, 3, NOW),
            new AllocationEvent.Reserved(a, 3, NOW, "", "", ""),
            new AllocationEvent.Reserved(b, 2, NOW, "", "", ""),
            new AllocationEvent.Reserved(b, 1, NOW, "", "", ""),
            new AllocationEvent.Reserved(b, 15, NOW, "", "", ""),
            new AllocationEvent.Reserved(c, 4, NOW, "", "", ""),
            new AllocationEvent.Allocated(c, 4, key(2), "", NOW),
            new AllocationEvent.Allocated(b, 9, key(2), "", NOW),
            new AllocationEvent.ReservationReleased(c, 4, NOW),
            new AllocationEvent.ReservationReleased(b, 9, NOW));
    for (AllocationEvent event : wrong) {
      assertThrows(
          IllegalStateException.class, () -> event.applyTo(fixture.table), event::toString);
      assertEquals(before, fixture.table.snapshot(), event::toString);
    }
  }

  @Test
  void aNumberOutsideTheSubnetNamesAgentAddressAndSubnet() {
    Fixture fixture = new Fixture("10.42.0.0/28");
    AllocationEvent event =
        new AllocationEvent.Allocated(new AgentId("web-1"), 300, key(1), "", NOW);
    JournalDoesNotFitException thrown =
        assertThrows(JournalDoesNotFitException.class, () -> event.applyTo(fixture.table));
    String message = String.valueOf(thrown.getMessage());
    for (String part : List.of("web-1", "10.42.1.44", "10.42.0.0/28")) {
      assertTrue(message.contains(part), message);
    }
  }

  /** Every request against a model that is too simple to be wrong, in batches of random size. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void decidesAsTheModelDoes(long seed) {
    Random random = new Random(seed);
    MeshSubnet subnet = MeshSubnet.parse("10.42.0.0/27", "fd42::/64");
    AllocationTable table = new AllocationTable(subnet);
    AllocationModel model = new AllocationModel(subnet);
    for (int batch = 0; batch < 2_000; batch++) {
      AllocationDraft draft = new AllocationDraft(table, NOW, NOW);
      int size = 1 + random.nextInt(12);
      for (int i = 0; i < size; i++) {
        AgentId agent = new AgentId("agent-" + random.nextInt(40));
        Reply expected;
        Reply actual;
        int what = random.nextInt(8);
        if (what < 2) {
          expected = model.release(agent);
          actual = draft.decide(new Release(agent, NOBODY)).reply();
        } else if (what == 2) {
          int number = random.nextInt(33);
          expected = model.reserve(agent, number, NOW);
          actual = draft.decide(new Reserve(agent, number, "admin/a", "", "", NOBODY)).reply();
        } else {
          WireGuardKey key = key(1 + random.nextInt(60));
          String request = random.nextInt(3) == 0 ? "" : "r" + random.nextInt(8);
          expected = model.allocate(agent, key, request, NOW);
          actual = draft.decide(new Allocate(agent, key, request, NOBODY)).reply();
        }
        assertSame(expected, actual, "seed " + seed + ", batch " + batch + ", request " + i);
      }
      draft.events().forEach(event -> event.applyTo(table));
      if (random.nextInt(50) == 0) {
        assertEquals(
            table.snapshot(), AllocationTable.restore(subnet, table.snapshot()).snapshot());
      }
      assertEquals(
          new IpAllocator.Allocations(
              model.allocations(), model.reservations(), 0, subnet.capacity()),
          table.page(0, 100),
          "seed " + seed + ", batch " + batch);
      assertEquals(table.size(), model.allocations().size() + model.reservations().size());
    }
  }

  /** Refusals are compared by their kind: their words are for people. */
  private static void assertSame(Reply expected, Reply actual, String message) {
    if (expected instanceof Refusal refusal && actual instanceof Refusal other) {
      assertEquals(refusal.refused().failure(), other.refused().failure(), message);
    } else {
      assertEquals(expected, actual, message);
    }
  }

  private static Reserve reserve(String agent, int hostNumber) {
    return new Reserve(new AgentId(agent), hostNumber, "admin/a", "", "", NOBODY);
  }

  private static Release release(String agent) {
    return new Release(new AgentId(agent), NOBODY);
  }

  static WireGuardKey key(int number) {
    return WireGuardKey.of(ByteBuffer.allocate(32).putInt(28, number).array());
  }

  /** A table whose decisions are applied at once. */
  private static final class Fixture {
    final MeshSubnet subnet;
    final AllocationTable table;
    int events;

    Fixture(String ipv4) {
      subnet = MeshSubnet.parse(ipv4, "fd42::/64");
      table = new AllocationTable(subnet);
    }

    void apply(AllocationEvent event) {
      event.applyTo(table);
      events++;
    }

    Reply decide(IpAllocator.Request request) {
      AllocationDraft draft = new AllocationDraft(table, NOW, NOW);
      var decision =
          request instanceof Allocate allocate
              ? draft.decide(allocate)
              : request instanceof Reserve reserve
                  ? draft.decide(reserve)
                  : draft.decide((Release) request);
      assertEquals(decision.events(), draft.events());
      decision.events().forEach(this::apply);
      return decision.reply();
    }

    Allocation allocate(String agent, int key, String request) {
      return (Allocation) decide(new Allocate(new AgentId(agent), key(key), request, NOBODY));
    }

    Failure refused(String agent, int key, String request) {
      Reply reply = decide(new Allocate(new AgentId(agent), key(key), request, NOBODY));
      return ((Refusal) reply).refused().failure();
    }

    Released release(String agent) {
      return (Released) decide(AllocationTableTest.release(agent));
    }
  }
}
