package coral.rpc;

import java.nio.ByteBuffer;
import org.apache.pekko.util.ByteString;

/**
 * What surrounds a message of a stream: one byte of flags and four with its length, big-endian
 * (Connect's Enveloped-Message, gRPC's Length-Prefixed-Message).
 */
final class Envelope {
  /** Flags of a message that is not compressed. */
  static final int MESSAGE = 0;

  /** Flags of the end of a Connect stream, whose content is JSON. */
  static final int END = 2;

  /** Bytes before each message. */
  static final int PREFIX_LENGTH = 5;

  private Envelope() {}

  /** The content with its prefix. */
  static byte[] of(int flags, byte[] content) {
    return ByteBuffer.allocate(PREFIX_LENGTH + content.length)
        .put((byte) flags)
        .putInt(content.length)
        .put(content)
        .array();
  }

  /** The same of Pekko's bytes. */
  static ByteString of(int flags, ByteString content) {
    return ByteString.fromArrayUnsafe(of(flags, content.toArrayUnsafe()));
  }
}
