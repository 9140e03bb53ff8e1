package coral.model;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;

/** Where features and edges tell of what has to be found later. Thread-safe; never blocks. */
public interface AuditSink {
  /**
   * Has the event recorded, soon, and does not say whether it was: for refusals, and for what
   * nobody waits for. When refusals come faster than they can be written, they are counted instead,
   * and their number is recorded.
   */
  void record(AuditEvent event);

  /**
   * Has the event recorded before something is answered.
   *
   * @return completes when the event is on disk; fails with a {@link RefusedException}, {@link
   *     Failure#LIMIT_REACHED} when too many are waiting or {@link Failure#STORE_UNAVAILABLE}: then
   *     what the event tells of should not be done
   */
  CompletionStage<Done> recorded(AuditEvent event);

  /** Keeps nothing: for tests of what tells of events, and for processes that have no log. */
  static AuditSink none() {
    return new AuditSink() {
      @Override
      public void record(AuditEvent event) {
        // as its name says
      }

      @Override
      public CompletionStage<Done> recorded(AuditEvent event) {
        return CompletableFuture.completedFuture(Done.getInstance());
      }
    };
  }
}
