package coral.cli;

import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.ListAllocationsResponse;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code coral allocations}. */
@Command(
    name = "allocations",
    description =
        "Who holds which address of a running colony, connected or not, and what is reserved.",
    footer = {
      "JSON: {total, capacity, allocations: [{agentId, ipAddress, ipv6Address, allocatedAt,",
      "lastSeen, reserved}]}; times are ISO 8601 in UTC; what is not known is null.",
      "",
      "Examples:",
      "  coral allocations",
      "  coral allocations --colony my-app-a3f2e1 -o json"
    })
final class AllocationsCommand implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Override
  public Integer call() {
    ListAllocationsResponse all = options.connect().allocations();
    return options.answer(
        () -> json(all), screen -> table(all, InstantSource.system().instant(), screen));
  }

  static String json(ListAllocationsResponse all) {
    return Json.object(
        json ->
            json.put("total", all.getTotal())
                .put("capacity", all.getCapacity())
                .putObjects("allocations", all.getAllocationsList(), AllocationsCommand::put));
  }

  static String json(Allocation allocation) {
    return Json.object(json -> put(json, allocation));
  }

  private static void put(Json json, Allocation allocation) {
    json.put("agentId", allocation.getAgentId())
        .put("ipAddress", allocation.getIpAddress())
        .put("ipv6Address", allocation.getIpv6Address())
        .put("allocatedAt", Times.instant(allocation.getAllocatedAt()))
        .put("lastSeen", Times.instant(allocation.getLastSeen()))
        .put("reserved", allocation.getReserved());
  }

  static String table(ListAllocationsResponse all, Instant now, Screen screen) {
    Table table =
        new Table("AGENT", "IPV4", "IPV6", "ALLOCATED", "LAST SEEN")
            .expendable("ALLOCATED", "LAST SEEN");
    for (Allocation allocation : all.getAllocationsList()) {
      table.row(
          allocation.getAgentId(),
          allocation.getIpAddress(),
          allocation.getIpv6Address(),
          Times.ago(allocation.getAllocatedAt(), now),
          allocation.getReserved() ? "reserved" : Times.ago(allocation.getLastSeen(), now));
    }
    String count = all.getTotal() + " of " + all.getCapacity() + " addresses allocated.\n";
    return all.getAllocationsCount() == 0 ? count : table.on(screen) + count;
  }
}
