package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;

/** Runs work when the test says so, in the order in which it came. */
final class Stepwise implements Executor {
  private final Queue<Runnable> work = new ArrayDeque<>();

  @Override
  public synchronized void execute(Runnable task) {
    work.add(task);
  }

  /** Runs so many pieces of work, each as soon as there is one. */
  void run(TestProbe<?> waiter, int pieces) {
    for (int i = 0; i < pieces; i++) {
      waiter
          .awaitAssert(
              Duration.ofSeconds(10),
              () -> {
                synchronized (this) {
                  assertFalse(work.isEmpty());
                  return work.remove();
                }
              })
          .run();
    }
  }

  /** How many pieces wait. */
  synchronized int waiting() {
    return work.size();
  }
}
