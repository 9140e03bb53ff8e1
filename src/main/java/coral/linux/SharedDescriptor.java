package coral.linux;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file descriptor that threads use and wait for while another may close it: closing a descriptor
 * does not wake a thread that is blocked on it, an event in the same poll does; and its number may
 * go to another file the moment it is closed, so it is closed when nobody uses it any more.
 */
final class SharedDescriptor {
  private static final int POLLFD_SIZE = 8;

  /** Eight bytes, the amount that an eventfd counts in. */
  private final ByteBuffer one = Libc.allocate(Long.BYTES);

  final int fd;
  private final int eventFd;
  private final List<Side> sides = new ArrayList<>();
  private volatile boolean closed;

  /** Takes over the descriptor, unless it throws. */
  SharedDescriptor(int fd) throws LinuxException {
    this.fd = fd;
    eventFd = Libc.check(Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC), "eventfd");
    one.putLong(0, 1);
  }

  /** What one thread at a time does with the descriptor, under this lock. */
  final class Side {
    private final ReentrantLock using = new ReentrantLock();
    private final ByteBuffer pollfds = Libc.allocate(2 * POLLFD_SIZE);

    private Side() {}

    void lock() {
      using.lock();
    }

    void unlock() {
      using.unlock();
    }

    /**
     * Waits until the descriptor is ready or is to be closed.
     *
     * @param events {@link Libc#POLLIN} or {@link Libc#POLLOUT}
     * @param timeoutMillis negative waits without end
     * @return the events that came, zero after the timeout or when it is to be closed; may also be
     *     zero early, after a signal to the process
     */
    short await(short events, int timeoutMillis) throws LinuxException {
      pollfds.putInt(0, fd).putShort(4, events).putShort(6, (short) 0);
      pollfds.putInt(8, eventFd).putShort(12, Libc.POLLIN).putShort(14, (short) 0);
      int ready = Libc.poll(pollfds, 2, timeoutMillis);
      if (ready < 0) {
        if (Libc.errno() == Libc.EINTR) {
          return 0;
        }
        throw LinuxException.last("poll");
      }
      return pollfds.getShort(6);
    }
  }

  /** Adds a side; for constructors. */
  Side side() {
    Side side = new Side();
    sides.add(side);
    return side;
  }

  /** Once true, no side may use the descriptor any more. */
  boolean isClosed() {
    return closed;
  }

  /**
   * Ends every wait, now and later, and closes the descriptor when no side uses it.
   *
   * @return false if that was done before
   */
  boolean close() {
    synchronized (this) {
      if (closed) {
        return false;
      }
      closed = true;
      // The counter cannot overflow: nobody reads it.
      Libc.write(eventFd, Libc.addressOf(one), Long.BYTES);
    }
    sides.forEach(Side::lock);
    try {
      Libc.close(fd);
      Libc.close(eventFd);
    } finally {
      sides.forEach(Side::unlock);
    }
    return true;
  }
}
