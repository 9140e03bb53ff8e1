package coral.colony;

import coral.address.IpAllocator;
import coral.address.Reservation;
import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.colony.v1.ReserveAddressRequest;
import coral.api.colony.v1.ReserveAddressResponse;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.RefusedException;
import coral.rpc.Caller;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;

/** The rpcs of {@code ColonyService} that are about addresses. */
final class AddressEdge {
  private final AllocatorClient allocator;
  private final AgentOverview agents;
  private final MeshSubnet subnet;

  AddressEdge(AllocatorClient allocator, AgentOverview agents, MeshSubnet subnet) {
    this.allocator = allocator;
    this.agents = agents;
    this.subnet = subnet;
  }

  CompletionStage<ListAllocationsResponse> list(ListAllocationsRequest request) {
    return agents
        .page(Requests.pageToken(request.getPageToken()), Requests.pageSize(request.getPageSize()))
        .thenCombine(allocator.usage(), this::page);
  }

  private ListAllocationsResponse page(AgentOverview.Page page, IpAllocator.Usage usage) {
    List<Allocation> byHostNumber =
        Stream.concat(
                page.members().stream().map(this::held),
                page.reservations().stream().map(this::held))
            .sorted((a, b) -> Integer.compare(a.hostNumber(), b.hostNumber()))
            .map(Held::allocation)
            .toList();
    return ListAllocationsResponse.newBuilder()
        .addAllAllocations(byHostNumber)
        .setNextPageToken(page.nextToken())
        .setTotal(usage.held())
        .setCapacity(usage.capacity())
        .build();
  }

  private record Held(int hostNumber, Allocation allocation) {}

  private Held held(AgentOverview.Member member) {
    int hostNumber = member.allocation().hostNumber();
    return new Held(
        hostNumber,
        at(member.allocation().agentId(), hostNumber)
            .setAllocatedAt(Protobuf.timestamp(member.allocation().allocatedAt()))
            .setLastSeen(Protobuf.timestamp(member.lastSeen()))
            .build());
  }

  private Held held(Reservation reservation) {
    return new Held(
        reservation.hostNumber(),
        at(reservation.agentId(), reservation.hostNumber())
            .setAllocatedAt(Protobuf.timestamp(reservation.reservedAt()))
            .setReserved(true)
            .build());
  }

  private Allocation.Builder at(AgentId agentId, int hostNumber) {
    MeshAddresses addresses = subnet.addresses(hostNumber);
    return Allocation.newBuilder()
        .setAgentId(agentId.value())
        .setIpAddress(addresses.ipv4Text())
        .setIpv6Address(addresses.ipv6Text());
  }

  CompletionStage<ReserveAddressResponse> reserve(Caller caller, ReserveAddressRequest request) {
    AgentId agentId = Requests.agentId(request.getAgentId());
    int hostNumber = agentHostNumber(request.getIpAddress());
    return allocator
        .reserve(
            agentId, hostNumber, caller.actor(), AuthorityClient.source(caller), caller.requestId())
        .thenApply(
            reserved ->
                ReserveAddressResponse.newBuilder()
                    .setAllocation(held(reserved).allocation())
                    .build());
  }

  private int agentHostNumber(String address) {
    try {
      int hostNumber = subnet.hostNumber(IpPrefix.parseAddress(address)).orElse(0);
      if (subnet.isAgentHostNumber(hostNumber)) {
        return hostNumber;
      }
    } catch (IllegalArgumentException e) {
      // The same sentence as for an address of somewhere else.
    }
    throw new RefusedException(
        Failure.INVALID_ARGUMENT,
        "an ip_address is one of "
            + subnet
            + ", from "
            + subnet.addresses(MeshSubnet.FIRST_AGENT_HOST_NUMBER).ipv4Text()
            + " to "
            + subnet.addresses(subnet.lastAgentHostNumber()).ipv4Text());
  }
}
