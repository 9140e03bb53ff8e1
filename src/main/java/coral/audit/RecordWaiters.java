package coral.audit;

import coral.model.Failure;
import coral.model.Refused;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/** Those who wait for records to come, each until its own time is over. */
final class RecordWaiters {
  /** Those who wait at a time: each is a call of an administrator. */
  static final int MAX_WAITING = 64;

  private final TimerScheduler<AuditLog.Command> timers;
  private final List<AuditLog.Await> waiting = new ArrayList<>();

  /**
   * @param timers of the log, which gets {@link AuditLog.WaitIsOver}
   */
  RecordWaiters(TimerScheduler<AuditLog.Command> timers) {
    this.timers = timers;
  }

  /** Has one more wait, or refuses it if too many do. */
  void add(AuditLog.Await await) {
    if (waiting.size() >= MAX_WAITING) {
      Refused tooMany =
          new Refused(
              Failure.LIMIT_REACHED,
              MAX_WAITING + " callers wait for audit records; try again later");
      await.replyTo().tell(new AuditLog.Refusal(tooMany));
      return;
    }
    waiting.add(await);
    timers.startSingleTimer(await, new AuditLog.WaitIsOver(await), await.atMost());
  }

  /** Tells all that wait for fewer records than there are now. */
  void wake(long length) {
    waiting.removeIf(
        await -> {
          if (length <= await.after()) {
            return false;
          }
          timers.cancel(await);
          await.replyTo().tell(new AuditLog.Reached(length));
          return true;
        });
  }

  /** Tells one whose time is over how many records there are, if it still waits. */
  void giveUp(AuditLog.Await await, long length) {
    if (waiting.remove(await)) {
      await.replyTo().tell(new AuditLog.Reached(length));
    }
  }
}
