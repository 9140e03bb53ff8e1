package coral.colony;

import coral.audit.AuditLog;
import coral.storage.AuditTable;
import coral.storage.StoreException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * The audit log as it is read: from its tables, and with the help of its actor for what is not
 * there yet.
 */
record AuditReading(
    AuditTable table, ActorRef<AuditLog.Command> log, Scheduler scheduler, Executor blocking) {
  /** Roots in one answer: each has a chain of certificates of some kilobytes. */
  private static final int MAX_ROOTS = 500;

  /** How much later than its time a wait ends, at most. */
  private static final Duration GRACE = Duration.ofSeconds(5);

  /** The next records that pass the filter; if there are none, waits for one, at most so long. */
  CompletionStage<AuditTable.Page> page(AuditTable.Filter filter, int limit, Duration wait) {
    long deadline = System.nanoTime() + wait.toNanos();
    return read(() -> table.page(filter, limit))
        .thenCompose(page -> pageOrWait(page, filter, limit, deadline));
  }

  private CompletionStage<AuditTable.Page> pageOrWait(
      AuditTable.Page page, AuditTable.Filter filter, int limit, long deadline) {
    Duration left = Duration.ofNanos(deadline - System.nanoTime());
    if (!page.rows().isEmpty() || left.isNegative() || left.isZero()) {
      return CompletableFuture.completedStage(page);
    }
    return AskPattern.<AuditLog.Command, AuditLog.Reply>ask(
            log,
            replyTo -> new AuditLog.Await(page.lastLookedAt(), left, replyTo),
            left.plus(GRACE),
            scheduler)
        .thenCompose(
            reply -> {
              if (reply instanceof AuditLog.Refusal refusal) {
                throw refusal.refused().toException();
              }
              AuditTable.Filter rest =
                  new AuditTable.Filter(
                      page.lastLookedAt(), filter.since(), filter.agentId(), filter.kind());
              return read(() -> table.page(rest, limit))
                  .thenCompose(next -> pageOrWait(next, rest, limit, deadline));
            });
  }

  /** The next roots that cover records after this one. */
  CompletionStage<List<AuditTable.Root>> roots(long after) {
    return read(() -> table.roots(after, MAX_ROOTS));
  }

  private interface Read<T> extends Callable<T> {
    @Override
    T call() throws StoreException;
  }

  private <T> CompletionStage<T> read(Read<T> read) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return read.call();
          } catch (StoreException e) {
            throw new CompletionException(e);
          }
        },
        blocking);
  }
}
