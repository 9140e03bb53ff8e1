package coral.address;

import coral.address.IpAllocator.Refusal;
import coral.address.IpAllocator.Released;
import coral.address.IpAllocator.Reply;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.model.Refused;
import coral.model.WireGuardKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** The rules of allocation, one list and linear searches: slow, and plainly right. */
final class AllocationModel {
  private final MeshSubnet subnet;
  private final List<Allocation> held = new ArrayList<>();
  private final List<Reservation> reserved = new ArrayList<>();
  private final List<Map.Entry<AgentId, Map.Entry<String, WireGuardKey>>> spent = new ArrayList<>();

  AllocationModel(MeshSubnet subnet) {
    this.subnet = subnet;
  }

  List<Allocation> allocations() {
    return held.stream().sorted(Comparator.comparingInt(Allocation::hostNumber)).toList();
  }

  List<Reservation> reservations() {
    return reserved.stream().sorted(Comparator.comparingInt(Reservation::hostNumber)).toList();
  }

  Reply reserve(AgentId agent, int number, Instant now) {
    for (Reservation reservation : reserved) {
      if (reservation.agentId().equals(agent) && reservation.hostNumber() == number) {
        return reservation;
      }
    }
    if (!subnet.isAgentHostNumber(number)) {
      return refusal(Failure.INVALID_ARGUMENT);
    }
    if (isHeld(number)
        || held.stream().anyMatch(a -> a.agentId().equals(agent))
        || reserved.stream().anyMatch(r -> r.agentId().equals(agent))) {
      return refusal(Failure.FAILED_PRECONDITION);
    }
    Reservation reservation = new Reservation(agent, number, now);
    reserved.add(reservation);
    return reservation;
  }

  private boolean isHeld(int number) {
    return held.stream().anyMatch(a -> a.hostNumber() == number)
        || reserved.stream().anyMatch(r -> r.hostNumber() == number);
  }

  Reply allocate(AgentId agent, WireGuardKey key, String request, Instant now) {
    Allocation mine = held.stream().filter(a -> a.agentId().equals(agent)).findFirst().orElse(null);
    if (mine != null && mine.wireGuardKey().equals(key)) {
      return mine;
    }
    List<String> recent =
        spent.stream()
            .filter(s -> s.getKey().equals(agent))
            .map(s -> s.getValue().getKey())
            .toList();
    int from = Math.max(0, recent.size() - AllocationTable.SPENT_REQUESTS_PER_AGENT);
    if (!request.isEmpty() && recent.subList(from, recent.size()).contains(request)) {
      return refusal(Failure.REQUEST_ID_REUSED);
    }
    if (held.stream().anyMatch(a -> a.wireGuardKey().equals(key))) {
      return refusal(Failure.WIREGUARD_KEY_TAKEN);
    }
    int number = 0;
    Reservation mineToCome =
        reserved.stream().filter(r -> r.agentId().equals(agent)).findFirst().orElse(null);
    if (mine != null) {
      number = mine.hostNumber();
    } else if (mineToCome != null) {
      number = mineToCome.hostNumber();
      reserved.remove(mineToCome);
    } else {
      for (int n = subnet.lastAgentHostNumber(); n >= MeshSubnet.FIRST_AGENT_HOST_NUMBER; n--) {
        if (!isHeld(n)) {
          number = n;
        }
      }
      if (number == 0) {
        return refusal(Failure.POOL_EXHAUSTED);
      }
    }
    Allocation after = new Allocation(agent, number, key, mine == null ? now : mine.allocatedAt());
    held.remove(mine);
    held.add(after);
    if (!request.isEmpty()) {
      spent.add(Map.entry(agent, Map.entry(request, key)));
    }
    return after;
  }

  Reply release(AgentId agent) {
    for (Allocation allocation : held) {
      if (allocation.agentId().equals(agent)) {
        held.remove(allocation);
        spent.removeIf(s -> s.getKey().equals(agent));
        return new Released(allocation.agentId(), allocation.hostNumber());
      }
    }
    for (Reservation reservation : reserved) {
      if (reservation.agentId().equals(agent)) {
        reserved.remove(reservation);
        return new Released(agent, reservation.hostNumber());
      }
    }
    return refusal(Failure.NOT_FOUND);
  }

  private static Reply refusal(Failure failure) {
    return new Refusal(new Refused(failure, "model"));
  }
}
