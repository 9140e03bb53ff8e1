package coral.address;

import coral.model.AgentId;
import coral.model.Authentication;
import coral.model.JournalRecord;
import coral.model.SpentTokens;
import coral.model.WireGuardKey;
import java.time.Instant;
import java.util.List;
import java.util.Objects;

/**
 * The whole table at one sequence number, as the journal keeps it.
 *
 * @param tokens that were spent and are remembered
 * @param reservations of agents that have not come yet
 */
public record AllocationSnapshot(
    List<Entry> entries, List<SpentTokens.Spent> tokens, List<Reservation> reservations)
    implements JournalRecord {
  /** What is absent in a snapshot of before is null here. */
  public AllocationSnapshot {
    entries = List.copyOf(entries);
    tokens = List.copyOf(Objects.requireNonNullElse(tokens, List.of()));
    reservations = List.copyOf(Objects.requireNonNullElse(reservations, List.of()));
  }

  /** One agent's address, with the request ids it spent, the oldest first. */
  public record Entry(
      AgentId agentId,
      int hostNumber,
      WireGuardKey wireGuardKey,
      Instant allocatedAt,
      List<Spent> spent,
      String componentName,
      Authentication authentication) {
    /** What is absent in a snapshot of before is null here. */
    public Entry {
      spent = List.copyOf(spent);
      componentName = Objects.requireNonNullElse(componentName, "");
      authentication = Objects.requireNonNullElse(authentication, Authentication.CERTIFICATE);
    }
  }

  /** A request id that changed something, with the key that it carried. */
  public record Spent(String requestId, WireGuardKey wireGuardKey) {}
}
