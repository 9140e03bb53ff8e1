package coral.linux;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** Echo requests and replies as bytes; both families have the same layout. */
final class IcmpPacket {
  static final int HEADER = 8;

  private static final int TYPE_ECHO = 8;
  private static final int TYPE_ECHO_REPLY = 0;
  private static final int TYPE_ECHO_V6 = 128;
  private static final int TYPE_ECHO_REPLY_V6 = 129;

  private IcmpPacket() {}

  static int replyType(boolean ipv4) {
    return ipv4 ? TYPE_ECHO_REPLY : TYPE_ECHO_REPLY_V6;
  }

  /** Fills the packet, which has the size of header and payload. */
  static void writeRequest(
      ByteBuffer packet, boolean ipv4, int identifier, int sequence, byte[] payload) {
    packet.put(0, (byte) (ipv4 ? TYPE_ECHO : TYPE_ECHO_V6)).put(1, (byte) 0);
    putU16(packet, 2, 0);
    putU16(packet, 4, identifier);
    putU16(packet, 6, sequence);
    packet.put(HEADER, payload);
    if (ipv4) {
      // The kernel computes that of ICMPv6, which covers the addresses too.
      putU16(packet, 2, checksum(packet));
    }
  }

  static boolean isReply(
      ByteBuffer packet,
      int start,
      int length,
      boolean ipv4,
      int identifier,
      int sequence,
      byte[] payload) {
    if (length - start != HEADER + payload.length) {
      return false;
    }
    byte[] echoed = new byte[payload.length];
    packet.get(start + HEADER, echoed);
    return Byte.toUnsignedInt(packet.get(start)) == replyType(ipv4)
        && packet.get(start + 1) == 0
        && getU16(packet, start + 4) == identifier
        && getU16(packet, start + 6) == sequence
        && Arrays.equals(echoed, payload);
  }

  /** The Internet checksum (RFC 1071) of a packet of even length. */
  static int checksum(ByteBuffer packet) {
    int sum = 0;
    for (int at = 0; at < packet.capacity(); at += 2) {
      sum += getU16(packet, at);
    }
    sum = (sum & 0xffff) + (sum >>> 16);
    sum += sum >>> 16;
    return ~sum & 0xffff;
  }

  private static void putU16(ByteBuffer packet, int at, int value) {
    packet.put(at, (byte) (value >>> 8)).put(at + 1, (byte) value);
  }

  private static int getU16(ByteBuffer packet, int at) {
    return Byte.toUnsignedInt(packet.get(at)) << 8 | Byte.toUnsignedInt(packet.get(at + 1));
  }
}
