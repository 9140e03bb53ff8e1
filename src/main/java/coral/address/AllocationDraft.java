package coral.address;

import coral.address.AllocationSnapshot.Entry;
import coral.address.AllocationSnapshot.Spent;
import coral.model.AgentId;
import coral.model.Authentication;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.SpentTokens;
import coral.model.WireGuardKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Decides a batch of requests against a table and the batch's own earlier decisions, and changes
 * nothing but itself. The events are then persisted in one write.
 */
final class AllocationDraft {
  /** Long enough for any UUID or trace id; a bound because the journal keeps it. */
  static final int MAX_REQUEST_ID_LENGTH = 128;

  private final AllocationTable table;
  private final Instant started;
  private final Instant now;
  private final List<AllocationEvent> events = new ArrayList<>();

  // What the batch has decided so far; empty for an agent or a key that it set free.
  private final Map<AgentId, Optional<Entry>> entries = new HashMap<>();
  private final Map<WireGuardKey, Optional<AgentId>> owners = new HashMap<>();
  private final Map<AgentId, Optional<Reservation>> reservations = new HashMap<>();
  private final Map<String, AllocationEvent.TokenSpent> tokens = new HashMap<>();
  private final FreeNumbers free;
  private int size;

  /**
   * @param started when this process did: tokens from before it are refused
   */
  AllocationDraft(AllocationTable table, Instant started, Instant now) {
    this.table = table;
    this.started = started;
    this.now = now;
    this.free = new FreeNumbers(table);
    this.size = table.size();
  }

  /** The events of all decisions so far, in order. */
  List<AllocationEvent> events() {
    return List.copyOf(events);
  }

  /** Decides one request, so that the next one sees its outcome. */
  Decision<AllocationEvent, IpAllocator.Reply> decide(IpAllocator.Allocate request) {
    if (request.requestId().length() > MAX_REQUEST_ID_LENGTH) {
      return refuse(
          Failure.INVALID_ARGUMENT,
          "a request id has at most " + MAX_REQUEST_ID_LENGTH + " characters");
    }
    AgentId agentId = request.agentId();
    WireGuardKey key = request.wireGuardKey();
    Registrant registrant = request.registrant();
    Entry before = find(agentId);
    if (before != null) {
      for (Spent spent : before.spent()) {
        if (spent.requestId().equals(request.requestId()) && !before.wireGuardKey().equals(key)) {
          return refuse(
              Failure.REQUEST_ID_REUSED,
              spent.wireGuardKey().equals(key)
                  ? "this request was answered before, and the agent has replaced its key since"
                  : "this request id was used before, with another WireGuard key");
        }
      }
    }
    boolean same = before != null && before.wireGuardKey().equals(key);
    Authentication shown = registrant.authentication();
    if (before != null
        && shown != Authentication.CERTIFICATE
        && (!same || before.authentication() == Authentication.CERTIFICATE)) {
      // Whoever has the colony's secret can show this much in the name of any agent.
      return refuse(
          Failure.AGENT_ID_TAKEN,
          before.authentication() == Authentication.CERTIFICATE
              ? "agent " + agentId + " has a certificate: register with it"
              : "agent "
                  + agentId
                  + " is bound to another WireGuard key: use that, or have its"
                  + " address released");
    }
    boolean paidBefore = registrant.token().filter(this::isSpentBy).isPresent();
    if (paidBefore && !same) {
      return refuse(
          Failure.UNAUTHENTICATED,
          "the registration token was used before; ask discovery for a new one");
    }
    Optional<Refused> unpaid =
        paidBefore ? Optional.empty() : registrant.token().flatMap(this::refusal);
    if (unpaid.isPresent()) {
      return Decision.reply(new IpAllocator.Refusal(unpaid.get()));
    }
    if (!same && owner(key) != null) {
      return refuse(
          Failure.WIREGUARD_KEY_TAKEN,
          "this WireGuard key belongs to another agent: make a new one");
    }
    Reservation reservation = reservation(agentId);
    if (before == null && reservation == null && size >= table.capacity()) {
      return refuse(
          Failure.POOL_EXHAUSTED,
          "all "
              + table.capacity()
              + " addresses of the mesh are held: release one, or configure a larger subnet");
    }
    List<AllocationEvent> decided = new ArrayList<>(1);
    if (!paidBefore) {
      registrant.token().ifPresent(token -> decided.add(spend(token)));
    }
    Entry after;
    if (before == null) {
      var event =
          new AllocationEvent.Allocated(
              agentId,
              reservation == null ? free.takeLowest() : reservation.hostNumber(),
              key,
              request.requestId(),
              now,
              registrant.componentName(),
              registrant.authentication(),
              registrant.source());
      if (reservation == null) {
        size++;
      } else {
        reservations.put(agentId, Optional.empty());
      }
      decided.add(event);
      after = AllocationTable.entry(event);
    } else {
      after = before;
      if (!same) {
        var event =
            new AllocationEvent.KeyReplaced(
                agentId, key, request.requestId(), now, registrant.source());
        owners.put(before.wireGuardKey(), Optional.empty());
        decided.add(event);
        after = AllocationTable.entry(after, event);
      }
      boolean described =
          after.componentName().equals(registrant.componentName())
              && after.authentication() == registrant.authentication();
      if (!described) {
        var event =
            new AllocationEvent.Described(
                agentId,
                registrant.componentName(),
                registrant.authentication(),
                now,
                Optional.of(before.authentication()),
                registrant.source());
        decided.add(event);
        after = AllocationTable.entry(after, event);
      }
    }
    return hold(decided, after);
  }

  private boolean isSpentBy(SpentTokens.Token token) {
    AllocationEvent.TokenSpent drafted = tokens.get(token.tokenId());
    return drafted != null
        ? drafted.agentId().equals(token.agentId()) && drafted.key().equals(token.key())
        : table.tokens().isSpentBy(token);
  }

  private Optional<Refused> refusal(SpentTokens.Token token) {
    return tokens.containsKey(token.tokenId())
        ? Optional.of(
            new Refused(
                Failure.UNAUTHENTICATED,
                "the registration token was used before; ask discovery for a new one"))
        : table.tokens().refusal(token, started, now);
  }

  private AllocationEvent.TokenSpent spend(SpentTokens.Token token) {
    var event =
        new AllocationEvent.TokenSpent(
            token.agentId(), token.tokenId(), token.key(), token.expiresAt(), now);
    tokens.put(token.tokenId(), event);
    return event;
  }

  /** Decides one request, so that the next one sees its outcome. */
  Decision<AllocationEvent, IpAllocator.Reply> decide(IpAllocator.Release request) {
    AgentId agentId = request.agentId();
    Entry before = find(agentId);
    if (before != null) {
      entries.put(agentId, Optional.empty());
      owners.put(before.wireGuardKey(), Optional.empty());
      return released(
          new AllocationEvent.Released(agentId, before.hostNumber(), now), before.hostNumber());
    }
    Reservation reservation = reservation(agentId);
    if (reservation != null) {
      reservations.put(agentId, Optional.empty());
      return released(
          new AllocationEvent.ReservationReleased(agentId, reservation.hostNumber(), now),
          reservation.hostNumber());
    }
    return refuse(Failure.NOT_FOUND, "agent " + agentId + " holds no address");
  }

  private Decision<AllocationEvent, IpAllocator.Reply> released(
      AllocationEvent event, int hostNumber) {
    free.free(hostNumber);
    size--;
    events.add(event);
    return new Decision<>(List.of(event), new IpAllocator.Released(event.agentId(), hostNumber));
  }

  /** Decides one request, so that the next one sees its outcome. */
  Decision<AllocationEvent, IpAllocator.Reply> decide(IpAllocator.Reserve request) {
    AgentId agentId = request.agentId();
    int number = request.hostNumber();
    if (!table.subnet().isAgentHostNumber(number)) {
      return refuse(Failure.INVALID_ARGUMENT, "this is no address that an agent may have");
    }
    Entry holds = find(agentId);
    if (holds != null) {
      return refuse(
          Failure.FAILED_PRECONDITION,
          "agent " + agentId + " holds " + address(holds.hostNumber()) + ": release it first");
    }
    Reservation before = reservation(agentId);
    if (before != null && before.hostNumber() == number) {
      return Decision.reply(before);
    }
    if (before != null) {
      return refuse(
          Failure.FAILED_PRECONDITION,
          address(before.hostNumber())
              + " is reserved for agent "
              + agentId
              + ": release it first");
    }
    if (!free.has(number)) {
      return refuse(Failure.FAILED_PRECONDITION, address(number) + " is another agent's");
    }
    var event =
        new AllocationEvent.Reserved(
            agentId, number, now, request.actor(), request.source(), request.requestId());
    Reservation after = new Reservation(agentId, number, now);
    free.take(number);
    size++;
    reservations.put(agentId, Optional.of(after));
    events.add(event);
    return new Decision<>(List.of(event), after);
  }

  private String address(int hostNumber) {
    return table.subnet().addresses(hostNumber).ipv4Text();
  }

  private Decision<AllocationEvent, IpAllocator.Reply> hold(
      List<AllocationEvent> decided, Entry after) {
    if (!decided.isEmpty()) {
      entries.put(after.agentId(), Optional.of(after));
      owners.put(after.wireGuardKey(), Optional.of(after.agentId()));
      events.addAll(decided);
    }
    return new Decision<>(decided, AllocationTable.allocation(after));
  }

  private @Nullable Entry find(AgentId agentId) {
    Optional<Entry> drafted = entries.get(agentId);
    return drafted != null ? drafted.orElse(null) : table.find(agentId);
  }

  private @Nullable Reservation reservation(AgentId agentId) {
    Optional<Reservation> drafted = reservations.get(agentId);
    return drafted != null ? drafted.orElse(null) : table.reservation(agentId);
  }

  private @Nullable AgentId owner(WireGuardKey key) {
    Optional<AgentId> drafted = owners.get(key);
    return drafted != null ? drafted.orElse(null) : table.owner(key);
  }

  private static Decision<AllocationEvent, IpAllocator.Reply> refuse(Failure why, String message) {
    return Decision.reply(new IpAllocator.Refusal(new Refused(why, message)));
  }
}
