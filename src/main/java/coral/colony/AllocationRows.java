package coral.colony;

import coral.address.AllocationEvent;
import coral.model.MeshSubnet;
import coral.storage.AllocationReadModel;
import coral.storage.Projection;
import java.util.Optional;

/** What each event of the address journal means for the table {@code agent_ip_allocations}. */
final class AllocationRows {
  private AllocationRows() {}

  /** The change that the event makes; empty if it makes none. */
  static Optional<Projection.RowChange> of(Object event, MeshSubnet subnet) {
    if (event instanceof AllocationEvent.Allocated allocated) {
      AllocationReadModel.Row row =
          new AllocationReadModel.Row(
              allocated.agentId(),
              subnet.addresses(allocated.hostNumber()).ipv4Text(),
              allocated.at(),
              allocated.at());
      return Optional.of(new Projection.RowChange(allocated.agentId(), Optional.of(row)));
    }
    if (event instanceof AllocationEvent.Released released) {
      return Optional.of(new Projection.RowChange(released.agentId(), Optional.empty()));
    }
    return Optional.empty();
  }
}
