package coral.audit;

import coral.model.Failure;
import coral.model.Refused;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be written into the log, and what is being written. Each entry that somebody asks
 * about is answered once. Belongs to one {@link AuditLog}.
 */
final class PendingWrites {
  private final AuditBacklog backlog;
  private final Deque<AuditLog.Entry> queue = new ArrayDeque<>();

  /** Under way, or of unknown outcome. */
  private @Nullable WriteAttempt attempt;

  PendingWrites(AuditBacklog backlog) {
    this.backlog = backlog;
  }

  void add(AuditLog.Entry entry) {
    queue.add(entry);
  }

  /**
   * Takes what is written next; empty while something is being written, or if there is nothing.
   *
   * @param chain as it is in the store
   * @param journals up to which event each journal is recorded there
   */
  Optional<WriteAttempt> begin(AuditChain chain, Map<String, Long> journals, Instant now) {
    if (attempt != null || (queue.isEmpty() && !backlog.hasRefusalsNotRecorded())) {
      return Optional.empty();
    }
    WriteAttempt next =
        WriteAttempt.next(
            chain, journals, queue, backlog.takeRefusalsNotRecorded(), now, this::refuse);
    attempt = next;
    return Optional.of(next);
  }

  /** What is being written, or may have been. */
  Optional<WriteAttempt> underWay() {
    return Optional.ofNullable(attempt);
  }

  /** It is in the store: who asked hears of it. */
  void end(WriteAttempt written) {
    attempt = null;
    for (AuditLog.Entry entry : written.entries()) {
      answer(entry, new AuditLog.Recorded());
    }
  }

  /**
   * It is not in the store: what somebody asks about is refused, and the rest waits again, before
   * what came later.
   */
  void undo(WriteAttempt notWritten) {
    attempt = null;
    backlog.putBack(notWritten.refusalsNotRecorded());
    refuseAll(notWritten.entries(), storeUnavailable("it could not be written"));
    List<AuditLog.Entry> again = withoutAsking(notWritten.entries());
    for (int i = again.size() - 1; i >= 0; i--) {
      queue.addFirst(again.get(i));
    }
  }

  /** Who waits for an answer is told; what nobody waits for stays. */
  void giveUpOnWhoAsks(Refused why) {
    refuseAll(queue, why);
    queue.removeIf(PendingWrites::asks);
    WriteAttempt undecided = attempt;
    if (undecided != null) {
      refuseAll(undecided.entries(), why);
      attempt = undecided.with(withoutAsking(undecided.entries()));
    }
  }

  /** Whether somebody waits for the outcome. */
  static boolean asks(AuditLog.Entry entry) {
    return !(entry instanceof AuditLog.Append append) || append.replyTo().isPresent();
  }

  private static List<AuditLog.Entry> withoutAsking(List<AuditLog.Entry> entries) {
    return entries.stream().filter(entry -> !asks(entry)).toList();
  }

  static Refused storeUnavailable(String why) {
    return new Refused(
        Failure.STORE_UNAVAILABLE,
        "the audit log cannot be used now" + (why.isEmpty() ? "" : ": " + why) + "; try again");
  }

  private void refuseAll(Iterable<AuditLog.Entry> entries, Refused why) {
    for (AuditLog.Entry entry : entries) {
      if (asks(entry)) {
        refuse(entry, why);
      }
    }
  }

  void refuse(AuditLog.Entry entry, Refused why) {
    answer(entry, new AuditLog.Refusal(why));
  }

  private void answer(AuditLog.Entry entry, AuditLog.Reply reply) {
    if (entry instanceof AuditLog.Append append) {
      backlog.leave();
      append.replyTo().ifPresent(replyTo -> replyTo.tell(reply));
    } else if (entry instanceof AuditLog.AppendJournaled group) {
      group.replyTo().tell(reply);
    } else if (entry instanceof AuditLog.Flush flush) {
      flush.replyTo().tell(reply);
    }
  }
}
