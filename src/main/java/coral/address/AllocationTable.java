package coral.address;

import coral.address.AllocationSnapshot.Entry;
import coral.address.AllocationSnapshot.Spent;
import coral.model.AgentId;
import coral.model.Authentication;
import coral.model.MeshSubnet;
import coral.model.SpentTokens;
import coral.model.WireGuardKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Who holds which host number and which key. Events are its only mutator, and each is checked again
 * before it changes anything, so a journal that contradicts itself or the subnet is found when it
 * is read. Not for more than one thread.
 *
 * <p>Numbers are given lowest first: a fresh subnet is handed out in sequence, and a number that
 * was released is the next to be given if it is the lowest. So the numbers in use stay dense, and
 * the search costs no more than the words of one bit set behind a hint.
 */
public final class AllocationTable {
  /** Retries of older changes are refused as stale; four spans any sane client's retries. */
  static final int SPENT_REQUESTS_PER_AGENT = 4;

  private final MeshSubnet subnet;
  private final Map<AgentId, Entry> byAgent = new HashMap<>();
  private final Map<Integer, Entry> byHostNumber = new HashMap<>();
  private final Map<WireGuardKey, AgentId> ownerByKey = new HashMap<>();
  private final Map<AgentId, Reservation> reservations = new HashMap<>();
  private final Map<Integer, Reservation> reservationByHostNumber = new HashMap<>();

  /** The numbers of agents and of reservations. */
  private final BitSet held = new BitSet();

  private final SpentTokens tokens = new SpentTokens();
  private final Map<Authentication, Integer> byAuthentication = new EnumMap<>(Authentication.class);
  private int lowestFree = MeshSubnet.FIRST_AGENT_HOST_NUMBER;

  AllocationTable(MeshSubnet subnet) {
    this.subnet = subnet;
  }

  /**
   * @throws JournalDoesNotFitException if an entry is outside the subnet
   * @throws IllegalStateException if the snapshot contradicts itself
   */
  static AllocationTable restore(MeshSubnet subnet, AllocationSnapshot snapshot) {
    AllocationTable table = new AllocationTable(subnet);
    snapshot.entries().forEach(table::insert);
    snapshot.reservations().forEach(table::reserve);
    snapshot.tokens().forEach(token -> table.tokens.spend(token, Instant.MIN));
    return table;
  }

  /** An immutable copy, in the order of host numbers. */
  AllocationSnapshot snapshot() {
    List<Entry> entries = new ArrayList<>(byAgent.size());
    List<Reservation> reserved = new ArrayList<>(reservations.size());
    for (int n = held.nextSetBit(0); n >= 0; n = held.nextSetBit(n + 1)) {
      Entry entry = byHostNumber.get(n);
      if (entry != null) {
        entries.add(entry);
      } else {
        reserved.add(reservationAt(n));
      }
    }
    return new AllocationSnapshot(entries, tokens.list(), reserved);
  }

  /** Agents and reservations. */
  int size() {
    return byAgent.size() + reservations.size();
  }

  MeshSubnet subnet() {
    return subnet;
  }

  /** How many holders last proved who they are in this way. */
  int size(Authentication authentication) {
    return byAuthentication.getOrDefault(authentication, 0);
  }

  private void count(Authentication authentication, int change) {
    byAuthentication.merge(authentication, change, Integer::sum);
  }

  int capacity() {
    return subnet.capacity();
  }

  @Nullable Entry find(AgentId agentId) {
    return byAgent.get(agentId);
  }

  /** What is held for an agent that has nothing else. */
  @Nullable Reservation reservation(AgentId agentId) {
    return reservations.get(agentId);
  }

  /** Whether an agent has this number, or somebody reserved it. */
  boolean isHeld(int hostNumber) {
    return held.get(hostNumber);
  }

  @Nullable AgentId owner(WireGuardKey key) {
    return ownerByKey.get(key);
  }

  /** The lowest number that nobody holds and that is not below {@code from}. */
  OptionalInt lowestFree(int from) {
    int number = held.nextClearBit(Math.max(from, lowestFree));
    return number <= subnet.lastAgentHostNumber() ? OptionalInt.of(number) : OptionalInt.empty();
  }

  /** At most {@code limit} allocations and reservations, none below {@code from}. */
  IpAllocator.Allocations page(int from, int limit) {
    List<Allocation> allocations = new ArrayList<>();
    List<Reservation> reserved = new ArrayList<>();
    int n = held.nextSetBit(from);
    while (n >= 0 && allocations.size() + reserved.size() < limit) {
      Entry entry = byHostNumber.get(n);
      if (entry != null) {
        allocations.add(allocation(entry));
      } else {
        reserved.add(reservationAt(n));
      }
      n = held.nextSetBit(n + 1);
    }
    return new IpAllocator.Allocations(allocations, reserved, Math.max(n, 0), capacity());
  }

  static Allocation allocation(Entry entry) {
    return new Allocation(
        entry.agentId(),
        entry.hostNumber(),
        entry.wireGuardKey(),
        entry.allocatedAt(),
        entry.componentName(),
        entry.authentication());
  }

  /** What an agent holds once it has been given {@code event}. */
  static Entry entry(AllocationEvent.Allocated event) {
    return new Entry(
        event.agentId(),
        event.hostNumber(),
        event.wireGuardKey(),
        event.at(),
        spend(List.of(), event.requestId(), event.wireGuardKey()),
        event.componentName(),
        event.authentication());
  }

  /** What an agent holds once its key is that of {@code event}. */
  static Entry entry(Entry before, AllocationEvent.KeyReplaced event) {
    return new Entry(
        before.agentId(),
        before.hostNumber(),
        event.wireGuardKey(),
        before.allocatedAt(),
        spend(before.spent(), event.requestId(), event.wireGuardKey()),
        before.componentName(),
        before.authentication());
  }

  /** What an agent holds once it is as {@code event} says. */
  static Entry entry(Entry before, AllocationEvent.Described event) {
    return new Entry(
        before.agentId(),
        before.hostNumber(),
        before.wireGuardKey(),
        before.allocatedAt(),
        before.spent(),
        event.componentName(),
        event.authentication());
  }

  /** The tokens that were spent; not to be changed by whoever asks. */
  SpentTokens tokens() {
    return tokens;
  }

  void tokenSpent(AllocationEvent.TokenSpent event) {
    tokens.spend(
        new SpentTokens.Spent(event.tokenId(), event.agentId(), event.key(), event.expiresAt()),
        event.at());
  }

  void described(AllocationEvent.Described event) {
    Entry before = holding(event.agentId(), event);
    Entry after = entry(before, event);
    count(before.authentication(), -1);
    count(after.authentication(), 1);
    byAgent.put(after.agentId(), after);
    byHostNumber.put(after.hostNumber(), after);
  }

  void allocated(AllocationEvent.Allocated event) {
    Entry entry = entry(event);
    Reservation reservation = reservations.get(entry.agentId());
    if (reservation != null) {
      check(reservation.hostNumber() == entry.hostNumber(), event, "it holds ", reservation);
      free(reservation);
    }
    insert(entry);
  }

  void reserved(AllocationEvent.Reserved event) {
    reserve(new Reservation(event.agentId(), event.hostNumber(), event.at()));
  }

  void reservationReleased(AllocationEvent.ReservationReleased event) {
    Reservation before = reservations.get(event.agentId());
    if (before == null || before.hostNumber() != event.hostNumber()) {
      throw new IllegalStateException(event + " does not follow: reserved is " + before);
    }
    free(before);
  }

  void keyReplaced(AllocationEvent.KeyReplaced event) {
    Entry before = holding(event.agentId(), event);
    AgentId owner = ownerByKey.get(event.wireGuardKey());
    check(owner == null, event, "its key belongs to agent ", owner);
    Entry after = entry(before, event);
    ownerByKey.remove(before.wireGuardKey());
    ownerByKey.put(after.wireGuardKey(), after.agentId());
    byAgent.put(after.agentId(), after);
    byHostNumber.put(after.hostNumber(), after);
  }

  void released(AllocationEvent.Released event) {
    Entry before = holding(event.agentId(), event);
    check(before.hostNumber() == event.hostNumber(), event, "the agent holds ", before);
    byAgent.remove(before.agentId());
    byHostNumber.remove(before.hostNumber());
    ownerByKey.remove(before.wireGuardKey());
    count(before.authentication(), -1);
    free(before.hostNumber());
  }

  private void free(Reservation reservation) {
    reservations.remove(reservation.agentId());
    reservationByHostNumber.remove(reservation.hostNumber());
    free(reservation.hostNumber());
  }

  private void free(int number) {
    held.clear(number);
    lowestFree = Math.min(lowestFree, number);
  }

  private void reserve(Reservation reservation) {
    requireFree(reservation, reservation.agentId(), reservation.hostNumber());
    reservations.put(reservation.agentId(), reservation);
    reservationByHostNumber.put(reservation.hostNumber(), reservation);
    hold(reservation.hostNumber());
  }

  /** For one who has nothing. */
  private void requireFree(Object what, AgentId agentId, int number) {
    if (!subnet.isAgentHostNumber(number)) {
      throw new JournalDoesNotFitException(agentId, number, subnet);
    }
    check(!byAgent.containsKey(agentId), what, "the agent holds ", agentId);
    check(!reservations.containsKey(agentId), what, "the agent has reserved ", agentId);
    check(!held.get(number), what, "the number is held by ", byHostNumber.get(number));
  }

  private void hold(int number) {
    held.set(number);
    if (number == lowestFree) {
      lowestFree = held.nextClearBit(number);
    }
  }

  private void insert(Entry entry) {
    int number = entry.hostNumber();
    requireFree(entry, entry.agentId(), number);
    AgentId owner = ownerByKey.get(entry.wireGuardKey());
    check(owner == null, entry, "its key belongs to agent ", owner);
    byAgent.put(entry.agentId(), entry);
    byHostNumber.put(number, entry);
    ownerByKey.put(entry.wireGuardKey(), entry.agentId());
    hold(number);
    count(entry.authentication(), 1);
  }

  private Reservation reservationAt(int hostNumber) {
    Reservation reservation = reservationByHostNumber.get(hostNumber);
    if (reservation == null) {
      throw new IllegalStateException("host number " + hostNumber + " is held by nobody");
    }
    return reservation;
  }

  private Entry holding(AgentId agentId, AllocationEvent event) {
    Entry entry = byAgent.get(agentId);
    if (entry == null) {
      throw new IllegalStateException(event + " does not follow: the agent holds no address");
    }
    return entry;
  }

  private static void check(boolean holds, Object what, String why, @Nullable Object detail) {
    if (!holds) {
      throw new IllegalStateException(what + " does not follow: " + why + detail);
    }
  }

  private static List<Spent> spend(List<Spent> before, String requestId, WireGuardKey key) {
    if (requestId.isEmpty()) {
      return before;
    }
    List<Spent> after = new ArrayList<>(before);
    after.add(new Spent(requestId, key));
    return List.copyOf(
        after.subList(Math.max(0, after.size() - SPENT_REQUESTS_PER_AGENT), after.size()));
  }
}
