package coral.wireguard.embedded;

import java.net.InetAddress;

/**
 * Echo requests and replies as whole IP packets: ICMP (RFC 792) in IPv4 without options or
 * fragments, ICMPv6 (RFC 4443, section 4) in IPv6 without extension headers.
 */
final class EchoMessage {
  /** Of the ICMP message, before its payload. */
  static final int ICMP_HEADER = 8;

  private static final int PAYLOAD = 16;
  private static final int HOPS = 64;
  private static final int IPV4_PROTOCOL = 1;
  private static final int IPV6_NEXT_HEADER = 58;

  private EchoMessage() {}

  /** What a packet is. */
  enum Kind {
    REQUEST,
    REPLY,
    OTHER
  }

  /** An echo request. */
  static byte[] request(InetAddress source, InetAddress target, int identifier, int sequence) {
    byte[] from = source.getAddress();
    byte[] to = target.getAddress();
    boolean isIpv6 = from.length == 16;
    int header = isIpv6 ? IpPacket.IPV6_HEADER : IpPacket.IPV4_HEADER;
    byte[] packet = new byte[header + ICMP_HEADER + PAYLOAD];
    if (isIpv6) {
      packet[0] = 0x60;
      IpPacket.putUnsigned16(packet, 4, ICMP_HEADER + PAYLOAD);
      packet[6] = IPV6_NEXT_HEADER;
      packet[7] = HOPS;
    } else {
      packet[0] = 0x45;
      IpPacket.putUnsigned16(packet, 2, packet.length);
      packet[8] = HOPS;
      packet[9] = IPV4_PROTOCOL;
    }
    System.arraycopy(from, 0, packet, IpPacket.sourceOffset(packet, 0), from.length);
    System.arraycopy(to, 0, packet, IpPacket.destinationOffset(packet, 0), to.length);
    packet[header] = (byte) (isIpv6 ? 128 : 8);
    IpPacket.putUnsigned16(packet, header + 4, identifier);
    IpPacket.putUnsigned16(packet, header + 6, sequence);
    putChecksums(packet, packet.length);
    return packet;
  }

  /** What this packet is; an echo message with a wrong checksum is nothing. */
  static Kind kind(byte[] packet, int length) {
    boolean isIpv6 = IpPacket.isIpv6(packet, 0);
    int header = isIpv6 ? IpPacket.IPV6_HEADER : IpPacket.IPV4_HEADER;
    if (length < header + ICMP_HEADER || !isPlainIcmp(packet, isIpv6) || packet[header + 1] != 0) {
      return Kind.OTHER;
    }
    if (IpPacket.folded(icmpSum(packet, length)) != 0xffff) {
      return Kind.OTHER;
    }
    int type = packet[header] & 0xff;
    if (type == (isIpv6 ? 128 : 8)) {
      return Kind.REQUEST;
    }
    return type == (isIpv6 ? 129 : 0) ? Kind.REPLY : Kind.OTHER;
  }

  /** Identifier and sequence number, as one number. */
  static int label(byte[] packet) {
    int header = IpPacket.isIpv6(packet, 0) ? IpPacket.IPV6_HEADER : IpPacket.IPV4_HEADER;
    return IpPacket.unsigned16(packet, header + 4) << 16 | IpPacket.unsigned16(packet, header + 6);
  }

  /** Makes the reply to a request of it, in place. */
  static void turnIntoReply(byte[] packet, int length) {
    boolean isIpv6 = IpPacket.isIpv6(packet, 0);
    int source = IpPacket.sourceOffset(packet, 0);
    int destination = IpPacket.destinationOffset(packet, 0);
    for (int i = 0; i < destination - source; i++) {
      byte swapped = packet[source + i];
      packet[source + i] = packet[destination + i];
      packet[destination + i] = swapped;
    }
    packet[isIpv6 ? 7 : 8] = HOPS;
    packet[isIpv6 ? IpPacket.IPV6_HEADER : IpPacket.IPV4_HEADER] = (byte) (isIpv6 ? 129 : 0);
    putChecksums(packet, length);
  }

  private static boolean isPlainIcmp(byte[] packet, boolean isIpv6) {
    return isIpv6
        ? packet[6] == IPV6_NEXT_HEADER
        : packet[0] == 0x45
            && packet[9] == IPV4_PROTOCOL
            && (IpPacket.unsigned16(packet, 6) & 0x3fff) == 0; // no fragment
  }

  private static void putChecksums(byte[] packet, int length) {
    boolean isIpv6 = IpPacket.isIpv6(packet, 0);
    int header = isIpv6 ? IpPacket.IPV6_HEADER : IpPacket.IPV4_HEADER;
    if (!isIpv6) {
      IpPacket.putUnsigned16(packet, 10, 0);
      IpPacket.putUnsigned16(packet, 10, ~IpPacket.folded(IpPacket.sum(packet, 0, header, 0)));
    }
    IpPacket.putUnsigned16(packet, header + 2, 0);
    IpPacket.putUnsigned16(packet, header + 2, ~IpPacket.folded(icmpSum(packet, length)));
  }

  /** Over the message; ICMPv6 adds a pseudo-header (RFC 8200, section 8.1). */
  private static long icmpSum(byte[] packet, int length) {
    boolean isIpv6 = IpPacket.isIpv6(packet, 0);
    int header = isIpv6 ? IpPacket.IPV6_HEADER : IpPacket.IPV4_HEADER;
    long pseudo =
        isIpv6 ? IpPacket.sum(packet, 8, 32, (long) length - header + IPV6_NEXT_HEADER) : 0;
    return IpPacket.sum(packet, header, length - header, pseudo);
  }
}
