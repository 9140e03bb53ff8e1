package coral.linux;

import java.nio.ByteBuffer;

/**
 * Waits for a file descriptor, and lets another thread end the wait for good: closing a descriptor
 * does not wake a thread that is blocked on it, an event in the same poll does.
 *
 * <p>{@link Slot#await} serves one thread at a time per {@link Slot}; {@link #signal} any thread.
 */
final class Wakeup {
  private static final int POLLFD_SIZE = 8;

  /** Eight bytes, the amount that an eventfd counts in. */
  private final ByteBuffer one = Libc.allocate(Long.BYTES);

  private final int eventFd;

  Wakeup() throws LinuxException {
    eventFd = Libc.check(Libc.eventfd(0, Libc.EFD_NONBLOCK | Libc.EFD_CLOEXEC), "eventfd");
    one.putLong(0, 1);
  }

  /** The memory of one waiting thread. */
  final class Slot {
    private final ByteBuffer pollfds = Libc.allocate(2 * POLLFD_SIZE);

    /**
     * Waits until the descriptor is ready or the wait is ended.
     *
     * @param events {@link Libc#POLLIN} or {@link Libc#POLLOUT}
     * @param timeoutMillis negative waits without end
     * @return the events that came, zero after the timeout or a signal; may also be zero early,
     *     after a signal to the process
     */
    short await(int fd, short events, int timeoutMillis) throws LinuxException {
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

  Slot slot() {
    return new Slot();
  }

  /** Ends the wait of every thread, now and later. */
  void signal() {
    // The counter cannot overflow: nobody reads it, and a second signal adds one.
    Libc.write(eventFd, Libc.addressOf(one), Long.BYTES);
  }

  /** To be called once, when no thread waits any more. */
  void close() {
    Libc.close(eventFd);
  }
}
