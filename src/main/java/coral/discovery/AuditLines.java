package coral.discovery;

import coral.model.AuditEvent;
import coral.model.AuditSink;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Discovery's audit: one line for each event, by the logger {@code coral.audit}. How many lines
 * strangers can cause is bounded by the limits that they meet before.
 */
final class AuditLines implements AuditSink {
  private static final Logger log = LoggerFactory.getLogger("coral.audit");

  @Override
  public void record(AuditEvent event) {
    String line = "{}: subject={} source={} {}";
    if (event.kind().isRefusal()) {
      log.warn(line, event.kind(), event.subject(), event.sourceAddress(), event.detail());
    } else {
      log.info(line, event.kind(), event.subject(), event.sourceAddress(), event.detail());
    }
  }

  @Override
  public CompletionStage<Done> recorded(AuditEvent event) {
    record(event);
    return CompletableFuture.completedFuture(Done.getInstance());
  }
}
