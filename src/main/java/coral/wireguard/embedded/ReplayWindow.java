package coral.wireguard.embedded;

/**
 * Which counters were received, in a sliding window of the last 8128 (RFC 6479: a ring of words, of
 * which the newest is cleared when it is entered). Not safe for use by several threads.
 */
final class ReplayWindow {
  private static final int WORDS = 128;

  /** How far behind the greatest counter one may come: all words but the one being filled. */
  static final int SIZE = (WORDS - 1) * Long.SIZE;

  private final long[] ring = new long[WORDS];
  private long greatest;

  /** Whether the counter is new and not too old. Changes nothing. */
  boolean isAcceptable(long counter) {
    return Long.compareUnsigned(counter, Constants.REJECT_AFTER_MESSAGES) < 0
        && (Long.compareUnsigned(counter, greatest) > 0
            || (Long.compareUnsigned(greatest - counter, SIZE) <= 0 && !isSet(counter)));
  }

  /** Takes the counter of an authentic datagram; returns whether it was acceptable. */
  boolean accept(long counter) {
    if (!isAcceptable(counter)) {
      return false;
    }
    if (Long.compareUnsigned(counter, greatest) > 0) {
      long entered = (counter >>> 6) - (greatest >>> 6);
      for (long i = 1; i <= Math.min(entered, WORDS); i++) {
        ring[(int) ((greatest >>> 6) + i) & (WORDS - 1)] = 0;
      }
      greatest = counter;
    }
    ring[word(counter)] |= 1L << counter;
    return true;
  }

  private boolean isSet(long counter) {
    return (ring[word(counter)] & 1L << counter) != 0;
  }

  private static int word(long counter) {
    return (int) (counter >>> 6) & (WORDS - 1);
  }
}
