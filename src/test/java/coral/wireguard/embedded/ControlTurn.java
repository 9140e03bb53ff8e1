package coral.wireguard.embedded;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Waits until the control thread of a device has done what was due. */
final class ControlTurn {
  private static final long DEADLINE_SECONDS = 20;

  private ControlTurn() {}

  /** Handshake messages and timers take turns there: between two of those, a timer that is due. */
  static void await(EmbeddedDevice device) throws InterruptedException {
    for (int turn = 0; turn < 2; turn++) {
      CountDownLatch reached = new CountDownLatch(1);
      if (!device.offer(reached::countDown) || !reached.await(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("the control thread does not work");
      }
    }
  }
}
