package coral.linux;

import java.io.IOException;

/** A system call or netlink request that the kernel refused. */
public final class LinuxException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int errno;

  private LinuxException(String message, int errno) {
    super(message);
    this.errno = errno;
  }

  /** The failure of the calling thread's last native call. */
  static LinuxException last(String call) {
    return of(call, Libc.errno(), "");
  }

  /**
   * @param detail the kernel's own explanation (netlink extended acknowledgement), may be empty
   */
  static LinuxException of(String call, int errno, String detail) {
    String text = Libc.strerror(errno);
    return new LinuxException(
        call + ": " + text + (detail.isEmpty() ? "" : ": " + detail) + " (errno " + errno + ")",
        errno);
  }

  /** The error number of {@code errno(3)}, such as 1 for EPERM. */
  public int errno() {
    return errno;
  }
}
