package coral.wireguard.embedded;

/** The few fields of IPv4 (RFC 791) and IPv6 (RFC 8200) packets that a tunnel looks at. */
final class IpPacket {
  static final int IPV4_HEADER = 20;
  static final int IPV6_HEADER = 40;

  private static final int IPV4_TTL = 8;
  private static final int IPV4_CHECKSUM = 10;
  private static final int IPV6_HOP_LIMIT = 7;

  private IpPacket() {}

  /**
   * The length that the packet gives itself, which leaves out the padding behind it.
   *
   * @return -1 if this is no IP packet, or more of it is announced than there is
   */
  static int length(byte[] packet, int offset, int available) {
    if (available < IPV4_HEADER) {
      return -1;
    }
    int length;
    int least;
    switch (packet[offset] >> 4 & 0xf) {
      case 4 -> {
        least = IPV4_HEADER;
        length = unsigned16(packet, offset + 2);
      }
      case 6 -> {
        least = IPV6_HEADER;
        length = IPV6_HEADER + unsigned16(packet, offset + 4);
      }
      default -> {
        return -1;
      }
    }
    return length < least || length > available ? -1 : length;
  }

  static boolean isIpv6(byte[] packet, int offset) {
    return (packet[offset] >> 4 & 0xf) == 6;
  }

  static int sourceOffset(byte[] packet, int offset) {
    return offset + (isIpv6(packet, offset) ? 8 : 12);
  }

  static int destinationOffset(byte[] packet, int offset) {
    return offset + (isIpv6(packet, offset) ? 24 : 16);
  }

  /**
   * What a router does before it passes a packet on: counts its hops down, and corrects the IPv4
   * checksum for that (RFC 1624, equation 3).
   *
   * @return false, and the packet is as it was, if it may go no further
   */
  static boolean decrementHops(byte[] packet, int offset) {
    int position = offset + (isIpv6(packet, offset) ? IPV6_HOP_LIMIT : IPV4_TTL);
    int hops = packet[position] & 0xff;
    if (hops <= 1) {
      return false;
    }
    if (isIpv6(packet, offset)) {
      packet[position] = (byte) (hops - 1);
      return true;
    }
    int before = unsigned16(packet, position);
    packet[position] = (byte) (hops - 1);
    int after = unsigned16(packet, position);
    int checksum = unsigned16(packet, offset + IPV4_CHECKSUM);
    putUnsigned16(
        packet,
        offset + IPV4_CHECKSUM,
        ~folded((~checksum & 0xffffL) + (~before & 0xffffL) + after));
    return true;
  }

  static int unsigned16(byte[] packet, int offset) {
    return (packet[offset] & 0xff) << 8 | (packet[offset + 1] & 0xff);
  }

  static void putUnsigned16(byte[] packet, int offset, int value) {
    packet[offset] = (byte) (value >> 8);
    packet[offset + 1] = (byte) value;
  }

  /** The one's complement sum of 16-bit words, not yet inverted (RFC 1071), added to another. */
  static long sum(byte[] bytes, int offset, int length, long initial) {
    long sum = initial;
    int i = 0;
    for (; i + 1 < length; i += 2) {
      sum += unsigned16(bytes, offset + i);
    }
    return i < length ? sum + ((bytes[offset + i] & 0xff) << 8) : sum;
  }

  /** A sum in 16 bits, its carries added in. */
  static int folded(long sum) {
    long folded = sum;
    while (folded >> 16 != 0) {
      folded = (folded & 0xffff) + (folded >> 16);
    }
    return (int) folded;
  }
}
