package coral.linux;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The C library's functions and constants in the Linux ABI of x86-64 and aarch64: {@code size_t}
 * and pointers are 64 bits wide, and variadic functions are called like any other.
 *
 * <p>A {@link ByteBuffer} argument must be direct, and is passed from its position on, so leave
 * that at 0. JNA keeps it alive during the call, but not beyond: memory that the kernel or another
 * structure keeps pointing to belongs in a field.
 */
final class Libc {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int ESRCH = 3;
  static final int EINTR = 4;
  static final int EAGAIN = 11;
  static final int EACCES = 13;
  static final int EBUSY = 16;
  static final int EEXIST = 17;
  static final int ENODEV = 19;
  static final int EINVAL = 22;
  static final int EPROTONOSUPPORT = 93;
  static final int EOPNOTSUPP = 95;
  static final int EAFNOSUPPORT = 97;
  static final int EADDRNOTAVAIL = 99;

  static final int O_RDONLY = 0;
  static final int O_RDWR = 2;
  static final int O_NONBLOCK = 0x800;
  static final int O_CLOEXEC = 0x80000;
  static final int EFD_NONBLOCK = O_NONBLOCK;
  static final int EFD_CLOEXEC = O_CLOEXEC;

  static final int AF_INET = 2;
  static final int AF_INET6 = 10;
  static final int AF_NETLINK = 16;
  static final int SOCK_DGRAM = 2;
  static final int SOCK_RAW = 3;
  static final int SOCK_NONBLOCK = O_NONBLOCK;
  static final int SOCK_CLOEXEC = O_CLOEXEC;
  static final int IPPROTO_ICMP = 1;
  static final int IPPROTO_ICMPV6 = 58;

  static final short POLLIN = 1;
  static final short POLLOUT = 4;

  static final int CLONE_NEWNET = 0x40000000;

  static {
    if (Native.POINTER_SIZE != 8) {
      throw new UnsatisfiedLinkError("a 64-bit Linux is needed");
    }
    Native.register(Libc.class, NativeLibrary.getInstance("c"));
  }

  private Libc() {}

  static native int open(String path, int flags);

  static native int close(int fd);

  static native long read(int fd, long buffer, long length);

  static native long write(int fd, long buffer, long length);

  static native int ioctl(int fd, long request, ByteBuffer argument);

  static native int eventfd(int initial, int flags);

  static native int poll(ByteBuffer pollfds, long count, int timeoutMillis);

  static native int socket(int domain, int type, int protocol);

  static native int bind(int fd, ByteBuffer address, int length);

  static native int getsockname(int fd, ByteBuffer address, ByteBuffer length);

  static native int setsockopt(int fd, int level, int option, ByteBuffer value, int length);

  static native long sendto(
      int fd, ByteBuffer buffer, long length, int flags, ByteBuffer address, int addressLength);

  static native long recvfrom(
      int fd,
      ByteBuffer buffer,
      long length,
      int flags,
      @Nullable ByteBuffer address,
      @Nullable ByteBuffer addressLength);

  static native int unshare(int flags);

  static native int geteuid();

  static native int umask(int mask);

  static native int setsid();

  static native String strerror(int errno);

  /** The calling thread's error of its last call here; meaningful only if that call failed. */
  static int errno() {
    return Native.getLastError();
  }

  /**
   * @return the result of a call that answers a negative number for a failure
   * @param call what was tried, for people: {@code open /dev/net/tun}
   */
  static int check(int result, String call) throws LinuxException {
    if (result < 0) {
      throw LinuxException.last(call);
    }
    return result;
  }

  /** Zeroed native memory in native byte order. */
  static ByteBuffer allocate(int size) {
    return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }

  /** Where the buffer's first byte is. The caller keeps the buffer reachable while it is used. */
  static long addressOf(ByteBuffer direct) {
    return Pointer.nativeValue(Native.getDirectBufferPointer(direct));
  }
}
