package coral.linux;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's connection tracking, asked for over netlink ({@code nfnetlink_conntrack.h}): also
 * where the kernel is built without {@code /proc/net/nf_conntrack}.
 */
public final class ConnectionTrackingTable {
  /** Subsystem 1, {@code IPCTNL_MSG_CT_GET}. */
  private static final int GET = 1 << 8 | 1;

  private static final int NFGENMSG_SIZE = 4;

  private static final int CTA_TUPLE_ORIG = 1;
  private static final int CTA_TUPLE_REPLY = 2;
  private static final int CTA_STATUS = 3;
  private static final int CTA_PROTOINFO = 4;
  private static final int CTA_COUNTERS_ORIG = 9;
  private static final int CTA_COUNTERS_REPLY = 10;

  private static final int CTA_TUPLE_IP = 1;
  private static final int CTA_TUPLE_PROTO = 2;
  private static final int CTA_IP_V4_SRC = 1;
  private static final int CTA_IP_V4_DST = 2;
  private static final int CTA_IP_V6_SRC = 3;
  private static final int CTA_IP_V6_DST = 4;
  private static final int CTA_PROTO_NUM = 1;
  private static final int CTA_PROTO_SRC_PORT = 2;
  private static final int CTA_PROTO_DST_PORT = 3;
  private static final int CTA_COUNTERS_BYTES = 2;
  private static final int CTA_PROTOINFO_TCP = 1;
  private static final int CTA_PROTOINFO_TCP_STATE = 1;
  private static final int TCP_CONNTRACK_ESTABLISHED = 3;

  private static final int IPS_SEEN_REPLY = 1 << 1;

  /** On a fast path past the firewall, in software or in the network card; open, then. */
  private static final int IPS_OFFLOAD = 1 << 14 | 1 << 15;

  private ConnectionTrackingTable() {}

  /**
   * Reads the table of the network namespace that the calling thread is in. Entries of protocols
   * without ports are left out.
   *
   * @param most the bound on entries that are read
   * @param flows takes each
   * @return whether that were all
   * @throws LinuxException without CAP_NET_ADMIN, or if the kernel has no such table
   */
  public static boolean read(int most, Consumer<TrackedFlow> flows) throws IOException {
    int[] left = {most};
    try (NetlinkSocket socket = new NetlinkSocket(NetlinkSocket.NETFILTER)) {
      socket.each(
          "list tracked connections",
          GET,
          NetlinkMessage::netfilter,
          entry -> {
            if (left[0]-- > 0) {
              parse(entry).ifPresent(flows);
            }
            return left[0] >= 0;
          });
    }
    return left[0] >= 0;
  }

  private static Optional<TrackedFlow> parse(ByteBuffer entry) {
    Map<Integer, byte[]> attributes = NetlinkMessage.attributes(entry, NFGENMSG_SIZE);
    Map<Integer, byte[]> original = nested(attributes.get(CTA_TUPLE_ORIG));
    TrackedFlow.@Nullable Way asked = way(original, attributes.get(CTA_COUNTERS_ORIG));
    TrackedFlow.@Nullable Way answered =
        way(nested(attributes.get(CTA_TUPLE_REPLY)), attributes.get(CTA_COUNTERS_REPLY));
    if (asked == null || answered == null) {
      return Optional.empty();
    }
    Map<Integer, byte[]> tcp = nested(nested(attributes.get(CTA_PROTOINFO)).get(CTA_PROTOINFO_TCP));
    int protocol = (int) number(nested(original.get(CTA_TUPLE_PROTO)).get(CTA_PROTO_NUM));
    long status = number(attributes.get(CTA_STATUS));
    boolean isEstablished =
        protocol == TrackedFlow.TCP
            && (number(tcp.get(CTA_PROTOINFO_TCP_STATE)) == TCP_CONNTRACK_ESTABLISHED
                || (status & IPS_OFFLOAD) != 0);
    return Optional.of(
        new TrackedFlow(protocol, (status & IPS_SEEN_REPLY) != 0, isEstablished, asked, answered));
  }

  private static TrackedFlow.@Nullable Way way(
      Map<Integer, byte[]> tuple, byte @Nullable [] counters) {
    Map<Integer, byte[]> ip = nested(tuple.get(CTA_TUPLE_IP));
    Map<Integer, byte[]> ports = nested(tuple.get(CTA_TUPLE_PROTO));
    byte[] source = ip.getOrDefault(CTA_IP_V4_SRC, ip.get(CTA_IP_V6_SRC));
    byte[] destination = ip.getOrDefault(CTA_IP_V4_DST, ip.get(CTA_IP_V6_DST));
    int sourcePort = (int) number(ports.get(CTA_PROTO_SRC_PORT));
    int destinationPort = (int) number(ports.get(CTA_PROTO_DST_PORT));
    if (source == null || destination == null || sourcePort == 0 || destinationPort == 0) {
      return null;
    }
    try {
      return new TrackedFlow.Way(
          InetAddress.getByAddress(source),
          sourcePort,
          InetAddress.getByAddress(destination),
          destinationPort,
          number(nested(counters).get(CTA_COUNTERS_BYTES)));
    } catch (UnknownHostException e) {
      return null; // of no length that an address has
    }
  }

  private static Map<Integer, byte[]> nested(byte @Nullable [] value) {
    return value == null
        ? Map.of()
        : NetlinkMessage.attributes(ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()), 0);
  }

  /** Numbers are in network order here, of one to eight bytes; 0 if there is none. */
  private static long number(byte @Nullable [] value) {
    long number = 0;
    for (int i = 0; value != null && i < value.length; i++) {
      number = number << 8 | Byte.toUnsignedLong(value[i]);
    }
    return number;
  }
}
