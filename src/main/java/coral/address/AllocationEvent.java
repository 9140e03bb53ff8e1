package coral.address;

import coral.model.AgentId;
import coral.model.JournalRecord;
import coral.model.WireGuardKey;
import java.time.Instant;

/** What happened to an address: the journal of {@link IpAllocator}. */
public sealed interface AllocationEvent extends JournalRecord {
  /** The agent that the event is about. */
  AgentId agentId();

  /** Changes the table, after checking that the event fits it. */
  void applyTo(AllocationTable table);

  /**
   * An agent was given an address that nobody held.
   *
   * @param requestId the request that this change spent; empty if it had none
   */
  record Allocated(
      AgentId agentId, int hostNumber, WireGuardKey wireGuardKey, String requestId, Instant at)
      implements AllocationEvent {
    @Override
    public void applyTo(AllocationTable table) {
      table.allocated(this);
    }
  }

  /**
   * An agent that keeps its address has a new key.
   *
   * @param requestId the request that this change spent; empty if it had none
   */
  record KeyReplaced(AgentId agentId, WireGuardKey wireGuardKey, String requestId, Instant at)
      implements AllocationEvent {
    @Override
    public void applyTo(AllocationTable table) {
      table.keyReplaced(this);
    }
  }

  /** An agent gave its address back; the address and the key may be another agent's next. */
  record Released(AgentId agentId, int hostNumber, Instant at) implements AllocationEvent {
    @Override
    public void applyTo(AllocationTable table) {
      table.released(this);
    }
  }
}
