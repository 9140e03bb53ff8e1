package coral.wireguard.embedded;

/**
 * One pair of transport keys (section 5.4.6). The sending counter belongs to the lock of the peer,
 * the window to the thread that reads the socket.
 *
 * <p>Keys are dropped, not overwritten: another thread may be encrypting with them just then, and
 * must not do so with zeros.
 */
final class Session {
  private final int index;
  private final SessionKeys keys;
  private final boolean initiator;
  private final long createdAt;
  private final ReplayWindow window = new ReplayWindow();
  private long nextCounter;

  /**
   * @param index by which the other side addresses us
   * @param initiator whether we began the handshake
   * @param createdAt in nanoseconds of the device's time
   */
  Session(int index, SessionKeys keys, boolean initiator, long createdAt) {
    this.index = index;
    this.keys = keys;
    this.initiator = initiator;
    this.createdAt = createdAt;
  }

  int index() {
    return index;
  }

  SessionKeys keys() {
    return keys;
  }

  ReplayWindow window() {
    return window;
  }

  /** The counter of the next datagram we send. */
  long takeCounter() {
    return nextCounter++;
  }

  /** Whether it may still carry what we send. */
  boolean canSend(long now) {
    return !isExpired(now)
        && Long.compareUnsigned(nextCounter, Constants.REJECT_AFTER_MESSAGES) < 0;
  }

  /** Section 6.1: after Reject-After-Time it carries nothing. */
  boolean isExpired(long now) {
    return now - createdAt >= Constants.REJECT_AFTER;
  }

  /** Section 6.2: whether sending on it calls for its replacement. */
  boolean wantsReplacementAfterSending(long now) {
    return Long.compareUnsigned(nextCounter, Constants.REKEY_AFTER_MESSAGES) >= 0
        || (initiator && now - createdAt >= Constants.REKEY_AFTER);
  }

  /**
   * Section 6.2: whether receiving on it calls for its replacement: so late that an initiator that
   * only receives would lose it otherwise.
   */
  boolean wantsReplacementAfterReceiving(long now) {
    return initiator
        && now - createdAt
            >= Constants.REJECT_AFTER - Constants.KEEPALIVE - Constants.REKEY_TIMEOUT;
  }
}
