package coral.wireguard.embedded;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A peer's sessions: the current one, the one before for what is still under way, and the next one,
 * which a responder must not send on before the initiator has (section 5.4.6). Each change returns
 * the sessions that it dropped.
 */
final class SessionSlots {
  private @Nullable Session previous;
  private @Nullable Session current;
  private @Nullable Session next;

  @Nullable Session current() {
    return current;
  }

  boolean isEmpty() {
    return previous == null && current == null && next == null;
  }

  /** A session that we initiated: the response confirms it. */
  List<Session> addInitiated(Session session) {
    List<Session> dropped = new ArrayList<>(2);
    drop(previous, dropped);
    if (next != null) { // the other side initiated at the same time, and may be sending on it
      drop(current, dropped);
      previous = next;
      next = null;
    } else {
      previous = current;
    }
    current = session;
    return dropped;
  }

  /** A session that the other side initiated: the first datagram on it will confirm it. */
  List<Session> addResponded(Session session) {
    List<Session> dropped = new ArrayList<>(2);
    drop(next, dropped);
    drop(previous, dropped);
    previous = null;
    next = session;
    return dropped;
  }

  /** Whether a datagram on this session would confirm it. */
  boolean isNext(Session session) {
    return session == next;
  }

  /** Makes the next session the current one. */
  List<Session> confirmNext() {
    List<Session> dropped = new ArrayList<>(1);
    drop(previous, dropped);
    previous = current;
    current = next;
    next = null;
    return dropped;
  }

  List<Session> clear() {
    List<Session> dropped = new ArrayList<>(3);
    drop(previous, dropped);
    drop(current, dropped);
    drop(next, dropped);
    previous = null;
    current = null;
    next = null;
    return dropped;
  }

  private static void drop(@Nullable Session session, List<Session> dropped) {
    if (session != null) {
      dropped.add(session);
    }
  }
}
