package coral.discovery;

import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.rpc.RateLimit;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Discovery's audit: one line for each event, by the logger {@code coral.audit}. Refusals, which
 * strangers can cause from many addresses, are counted beyond some a second, and their number is
 * told.
 */
final class AuditLines implements AuditSink {
  private static final Logger log = LoggerFactory.getLogger("coral.audit");

  /** Refusals in a row that are told one by one. */
  static final int BURST = 1000;

  /** Then one more in each such time: some megabytes of log an hour, at most. */
  static final Duration INTERVAL = Duration.ofMillis(100);

  private enum Refusals {
    ALL
  }

  private final RateLimit<Refusals> refusals;
  private final AtomicLong untold = new AtomicLong();

  AuditLines(InstantSource clock) {
    this.refusals = new RateLimit<>(clock, BURST, INTERVAL);
  }

  @Override
  public void record(AuditEvent event) {
    if (!event.kind().isRefusal()) {
      log.info("{}", line(event));
    } else if (refusals.take(Refusals.ALL).isZero()) {
      long missed = untold.getAndSet(0);
      if (missed > 0) {
        log.warn("{}: {} since the last line", AuditEvent.Kind.REFUSALS_NOT_RECORDED, missed);
      }
      log.warn("{}", line(event));
    } else {
      untold.incrementAndGet();
    }
  }

  private static String line(AuditEvent event) {
    return event.kind()
        + ": subject="
        + event.subject()
        + " source="
        + event.sourceAddress()
        + " "
        + event.detail();
  }

  @Override
  public CompletionStage<Done> recorded(AuditEvent event) {
    record(event);
    return CompletableFuture.completedFuture(Done.getInstance());
  }
}
