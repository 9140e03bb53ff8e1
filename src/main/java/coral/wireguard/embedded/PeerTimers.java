package coral.wireguard.embedded;

import java.util.EnumSet;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The timers of one peer (section 6), as a state machine: it is told what happened and when, and
 * says what is due. Times are nanoseconds of the device's monotonic time, which begins at zero. Not
 * safe for use by several threads.
 */
final class PeerTimers {
  /** The time of a timer that does not run. */
  static final long NEVER = Long.MAX_VALUE;

  /** What there is to do. */
  enum Due {
    /** Send an initiation, the first or one more. */
    INITIATE,
    /**
     * Section 6.4: no answer for Rekey-Attempt-Time; forget the handshake and what waits for it.
     */
    GIVE_UP,
    /** Send an empty packet. */
    KEEPALIVE,
    /** Section 6.3: forget all keys. */
    FORGET_KEYS
  }

  private final LongSupplier jitter;
  private long persistentInterval;

  private long wantedAt = NEVER;
  private long retransmitAt = NEVER;
  private long silenceAt = NEVER;
  private long keepaliveAt = NEVER;
  private boolean keepaliveAgain;
  private long persistentAt = NEVER;
  private long forgetAt = NEVER;
  private long attemptSince = NEVER;
  private long noInitiationBefore;

  /**
   * @param jitter nanoseconds from 0 to {@link Constants#REKEY_TIMEOUT_JITTER}, anew each time
   */
  PeerTimers(LongSupplier jitter) {
    this.jitter = jitter;
  }

  /** When {@link #due} may next have something to say. */
  long next() {
    long sooner = Math.min(Math.min(wantedAt, retransmitAt), Math.min(silenceAt, keepaliveAt));
    return Math.min(sooner, Math.min(persistentAt, forgetAt));
  }

  /** What is due now; each timer that says so has then stopped or begun anew. */
  Set<Due> due(long now) {
    Set<Due> due = EnumSet.noneOf(Due.class);
    if (retransmitAt <= now) {
      retransmitAt = NEVER;
      if (now - attemptSince >= Constants.REKEY_ATTEMPT) {
        giveUp(now);
        due.add(Due.GIVE_UP);
      } else {
        due.add(Due.INITIATE);
      }
    }
    if (silenceAt <= now) { // section 6.5: data was sent, and nothing came back
      silenceAt = NEVER;
      wantHandshake(now);
    }
    if (wantedAt <= now) {
      wantedAt = NEVER;
      attemptSince = now;
      due.add(Due.INITIATE);
    }
    if (keepaliveAt <= now) {
      keepaliveAt = keepaliveAgain ? now + Constants.KEEPALIVE : NEVER;
      keepaliveAgain = false;
      due.add(Due.KEEPALIVE);
    }
    if (persistentAt <= now) {
      persistentAt = now + persistentInterval;
      due.add(Due.KEEPALIVE);
    }
    if (forgetAt <= now) {
      forgetAt = NEVER;
      due.add(Due.FORGET_KEYS);
    }
    return due;
  }

  /**
   * A handshake is needed: begins one as soon as section 6.1 allows, unless one is under way.
   *
   * @return whether that changed anything
   */
  boolean wantHandshake(long now) {
    if (retransmitAt != NEVER || wantedAt != NEVER) {
      return false;
    }
    wantedAt = Math.max(now, noInitiationBefore);
    return true;
  }

  /** The peer is to be reached elsewhere: an initiation that was sent before does not count. */
  void endpointReplaced(long now) {
    noInitiationBefore = 0;
    if (retransmitAt != NEVER) {
      retransmitAt = now;
    }
  }

  /** Section 6.4: an initiation goes out; it is repeated after Rekey-Timeout and some jitter. */
  void initiationSent(long now) {
    noInitiationBefore = now + Constants.REKEY_TIMEOUT;
    retransmitAt = noInitiationBefore + jitter.getAsLong();
  }

  /** A session is confirmed. */
  void handshakeCompleted() {
    retransmitAt = NEVER;
    wantedAt = NEVER;
  }

  /** Section 6.3: there are new keys, confirmed or not. */
  void sessionDerived(long now) {
    forgetAt = now + Constants.FORGET_KEYS_AFTER;
  }

  /** Sections 6.5: data was sent, which the other side must answer with something. */
  void dataSent(long now) {
    if (silenceAt == NEVER) {
      silenceAt = now + Constants.KEEPALIVE + Constants.REKEY_TIMEOUT + jitter.getAsLong();
    }
  }

  /** Section 6.5: data was received, which we must answer with something. */
  void dataReceived(long now) {
    if (keepaliveAt == NEVER) {
      keepaliveAt = now + Constants.KEEPALIVE;
    } else {
      keepaliveAgain = true;
    }
  }

  /** Anything that the other side can authenticate was sent. */
  void authenticatedSent(long now) {
    keepaliveAt = NEVER;
    keepaliveAgain = false;
    restartPersistent(now);
  }

  /** Anything authentic was received. */
  void authenticatedReceived(long now) {
    silenceAt = NEVER;
    restartPersistent(now);
  }

  /**
   * Sets the interval of the persistent keepalive, zero for none; a new one begins with a keepalive
   * at once.
   */
  void setPersistentInterval(long interval, long now) {
    if (interval != persistentInterval) {
      persistentInterval = interval;
      persistentAt = interval == 0 ? NEVER : now;
    }
  }

  private void giveUp(long now) {
    keepaliveAt = NEVER;
    keepaliveAgain = false;
    attemptSince = NEVER;
    if (forgetAt == NEVER) {
      forgetAt = now + Constants.FORGET_KEYS_AFTER;
    }
  }

  private void restartPersistent(long now) {
    if (persistentInterval != 0) {
      persistentAt = now + persistentInterval;
    }
  }
}
