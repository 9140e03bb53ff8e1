package coral.audit;

import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.Failure;
import coral.model.RefusedException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The way into the {@link AuditLog} of this process. */
public final class AuditQueue implements AuditSink {
  private static final Logger LOG = LoggerFactory.getLogger(AuditQueue.class);

  /** A commit takes milliseconds; a caller who waits for one has others waiting for it. */
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final ActorRef<AuditLog.Command> log;
  private final AuditBacklog backlog;
  private final InstantSource clock;
  private final Scheduler scheduler;

  /**
   * @param backlog the one that {@code log} was made with
   */
  public AuditQueue(
      ActorRef<AuditLog.Command> log,
      AuditBacklog backlog,
      InstantSource clock,
      Scheduler scheduler) {
    this.log = log;
    this.backlog = backlog;
    this.clock = clock;
    this.scheduler = scheduler;
  }

  @Override
  public void record(AuditEvent event) {
    if (backlog.enter(event.kind())) {
      log.tell(new AuditLog.Append(event, clock.instant(), Optional.empty()));
    } else if (!event.kind().isRefusal()) {
      // The store has failed for long by now, or thousands wait for it: this line is what is left.
      LOG.error("The audit log has no room for {}", event);
    }
  }

  @Override
  public CompletionStage<Done> recorded(AuditEvent event) {
    if (!backlog.enter(event.kind())) {
      return CompletableFuture.failedStage(
          new RefusedException(
              Failure.LIMIT_REACHED, "too much waits to be recorded in the audit log; try again"));
    }
    return AskPattern.<AuditLog.Command, AuditLog.Reply>ask(
            log,
            replyTo -> new AuditLog.Append(event, clock.instant(), Optional.of(replyTo)),
            TIMEOUT,
            scheduler)
        .handle(AuditQueue::done);
  }

  private static Done done(AuditLog.Reply reply, Throwable failure) {
    if (failure instanceof TimeoutException) {
      throw new RefusedException(
          Failure.STORE_UNAVAILABLE,
          "the audit log did not answer within " + TIMEOUT.toSeconds() + " s; try again");
    }
    if (failure != null) {
      throw new CompletionException(failure);
    }
    if (reply instanceof AuditLog.Refusal refusal) {
      throw refusal.refused().toException();
    }
    return Done.getInstance();
  }
}
