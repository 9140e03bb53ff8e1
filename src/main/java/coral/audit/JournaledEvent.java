package coral.audit;

import coral.model.AuditEvent;
import java.time.Instant;
import java.util.List;

/**
 * What an event of a journal means to the audit.
 *
 * @param sequenceNumber of the event in its journal
 * @param at when it happened
 * @param meaning may be empty
 */
public record JournaledEvent(long sequenceNumber, Instant at, List<AuditEvent> meaning) {
  public JournaledEvent {
    meaning = List.copyOf(meaning);
  }
}
