package coral.proxy;

import io.netty.buffer.ByteBuf;

/**
 * Whether a stream of messages stands between two of them: gRPC's, gRPC-Web's and Connect's are
 * each a byte of flags, four of length, and so many more.
 */
final class MessageBoundary {
  private static final int PREFIX = 5;

  private int prefixRead;
  private long length;
  private long remaining;

  /** Takes note of bytes, and leaves them unread. */
  void passed(ByteBuf data) {
    int index = data.readerIndex();
    int end = data.writerIndex();
    while (index < end) {
      if (prefixRead < PREFIX) {
        if (prefixRead > 0) {
          length = length << 8 | data.getUnsignedByte(index);
        }
        index++;
        prefixRead++;
        remaining = length;
      } else {
        int step = (int) Math.min(remaining, end - index);
        index += step;
        remaining -= step;
      }
      if (prefixRead == PREFIX && remaining == 0) {
        prefixRead = 0;
        length = 0;
      }
    }
  }

  /** Whether what passed ends with a whole message, or nothing passed. */
  boolean reached() {
    return prefixRead == 0;
  }
}
