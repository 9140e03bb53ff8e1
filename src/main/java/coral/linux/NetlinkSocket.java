package coral.linux;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * One request at a time to one of the kernel's services, and its answers. The kernel answers while
 * the request is being sent, so nothing here waits for anybody.
 */
final class NetlinkSocket implements AutoCloseable {
  static final int REPLACE = 0x100;
  static final int EXCLUSIVE = 0x200;
  static final int CREATE = 0x400;

  /** Links, addresses and routes: {@code rtnetlink(7)}. */
  static final int ROUTE = 0;

  /** The firewall's subsystems, connection tracking among them: {@code nfnetlink}. */
  static final int NETFILTER = 12;

  private static final int SOL_NETLINK = 270;
  private static final int NETLINK_CAP_ACK = 10;
  private static final int NETLINK_EXT_ACK = 11;
  private static final int SOCKADDR_SIZE = 12;

  private static final int HEADER = 16;
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int FLAG_REQUEST = 1;
  private static final int FLAG_ACK = 4;
  private static final int FLAG_DUMP = 0x300;
  private static final int FLAG_DUMP_INTERRUPTED = 0x10;
  private static final int FLAG_CAPPED = 0x100;
  private static final int FLAG_ACK_TLVS = 0x200;
  private static final int NLMSGERR_ATTR_MSG = 1;

  private static final int SOL_SOCKET = 1;
  private static final int SO_RCVTIMEO = 20;
  private static final int TIMEVAL_SIZE = 16;

  /** The answer is there when the request has been sent: no answer after this is a defect. */
  private static final int ANSWER_TIMEOUT_SECONDS = 10;

  /** A dump that tables keep changing under is asked for again this often, then taken as it is. */
  private static final int DUMP_ATTEMPTS = 10;

  // The kernel fills at most 32 KiB per receive.
  private final ByteBuffer answer = Libc.allocate(64 * 1024);
  private final ByteBuffer request = Libc.allocate(4 * 1024);
  private final ByteBuffer kernel = Libc.allocate(SOCKADDR_SIZE);
  private final int fd;
  private int sequence;
  private boolean closed;

  /**
   * @param service {@link #ROUTE} or {@link #NETFILTER}
   */
  NetlinkSocket(int service) throws LinuxException {
    kernel.putShort(0, (short) Libc.AF_NETLINK);
    fd =
        Libc.check(
            Libc.socket(Libc.AF_NETLINK, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, service),
            "open a netlink socket");
    ByteBuffer on = Libc.allocate(Integer.BYTES).putInt(0, 1);
    // Both only make errors readable; kernels before 4.12 lack them.
    Libc.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, on, Integer.BYTES);
    Libc.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, on, Integer.BYTES);
    ByteBuffer timeout = Libc.allocate(TIMEVAL_SIZE).putLong(0, ANSWER_TIMEOUT_SECONDS);
    Libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, TIMEVAL_SIZE);
    if (Libc.bind(fd, kernel, SOCKADDR_SIZE) < 0) {
      LinuxException refused = LinuxException.last("bind a netlink socket");
      Libc.close(fd);
      throw refused;
    }
  }

  /**
   * Asks for a change and waits for its acknowledgement.
   *
   * @param what the request for people: {@code set the MTU of coral0 to 70000}
   */
  synchronized void change(String what, int type, int flags, Consumer<NetlinkMessage> body)
      throws IOException {
    send(what, type, flags | FLAG_ACK, body);
    receive(what, answer -> true, true);
  }

  /** Asks for one object; the answer is its message after the netlink header. */
  synchronized ByteBuffer get(String what, int type, Consumer<NetlinkMessage> body)
      throws IOException {
    List<ByteBuffer> answers = new ArrayList<>(1);
    send(what, type, 0, body);
    receive(what, answers::add, false);
    return answers.get(0);
  }

  /** Asks for all objects of a kind. */
  synchronized List<ByteBuffer> list(String what, int type, Consumer<NetlinkMessage> body)
      throws IOException {
    List<ByteBuffer> answers = new ArrayList<>();
    for (int attempt = 1; ; attempt++) {
      send(what, type, FLAG_DUMP, body);
      boolean consistent = receive(what, answers::add, true);
      if (consistent || attempt == DUMP_ATTEMPTS) {
        return answers;
      }
      answers.clear();
    }
  }

  /**
   * Asks for all objects of a kind and keeps none of them. If it does not take them all, the rest
   * of the answer is in the way of the next request: close the socket then.
   *
   * @param taker takes the next one, and says whether it wants another
   */
  synchronized void each(
      String what, int type, Consumer<NetlinkMessage> body, Predicate<ByteBuffer> taker)
      throws IOException {
    send(what, type, FLAG_DUMP, body);
    receive(what, taker, true);
  }

  private void send(String what, int type, int flags, Consumer<NetlinkMessage> body)
      throws IOException {
    if (closed) {
      throw new IOException(what + ": the netlink socket is closed");
    }
    sequence++;
    request.clear();
    request.putInt(0).putShort((short) type).putShort((short) (flags | FLAG_REQUEST));
    request.putInt(sequence).putInt(0);
    body.accept(new NetlinkMessage(request));
    request.flip();
    request.putInt(0, request.limit());
    if (Libc.sendto(fd, request, request.limit(), 0, kernel, SOCKADDR_SIZE) < 0) {
      throw LinuxException.last(what);
    }
  }

  /**
   * @param answers takes the next one, and says whether it wants another
   * @param untilEnd whether an acknowledgement or end marker follows the answers
   * @return false if the kernel says that the objects changed during the dump
   */
  private boolean receive(String what, Predicate<ByteBuffer> answers, boolean untilEnd)
      throws IOException {
    boolean consistent = true;
    while (true) {
      long length;
      do {
        length = Libc.recvfrom(fd, answer, answer.capacity(), 0, null, null);
      } while (length < 0 && Libc.errno() == Libc.EINTR);
      if (length < 0) {
        throw LinuxException.last(what);
      }
      int at = 0;
      while (at + HEADER <= length) {
        int size = answer.getInt(at);
        if (size < HEADER || at + size > length) {
          throw new IOException(what + ": malformed netlink answer");
        }
        int type = Short.toUnsignedInt(answer.getShort(at + 4));
        int flags = Short.toUnsignedInt(answer.getShort(at + 6));
        if (answer.getInt(at + 8) == sequence) {
          consistent &= (flags & FLAG_DUMP_INTERRUPTED) == 0;
          if (type == NLMSG_ERROR || type == NLMSG_DONE) {
            int errno = size >= HEADER + Integer.BYTES ? -answer.getInt(at + HEADER) : 0;
            if (errno > 0) {
              throw LinuxException.of(what, errno, type == NLMSG_ERROR ? detail(at, flags) : "");
            }
            return consistent;
          }
          ByteBuffer copy = ByteBuffer.allocate(size - HEADER).order(answer.order());
          answer.get(at + HEADER, copy.array());
          if (!answers.test(copy) || !untilEnd) {
            return consistent;
          }
        }
        at += (size + 3) & ~3;
      }
    }
  }

  /** The text of the extended acknowledgement after {@code struct nlmsgerr}, if there is one. */
  private String detail(int at, int flags) {
    if ((flags & FLAG_ACK_TLVS) == 0) {
      return "";
    }
    int echoed = at + HEADER + Integer.BYTES;
    int echoedSize = (flags & FLAG_CAPPED) != 0 ? HEADER : (answer.getInt(echoed) + 3) & ~3;
    ByteBuffer error = answer.duplicate().order(answer.order());
    error.limit(at + answer.getInt(at));
    Map<Integer, byte[]> attributes =
        NetlinkMessage.attributes(error, Math.min(echoed + echoedSize, error.limit()));
    byte[] text = attributes.get(NLMSGERR_ATTR_MSG);
    return text == null ? "" : new String(text, StandardCharsets.UTF_8).replace("\0", "");
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      Libc.close(fd);
    }
  }
}
