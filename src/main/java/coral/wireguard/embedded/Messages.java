package coral.wireguard.embedded;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;

/** The layout of WireGuard's messages (sections 5.4.2 to 5.4.6). Integers are little-endian. */
final class Messages {
  static final int INITIATION = 1;
  static final int RESPONSE = 2;
  static final int COOKIE_REPLY = 3;
  static final int TRANSPORT = 4;

  static final int INITIATION_LENGTH = 148;
  static final int RESPONSE_LENGTH = 92;

  /** Of transport data: type, receiver, counter. */
  static final int TRANSPORT_HEADER = 16;

  /** Of Poly1305. */
  static final int TAG_LENGTH = 16;

  /** A keepalive: transport data without a packet. */
  static final int KEEPALIVE_LENGTH = TRANSPORT_HEADER + TAG_LENGTH;

  private static final int MACS_LENGTH = 2 * Blake2s.MAC_LENGTH;
  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Messages() {}

  /**
   * The type of a datagram: 1 to 4 if its length fits that type and the reserved bytes are zero,
   * else 0.
   */
  static int type(byte[] datagram, int length) {
    if (length < KEEPALIVE_LENGTH) {
      return 0;
    }
    int type = getInt(datagram, 0);
    boolean fits =
        switch (type) {
          case INITIATION -> length == INITIATION_LENGTH;
          case RESPONSE -> length == RESPONSE_LENGTH;
          case COOKIE_REPLY -> length == 64;
          case TRANSPORT -> true;
          default -> false;
        };
    return fits ? type : 0;
  }

  /** Fills in mac1; mac2 stays zero: no cookie. */
  static void authenticate(byte[] message, byte[] mac1Key) {
    int covered = message.length - MACS_LENGTH;
    byte[] mac = Blake2s.mac(mac1Key, message, covered);
    System.arraycopy(mac, 0, message, covered, mac.length);
  }

  /** Whether mac1 shows that the sender knows the key of the receiver. */
  static boolean isAuthentic(byte[] message, byte[] mac1Key) {
    int covered = message.length - MACS_LENGTH;
    return MessageDigest.isEqual(
        Blake2s.mac(mac1Key, message, covered),
        Arrays.copyOfRange(message, covered, covered + Blake2s.MAC_LENGTH));
  }

  /** Writes the header of transport data. */
  static void putTransportHeader(byte[] datagram, int receiver, long counter) {
    putInt(datagram, 0, TRANSPORT);
    putInt(datagram, 4, receiver);
    LONG.set(datagram, 8, counter);
  }

  /** The counter of transport data. */
  static long counter(byte[] datagram) {
    return (long) LONG.get(datagram, 8);
  }

  static int getInt(byte[] message, int offset) {
    return (int) INT.get(message, offset);
  }

  static void putInt(byte[] message, int offset, int value) {
    INT.set(message, offset, value);
  }

  /**
   * The length of a packet inside transport data: padded with zeros to a multiple of 16, but not
   * beyond the MTU (section 5.4.6).
   */
  static int paddedLength(int length, int mtu) {
    return Math.min((length + 15) & ~15, Math.max(mtu, length));
  }
}
