package coral.linux;

import coral.model.IpPrefix;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * A TUN interface: a network interface whose packets this process reads and writes ({@code
 * Documentation/networking/tuntap.rst} of the kernel). It exists as long as it is open, also when
 * the process is killed.
 *
 * <p>It belongs to the network namespace of the thread that opened it; every method, also of
 * configuration, may be called from any thread. One thread may read while another writes.
 *
 * <p>Taking the link down removes its IPv6 addresses and all its routes: the kernel's doing.
 */
public final class TunDevice implements AutoCloseable {
  private static final String CLONE_DEVICE = "/dev/net/tun";
  private static final long TUNSETIFF = 0x400454caL;
  private static final int IFREQ_SIZE = 40;
  private static final int IFREQ_FLAGS = 16;

  /** IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL: whole IP packets, and never somebody else's interface. */
  private static final int TUN_FLAGS = 0x0001 | 0x1000 | 0x8000;

  /** IFNAMSIZ less the terminating zero. */
  private static final int MAX_NAME_BYTES = 15;

  private final String name;
  private final int index;
  private final SharedDescriptor tun;
  private final Netlink netlink;
  private final SharedDescriptor.Side reading;
  private final DirectBuffer readBuffer = new DirectBuffer();
  private final SharedDescriptor.Side writing;
  private final DirectBuffer writeBuffer = new DirectBuffer();

  private TunDevice(String name, int index, SharedDescriptor tun, Netlink netlink) {
    this.name = name;
    this.index = index;
    this.tun = tun;
    this.netlink = netlink;
    reading = tun.side();
    writing = tun.side();
  }

  /**
   * Creates the interface in the calling thread's network namespace: down, without addresses, and
   * silent (no link-local address, hence no router solicitations).
   *
   * @param name at most 15 bytes, without {@code /}, {@code :}, {@code %} and white space
   * @param mtu bytes, from 68 (1280 for IPv6) to 65535
   * @throws LinuxException if the kernel refuses: no privilege, name taken, MTU out of range
   * @throws IllegalArgumentException if no interface can have this name
   */
  public static TunDevice open(String name, int mtu) throws IOException {
    checkName(name);
    String reason = missingPlatform();
    if (!reason.isEmpty()) {
      throw new IOException("cannot create the interface " + name + ": " + reason);
    }
    int fd = -1;
    Netlink netlink = null;
    boolean opened = false;
    try {
      int flags = Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC;
      fd = Libc.check(Libc.open(CLONE_DEVICE, flags), "open " + CLONE_DEVICE);
      ByteBuffer request = Libc.allocate(IFREQ_SIZE);
      request.put(0, name.getBytes(StandardCharsets.UTF_8));
      request.putShort(IFREQ_FLAGS, (short) TUN_FLAGS);
      String call = "create TUN interface " + name;
      int result = Libc.ioctl(fd, TUNSETIFF, request);
      if (result < 0 && Libc.errno() == Libc.EBUSY) {
        throw LinuxException.of(
            call, Libc.EBUSY, "another process has it; choose another interface-name");
      }
      Libc.check(result, call);
      netlink = Netlink.open();
      int index = netlink.indexOf(name);
      netlink.disableAddressGeneration(index);
      netlink.setMtu(index, mtu);
      TunDevice device = new TunDevice(name, index, new SharedDescriptor(fd), netlink);
      opened = true;
      return device;
    } finally {
      if (!opened) {
        if (netlink != null) {
          netlink.close();
        }
        if (fd >= 0) {
          Libc.close(fd);
        }
      }
    }
  }

  /** Whether {@link #open} can be expected to work on the calling thread. */
  public static boolean isAvailable() {
    return unavailableReason().isEmpty();
  }

  /** What keeps this process from creating TUN interfaces, for people; empty if nothing does. */
  public static String unavailableReason() {
    String reason = missingPlatform();
    if (!reason.isEmpty()) {
      return reason;
    }
    int fd = Libc.open(CLONE_DEVICE, Libc.O_RDWR | Libc.O_CLOEXEC);
    if (fd < 0) {
      int errno = Libc.errno();
      String advice =
          errno == Libc.ENOENT || errno == Libc.ENODEV
              ? "; load the tun module, or give the device to the container"
              : "; run as root";
      return LinuxException.of("open " + CLONE_DEVICE, errno, "").getMessage() + advice;
    }
    Libc.close(fd);
    try (Netlink netlink = Netlink.open()) {
      return netlink.mayConfigure()
          ? ""
          : "CAP_NET_ADMIN is missing in this network namespace; run as root or grant it";
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static String missingPlatform() {
    String system = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
    if (!system.equals("linux")) {
      return "TUN interfaces need Linux, this is " + system;
    }
    try {
      LinuxProcess.effectiveUserId();
      return "";
    } catch (LinkageError e) {
      // Mostly JNA, which cannot unpack its library where java.io.tmpdir is mounted noexec.
      return "native calls are not possible: " + e.getMessage();
    }
  }

  private static void checkName(String name) {
    int length = name.getBytes(StandardCharsets.UTF_8).length;
    boolean misplaced =
        name.equals(".")
            || name.equals("..")
            || name.chars()
                .anyMatch(c -> c == '/' || c == ':' || c == '%' || c <= ' ' || c == 0x7f);
    if (length == 0 || length > MAX_NAME_BYTES || misplaced) {
      throw new IllegalArgumentException(
          "not an interface name (1 to "
              + MAX_NAME_BYTES
              + " bytes, no '/', ':', '%' or white space): "
              + name);
    }
  }

  public String name() {
    return name;
  }

  /** The interface's index in its network namespace. */
  public int index() {
    return index;
  }

  /**
   * Waits for one packet that the kernel sends through the interface, and puts it at the buffer's
   * position. A packet longer than the space is cut, so offer the MTU at least.
   *
   * @param direct a direct buffer; the same one every time costs no allocation
   * @return the packet's length, or -1 once the device is closed
   * @throws LinuxException if the interface was removed by somebody else
   */
  public int read(ByteBuffer direct) throws IOException {
    reading.lock();
    try {
      while (!tun.isClosed()) {
        long length = Libc.read(tun.fd, readBuffer.positionOf(direct), direct.remaining());
        if (length >= 0) {
          direct.position(direct.position() + (int) length);
          return (int) length;
        }
        awaitAfterFailure("read from ", reading, Libc.POLLIN);
      }
      return -1;
    } finally {
      reading.unlock();
    }
  }

  /**
   * Hands the kernel one packet, from the buffer's position to its limit, as received through the
   * interface.
   *
   * @param direct a direct buffer with a whole IPv4 or IPv6 packet
   * @throws ClosedChannelException if the device is closed
   * @throws LinuxException if the link is down (EIO), the packet is no IP packet (EINVAL), or the
   *     interface was removed by somebody else
   */
  public void write(ByteBuffer direct) throws IOException {
    writing.lock();
    try {
      while (!tun.isClosed()) {
        long written = Libc.write(tun.fd, writeBuffer.positionOf(direct), direct.remaining());
        if (written >= 0) {
          direct.position(direct.limit());
          return;
        }
        awaitAfterFailure("write to ", writing, Libc.POLLOUT);
      }
      throw new ClosedChannelException();
    } finally {
      writing.unlock();
    }
  }

  private void awaitAfterFailure(String call, SharedDescriptor.Side side, short events)
      throws IOException {
    int errno = Libc.errno();
    if (errno == Libc.EAGAIN) {
      short came = side.await(events, -1);
      if (came == 0 || (came & events) != 0) {
        return;
      }
      throw new IOException(call + name + ": the interface is gone (poll says " + came + ")");
    }
    if (errno != Libc.EINTR) {
      throw LinuxException.of(call + name, errno, "");
    }
  }

  /** Brings the link up; packets flow from now on. */
  public void up() throws IOException {
    netlink.setUp(index, true);
  }

  public void down() throws IOException {
    netlink.setUp(index, false);
  }

  /** The same range as in {@link #open}. */
  public void setMtu(int mtu) throws IOException {
    netlink.setMtu(index, mtu);
  }

  /** As {@link Netlink#putAddress}. */
  public void putAddress(InetAddress address, int prefixLength) throws IOException {
    netlink.putAddress(index, address, prefixLength);
  }

  /** As {@link Netlink#removeAddress}. */
  public void removeAddress(InetAddress address, int prefixLength) throws IOException {
    netlink.removeAddress(index, address, prefixLength);
  }

  public List<Netlink.Address> addresses() throws IOException {
    return netlink.addresses(index);
  }

  /** As {@link Netlink#putRoute}. */
  public void putRoute(IpPrefix destination) throws IOException {
    netlink.putRoute(destination, index);
  }

  /** As {@link Netlink#removeRoute}. */
  public void removeRoute(IpPrefix destination) throws IOException {
    netlink.removeRoute(destination, index);
  }

  /** Wakes a blocked reader and removes the interface. Again: no effect. */
  @Override
  public void close() {
    if (tun.close()) {
      netlink.close();
    }
  }

  @Override
  public String toString() {
    return "TunDevice[" + name + ", index " + index + (tun.isClosed() ? ", closed]" : "]");
  }
}
