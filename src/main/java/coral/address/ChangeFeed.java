package coral.address;

import java.util.function.Consumer;

/**
 * Hands each durable change on once, in order, whichever incarnation of the journal's actor learns
 * that it is durable: a write whose outcome was unknown is announced when it is read back.
 */
final class ChangeFeed {
  private final Consumer<AllocationChange> consumer;
  private long announced = -1;

  ChangeFeed(Consumer<AllocationChange> consumer) {
    this.consumer = consumer;
  }

  /** The journal was read: what it held when the process started is not news. */
  void recovered(long sequenceNumber) {
    announced = Math.max(announced, sequenceNumber);
  }

  /** Whether an earlier incarnation has read the journal, so that what is new to it is news. */
  boolean isLive() {
    return announced >= 0;
  }

  void committed(long sequenceNumber, AllocationEvent event) {
    if (sequenceNumber > announced) {
      announced = sequenceNumber;
      consumer.accept(new AllocationChange(sequenceNumber, event));
    }
  }
}
