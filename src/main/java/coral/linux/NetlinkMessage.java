package coral.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Writes the body of a netlink message: a fixed header, then attributes aligned to four bytes
 * ({@code netlink(7)}, {@code rtnetlink(7)}).
 */
final class NetlinkMessage {
  private static final int ATTRIBUTE_HEADER = 4;
  private static final int NLA_F_NESTED = 0x8000;
  private static final int TYPE_MASK = 0x3fff;

  private final ByteBuffer buffer;

  /** Writes at the buffer's position. */
  NetlinkMessage(ByteBuffer buffer) {
    this.buffer = buffer;
  }

  /** {@code struct ifinfomsg}. */
  NetlinkMessage link(int index, int flags, int changedFlags) {
    buffer.put((byte) 0).put((byte) 0).putShort((short) 0);
    buffer.putInt(index).putInt(flags).putInt(changedFlags);
    return this;
  }

  /** {@code struct ifaddrmsg}. */
  NetlinkMessage address(int family, int prefixLength, int flags, int index) {
    buffer.put((byte) family).put((byte) prefixLength).put((byte) flags).put((byte) 0);
    buffer.putInt(index);
    return this;
  }

  /** {@code struct rtmsg} without source, type of service and flags. */
  NetlinkMessage route(int family, int length, int table, int protocol, int scope, int type) {
    buffer.put((byte) family).put((byte) length).put((byte) 0).put((byte) 0);
    buffer.put((byte) table).put((byte) protocol).put((byte) scope).put((byte) type);
    buffer.putInt(0);
    return this;
  }

  /** {@code struct nfgenmsg} of any family. */
  NetlinkMessage netfilter() {
    buffer.putInt(0);
    return this;
  }

  NetlinkMessage bytes(int type, byte[] value) {
    buffer.putShort((short) (ATTRIBUTE_HEADER + value.length)).putShort((short) type).put(value);
    pad();
    return this;
  }

  NetlinkMessage text(int type, String value) {
    return bytes(type, (value + "\0").getBytes(StandardCharsets.UTF_8));
  }

  NetlinkMessage u8(int type, int value) {
    return bytes(type, new byte[] {(byte) value});
  }

  NetlinkMessage u32(int type, int value) {
    return bytes(
        type,
        ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(value).array());
  }

  /** Opens an attribute that holds what is written until {@link #end}; returns what to end. */
  int begin(int type) {
    int start = buffer.position();
    buffer.putShort((short) 0).putShort((short) (type | NLA_F_NESTED));
    return start;
  }

  NetlinkMessage end(int start) {
    buffer.putShort(start, (short) (buffer.position() - start));
    return this;
  }

  private void pad() {
    while (buffer.position() % 4 != 0) {
      buffer.put((byte) 0);
    }
  }

  /**
   * The attributes of one message, by type. Only for messages, never for lists: the elements of a
   * list all have the same type.
   *
   * @param start after the fixed header
   */
  static Map<Integer, byte[]> attributes(ByteBuffer message, int start) {
    Map<Integer, byte[]> attributes = new HashMap<>();
    int at = start;
    while (at + ATTRIBUTE_HEADER <= message.limit()) {
      int length = Short.toUnsignedInt(message.getShort(at));
      if (length < ATTRIBUTE_HEADER || at + length > message.limit()) {
        break;
      }
      byte[] value = new byte[length - ATTRIBUTE_HEADER];
      message.get(at + ATTRIBUTE_HEADER, value);
      attributes.put(message.getShort(at + 2) & TYPE_MASK, value);
      at += (length + 3) & ~3;
    }
    return attributes;
  }
}
