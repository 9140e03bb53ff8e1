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
  private final List<Map.Entry<AgentId, Map.Entry<String, WireGuardKey>>> spent = new ArrayList<>();

  AllocationModel(MeshSubnet subnet) {
    this.subnet = subnet;
  }

  List<Allocation> allocations() {
    return held.stream().sorted(Comparator.comparingInt(Allocation::hostNumber)).toList();
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
    if (mine != null) {
      number = mine.hostNumber();
    } else {
      for (int n = subnet.lastAgentHostNumber(); n >= MeshSubnet.FIRST_AGENT_HOST_NUMBER; n--) {
        int candidate = n;
        if (held.stream().noneMatch(a -> a.hostNumber() == candidate)) {
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
        return new Released(allocation);
      }
    }
    return refusal(Failure.NOT_FOUND);
  }

  private static Reply refusal(Failure failure) {
    return new Refusal(new Refused(failure, "model"));
  }
}
