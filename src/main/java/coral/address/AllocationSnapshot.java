package coral.address;

import coral.model.AgentId;
import coral.model.JournalRecord;
import coral.model.WireGuardKey;
import java.time.Instant;
import java.util.List;

/** The whole table at one sequence number, as the journal keeps it. */
public record AllocationSnapshot(List<Entry> entries) implements JournalRecord {
  public AllocationSnapshot {
    entries = List.copyOf(entries);
  }

  /** One agent's address, with the request ids it spent, the oldest first. */
  public record Entry(
      AgentId agentId,
      int hostNumber,
      WireGuardKey wireGuardKey,
      Instant allocatedAt,
      List<Spent> spent) {
    public Entry {
      spent = List.copyOf(spent);
    }
  }

  /** A request id that changed something, with the key that it carried. */
  public record Spent(String requestId, WireGuardKey wireGuardKey) {}
}
