package coral.certificate;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Two lanes onto the few threads that verify and sign: what members ask for overtakes what
 * strangers do, whose requests cost 20 ms of a core each at worst.
 */
final class SigningLanes {
  private final Executor threads;
  private final Queue<Runnable> members = new ConcurrentLinkedQueue<>();
  private final Queue<Runnable> strangers = new ConcurrentLinkedQueue<>();

  SigningLanes(Executor threads) {
    this.threads = threads;
  }

  /** Runs a piece of work behind those of its lane. */
  Executor lane(boolean ofMember) {
    Queue<Runnable> lane = ofMember ? members : strangers;
    return work -> {
      lane.add(work);
      try {
        threads.execute(this::runNext);
      } catch (RejectedExecutionException e) {
        lane.remove(work);
        throw e;
      }
    };
  }

  private void runNext() {
    @Nullable Runnable next = members.poll();
    if (next == null) {
      next = strangers.poll();
    }
    if (next != null) { // null if it was withdrawn
      next.run();
    }
  }
}
