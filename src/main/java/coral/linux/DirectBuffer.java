package coral.linux;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The address of the direct buffer that was used last: on the packet path it is nearly always the
 * same one, and looking an address up allocates. Holding the buffer also keeps its memory alive
 * while the kernel uses it. Not thread-safe.
 */
final class DirectBuffer {
  private @Nullable ByteBuffer buffer;
  private long address;

  /** Where the buffer's next byte is. */
  @SuppressWarnings("ReferenceEquality") // The memory matters, not what is in it.
  long positionOf(ByteBuffer direct) {
    if (buffer != direct) {
      if (!direct.isDirect()) {
        throw new IllegalArgumentException("a direct buffer is needed");
      }
      address = Libc.addressOf(direct);
      buffer = direct;
    }
    return address + direct.position();
  }
}
