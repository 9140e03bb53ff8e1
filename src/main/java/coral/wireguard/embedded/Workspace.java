package coral.wireguard.embedded;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** What one thread needs to send packets: a cipher and buffers of its own. */
final class Workspace {
  private final PacketCipher cipher;
  private final byte[] padded = new byte[Constants.MAX_DATAGRAM];
  private final byte[] datagram = new byte[Constants.MAX_DATAGRAM];
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(Constants.MAX_DATAGRAM);

  Workspace(PacketCipher cipher) {
    this.cipher = cipher;
  }

  PacketCipher cipher() {
    return cipher;
  }

  /**
   * Makes transport data of a packet.
   *
   * @param paddedLength at least {@code length}, and with header and tag at most a datagram
   * @return the datagram, until the next call
   */
  ByteBuffer seal(
      Session session, long counter, byte[] packet, int offset, int length, int paddedLength) {
    System.arraycopy(packet, offset, padded, 0, length);
    Arrays.fill(padded, length, paddedLength, (byte) 0);
    Messages.putTransportHeader(datagram, session.keys().receiver(), counter);
    cipher.seal(
        session.keys().send(),
        counter,
        padded,
        0,
        paddedLength,
        datagram,
        Messages.TRANSPORT_HEADER);
    buffer.clear();
    buffer.put(datagram, 0, Messages.KEEPALIVE_LENGTH + paddedLength);
    return buffer.flip();
  }
}
