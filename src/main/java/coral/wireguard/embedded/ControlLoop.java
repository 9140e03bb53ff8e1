package coral.wireguard.embedded;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Queue;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The work of the control thread: handshake messages, requests and events, and the peers whose
 * timers are due. Peers are ordered by time, each there at most once, so that many peers cost
 * little while nothing happens.
 */
final class ControlLoop implements Runnable {
  private static final Logger LOG = LoggerFactory.getLogger(ControlLoop.class);
  private static final long NANOS_PER_MILLISECOND = 1_000_000;

  private final DeviceClock clock;
  private final TreeSet<PeerState> scheduled =
      new TreeSet<>(
          Comparator.<PeerState>comparingLong(peer -> peer.scheduledAt)
              .thenComparingLong(PeerState::number));
  private final Queue<Runnable> handshakes = new ArrayDeque<>();
  private final Queue<Runnable> tasks = new ArrayDeque<>();
  private @Nullable Consumer<PeerState> onDue;
  private boolean strangersTurn;
  private boolean closed;

  ControlLoop(DeviceClock clock) {
    this.clock = clock;
  }

  /** Sets what happens when a peer is due; once, before the loop runs. */
  synchronized void onDue(Consumer<PeerState> action) {
    onDue = action;
  }

  /** Queues work on a handshake message, which a stranger may have sent; false if it is dropped. */
  synchronized boolean offerHandshake(Runnable work) {
    return offer(handshakes, Constants.WAITING_HANDSHAKES, work);
  }

  /** Queues a request or an event of our own; false if it is dropped. */
  synchronized boolean offer(Runnable work) {
    return offer(tasks, Constants.WAITING_TASKS, work);
  }

  private boolean offer(Queue<Runnable> queue, int limit, Runnable work) {
    if (closed || queue.size() >= limit) {
      return false;
    }
    queue.add(work);
    notifyAll();
    return true;
  }

  /**
   * Sees to it that a peer is looked at when its next timer is due. A look that comes too early
   * does no harm, so only an earlier time than before changes anything: the packet threads mostly
   * leave without the lock.
   */
  void schedule(PeerState peer) {
    long at = peer.nextDeadline();
    if (at >= peer.scheduledAt) {
      return;
    }
    synchronized (this) {
      if (!closed && at < peer.scheduledAt) {
        scheduled.remove(peer);
        peer.scheduledAt = at;
        scheduled.add(peer);
        if (scheduled.first() == peer) {
          notifyAll();
        }
      }
    }
  }

  /** Forgets a removed peer. */
  synchronized void cancel(PeerState peer) {
    scheduled.remove(peer);
    peer.scheduledAt = PeerTimers.NEVER;
  }

  /** Looks at the time again: for a clock that a test moves. */
  synchronized void wake() {
    notifyAll();
  }

  /** Ends the loop; what waits is dropped. */
  synchronized void close() {
    closed = true;
    handshakes.clear();
    tasks.clear();
    scheduled.clear();
    notifyAll();
  }

  @Override
  public void run() {
    try {
      for (Runnable work = next(); work != null; work = next()) {
        try {
          work.run();
        } catch (RuntimeException e) {
          LOG.error("A WireGuard handshake, timer or event failed: this is a defect", e);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits for work; null once closed. Requests come first; timers and strangers take turns. */
  private synchronized @Nullable Runnable next() throws InterruptedException {
    while (!closed) {
      Runnable task = tasks.poll();
      if (task != null) {
        return task;
      }
      strangersTurn = !strangersTurn;
      Runnable work = strangersTurn ? handshakes.poll() : due();
      if (work == null) {
        work = strangersTurn ? due() : handshakes.poll();
      }
      if (work != null) {
        return work;
      }
      if (scheduled.isEmpty()) {
        wait();
      } else {
        long delay = scheduled.first().scheduledAt - clock.now();
        wait(Math.max(delay, 0) / NANOS_PER_MILLISECOND + 1);
      }
    }
    return null;
  }

  private @Nullable Runnable due() {
    Consumer<PeerState> action = onDue;
    if (action == null || scheduled.isEmpty() || scheduled.first().scheduledAt > clock.now()) {
      return null;
    }
    PeerState peer = scheduled.first();
    cancel(peer);
    return () -> action.accept(peer);
  }
}
