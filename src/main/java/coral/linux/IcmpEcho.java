package coral.linux;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * Asks hosts for an ICMP echo (RFC 792; RFC 4443, section 4) through a socket of the kernel, hence
 * along its routes. One family per instance, one echo at a time: other callers wait.
 *
 * <p>The socket belongs to the network namespace of the thread that opened it. It is an ICMP
 * datagram socket where {@code net.ipv4.ping_group_range} allows that, otherwise a raw one, which
 * needs CAP_NET_RAW.
 */
public final class IcmpEcho implements AutoCloseable {
  private static final int PAYLOAD = 32;
  private static final int MAX_IPV4_HEADER = 60;

  private static final int SOL_RAW = 255;
  private static final int ICMP_FILTER = 1;
  private static final int ICMPV6_FILTER = 1;
  private static final int ICMPV6_FILTER_SIZE = 32;

  /** About 24 days, the most that {@code poll} waits in one go. */
  private static final int MAX_POLL_MILLIS = Integer.MAX_VALUE;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final boolean ipv4;
  private final boolean raw;
  private final int identifier;
  private final SharedDescriptor socket;
  private final SharedDescriptor.Side side;
  private final ByteBuffer request = Libc.allocate(IcmpPacket.HEADER + PAYLOAD);
  private final ByteBuffer answer = Libc.allocate(MAX_IPV4_HEADER + IcmpPacket.HEADER + PAYLOAD);
  private final SocketAddressMemory destination = new SocketAddressMemory();
  private final SocketAddressMemory source = new SocketAddressMemory();
  private final byte[] payload = new byte[PAYLOAD];
  private int sequence;

  private IcmpEcho(boolean ipv4, boolean raw, int identifier, SharedDescriptor socket) {
    this.ipv4 = ipv4;
    this.raw = raw;
    this.identifier = identifier;
    this.socket = socket;
    side = socket.side();
  }

  /**
   * One echo with a socket of its own; may be called by many threads at once.
   *
   * @param timeout how long to wait for the answer; a millisecond at least
   * @return the round trip time, or nothing if no answer came in time
   * @throws LinuxException if no socket may be opened, or the kernel has no route to the target
   */
  public static Optional<Duration> ping(InetAddress target, Duration timeout) throws IOException {
    try (IcmpEcho echo = open(familyOf(target))) {
      return echo.send(target, timeout);
    }
  }

  /**
   * Opens a socket for many echoes.
   *
   * @param family INET or INET6
   * @throws LinuxException if the process may open neither kind of socket
   */
  public static IcmpEcho open(ProtocolFamily family) throws IOException {
    boolean ipv4 = family == StandardProtocolFamily.INET;
    if (!ipv4 && family != StandardProtocolFamily.INET6) {
      throw new IllegalArgumentException("ICMP echo is for INET and INET6, not for " + family);
    }
    int domain = ipv4 ? Libc.AF_INET : Libc.AF_INET6;
    int protocol = ipv4 ? Libc.IPPROTO_ICMP : Libc.IPPROTO_ICMPV6;
    int flags = Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC;
    boolean raw = false;
    int fd = Libc.socket(domain, Libc.SOCK_DGRAM | flags, protocol);
    if (fd < 0) {
      int errno = Libc.errno();
      if (errno != Libc.EACCES && errno != Libc.EPROTONOSUPPORT && errno != Libc.EPERM) {
        throw LinuxException.of("open an ICMP socket", errno, "");
      }
      raw = true;
      fd =
          Libc.check(
              Libc.socket(domain, Libc.SOCK_RAW | flags, protocol), "open a raw ICMP socket");
    }
    boolean opened = false;
    try {
      int identifier = raw ? RANDOM.nextInt(1 << 16) : bindAny(fd, ipv4);
      if (raw) {
        receiveOnlyAnswers(fd, ipv4);
      }
      IcmpEcho echo = new IcmpEcho(ipv4, raw, identifier, new SharedDescriptor(fd));
      opened = true;
      return echo;
    } finally {
      if (!opened) {
        Libc.close(fd);
      }
    }
  }

  private static StandardProtocolFamily familyOf(InetAddress address) {
    return address instanceof Inet4Address
        ? StandardProtocolFamily.INET
        : StandardProtocolFamily.INET6;
  }

  /** Has the kernel choose the identifier of a datagram socket, and returns it. */
  private static int bindAny(int fd, boolean ipv4) throws IOException {
    InetAddress any = InetAddress.getByAddress(new byte[ipv4 ? 4 : 16]);
    SocketAddressMemory own = new SocketAddressMemory().put(any);
    Libc.check(Libc.bind(fd, own.address, own.size()), "bind an ICMP socket");
    own.clear();
    Libc.check(Libc.getsockname(fd, own.address, own.length), "getsockname of an ICMP socket");
    return own.port();
  }

  /** A raw socket sees all ICMP of the host otherwise. Answers are checked in any case. */
  private static void receiveOnlyAnswers(int fd, boolean ipv4) throws IOException {
    // A set bit keeps the type of its number out.
    ByteBuffer filter = Libc.allocate(ipv4 ? Integer.BYTES : ICMPV6_FILTER_SIZE);
    for (int word = 0; word < filter.capacity(); word += Integer.BYTES) {
      filter.putInt(word, -1);
    }
    int type = IcmpPacket.replyType(ipv4);
    int word = type / 32 * Integer.BYTES;
    filter.putInt(word, filter.getInt(word) & ~(1 << type % 32));
    int level = ipv4 ? SOL_RAW : Libc.IPPROTO_ICMPV6;
    int option = ipv4 ? ICMP_FILTER : ICMPV6_FILTER;
    Libc.check(
        Libc.setsockopt(fd, level, option, filter, filter.capacity()), "filter ICMP answers");
  }

  /**
   * Sends one echo request and waits for its answer: from that host, with the same identifier,
   * sequence number and (random) payload.
   *
   * @param timeout how long to wait for the answer; a millisecond at least
   * @return the round trip time, or nothing if no answer came in time
   * @throws IllegalArgumentException if the target is of another family
   * @throws ClosedChannelException if closed, also meanwhile
   * @throws LinuxException if the kernel has no route to the target, or refuses to send
   */
  public Optional<Duration> send(InetAddress target, Duration timeout) throws IOException {
    if (target instanceof Inet4Address != ipv4) {
      throw new IllegalArgumentException(
          "this socket sends " + (ipv4 ? "IPv4" : "IPv6") + ", not to " + target.getHostAddress());
    }
    side.lock();
    try {
      if (socket.isClosed()) {
        throw new ClosedChannelException();
      }
      sequence = (sequence + 1) & 0xffff;
      RANDOM.nextBytes(payload);
      IcmpPacket.writeRequest(request, ipv4, identifier, sequence, payload);
      destination.put(target);
      long start = System.nanoTime();
      long sent =
          Libc.sendto(
              socket.fd, request, request.capacity(), 0, destination.address, destination.size());
      if (sent < 0) {
        throw LinuxException.last("send an ICMP echo request to " + target.getHostAddress());
      }
      return awaitAnswer(target, start, Math.max(TimeUnit.MILLISECONDS.toNanos(1), nanos(timeout)));
    } finally {
      side.unlock();
    }
  }

  private Optional<Duration> awaitAnswer(InetAddress target, long start, long timeoutNanos)
      throws IOException {
    while (true) {
      source.clear();
      long length =
          Libc.recvfrom(socket.fd, answer, answer.capacity(), 0, source.address, source.length);
      long elapsed = System.nanoTime() - start;
      if (socket.isClosed()) {
        throw new ClosedChannelException();
      }
      if (length >= 0) {
        if (isAnswer((int) length) && source.get().equals(target)) {
          return Optional.of(Duration.ofNanos(elapsed));
        }
      } else if (Libc.errno() == Libc.EAGAIN) {
        long left = timeoutNanos - elapsed;
        if (left <= 0) {
          return Optional.empty();
        }
        // Rounded up: a poll of zero milliseconds would spin until the time is over.
        long millis = (left + 999_999) / 1_000_000;
        side.await(Libc.POLLIN, (int) Math.min(MAX_POLL_MILLIS, millis));
      } else if (Libc.errno() != Libc.EINTR) {
        throw LinuxException.last("receive an ICMP echo reply from " + target.getHostAddress());
      }
    }
  }

  private boolean isAnswer(int length) {
    // Only a raw IPv4 socket delivers the IP header too.
    int start = raw && ipv4 ? (answer.get(0) & 0x0f) * 4 : 0;
    return IcmpPacket.isReply(answer, start, length, ipv4, identifier, sequence, payload);
  }

  private static long nanos(Duration duration) {
    try {
      return duration.toNanos();
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }

  /** Ends a wait for an answer. Again: no effect. */
  @Override
  public void close() {
    socket.close();
  }

  @Override
  public String toString() {
    return "IcmpEcho[" + (ipv4 ? "IPv4" : "IPv6") + (raw ? ", raw]" : ", datagram]");
  }

  /** Whether the socket is a raw one. */
  boolean isRaw() {
    return raw;
  }
}
