package coral.testing;

import java.time.Duration;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.junit.jupiter.api.function.Executable;

/**
 * What becomes true without a signal to wait for, such as what the kernel does in the background.
 */
public final class Eventually {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  private static final Duration PAUSE = Duration.ofMillis(10);

  private Eventually() {}

  /**
   * Looks again and again, with the actor test kit's pauses, until the assertion holds; fails as it
   * does if it never does within 10 s.
   */
  public static void holds(Executable assertion) {
    ActorTestKit kit = ActorTestKit.create("eventually");
    try {
      kit.createTestProbe()
          .awaitAssert(
              LIMIT,
              PAUSE,
              () -> {
                check(assertion);
                return Done.getInstance();
              });
    } finally {
      kit.shutdownTestKit();
    }
  }

  private static void check(Executable assertion) throws Exception {
    try {
      assertion.execute();
    } catch (Exception | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
