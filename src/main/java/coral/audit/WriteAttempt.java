package coral.audit;

import coral.model.AuditEvent;
import coral.model.Failure;
import coral.model.Refused;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.function.BiConsumer;

/**
 * A write that was begun and not yet found to have succeeded or failed.
 *
 * @param entries who is to hear of it
 * @param records what is written
 * @param journals up to which event each journal is recorded after it; without those that it does
 *     not change
 * @param refusalsNotRecorded how many refusals that were only counted the first record tells of
 * @param after the chain when all records are in the store
 */
record WriteAttempt(
    List<AuditLog.Entry> entries,
    List<AuditRecord> records,
    Map<String, Long> journals,
    long refusalsNotRecorded,
    AuditChain after) {
  /** Records of one write: enough that its commit does not count. */
  private static final int RECORDS_PER_WRITE = 1_000;

  WriteAttempt {
    entries = List.copyOf(entries);
    records = List.copyOf(records);
    journals = Map.copyOf(journals);
  }

  /** The same write, of which fewer are to hear. */
  WriteAttempt with(List<AuditLog.Entry> fewer) {
    return new WriteAttempt(fewer, records, journals, refusalsNotRecorded, after);
  }

  /**
   * The next write.
   *
   * @param from the chain as it is in the store
   * @param journals up to which event each journal is recorded there
   * @param queue whose first entries are taken
   * @param refusalsNotRecorded those that were only counted since the last write
   * @param refuse is told of the entries that cannot be recorded
   */
  static WriteAttempt next(
      AuditChain from,
      Map<String, Long> journals,
      Queue<AuditLog.Entry> queue,
      long refusalsNotRecorded,
      Instant now,
      BiConsumer<AuditLog.Entry, Refused> refuse) {
    Gathering gathering = new Gathering(from, journals);
    if (refusalsNotRecorded > 0) {
      gathering.add(
          AuditEvent.of(AuditEvent.Kind.REFUSALS_NOT_RECORDED)
              .detail("refusals not recorded: " + refusalsNotRecorded),
          now);
    }
    List<AuditLog.Entry> entries = new ArrayList<>();
    while (!queue.isEmpty() && gathering.records.size() < RECORDS_PER_WRITE) {
      AuditLog.Entry entry = queue.remove();
      if (entry instanceof AuditLog.AppendJournaled group && gathering.leavesAGap(group)) {
        refuse.accept(entry, new Refused(Failure.INTERNAL, gathering.gap(group)));
        continue;
      }
      if (entry instanceof AuditLog.Append append) {
        gathering.add(append.event(), append.at());
      } else if (entry instanceof AuditLog.AppendJournaled group) {
        gathering.add(group);
      }
      entries.add(entry);
    }
    return new WriteAttempt(
        entries, gathering.records, gathering.positions, refusalsNotRecorded, gathering.end);
  }

  /** What is to be written so far. */
  private static final class Gathering {
    private final Map<String, Long> before;
    private final Map<String, Long> positions = new HashMap<>();
    private final List<AuditRecord> records = new ArrayList<>();
    private AuditChain end;

    Gathering(AuditChain from, Map<String, Long> before) {
      this.end = from;
      this.before = before;
    }

    void add(AuditEvent event, Instant at) {
      AuditRecord record = end.next(event, at);
      records.add(record);
      end = end.with(record);
    }

    void add(AuditLog.AppendJournaled group) {
      long position = position(group);
      for (JournaledEvent event : group.events()) {
        if (event.sequenceNumber() > position) {
          event.meaning().forEach(meaning -> add(meaning, event.at()));
          position = event.sequenceNumber();
          positions.put(group.journal(), position);
        }
      }
    }

    boolean leavesAGap(AuditLog.AppendJournaled group) {
      return !group.events().isEmpty()
          && group.events().get(0).sequenceNumber() > position(group) + 1;
    }

    String gap(AuditLog.AppendJournaled group) {
      return "the audit log has recorded the journal "
          + group.journal()
          + " up to "
          + position(group)
          + ", not up to the event before "
          + group.events().get(0).sequenceNumber();
    }

    private long position(AuditLog.AppendJournaled group) {
      return positions.getOrDefault(group.journal(), before.getOrDefault(group.journal(), 0L));
    }
  }
}
