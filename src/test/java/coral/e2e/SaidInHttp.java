package coral.e2e;

import io.grpc.netty.shaded.io.netty.buffer.ByteBuf;
import io.grpc.netty.shaded.io.netty.buffer.Unpooled;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.grpc.netty.shaded.io.netty.handler.codec.http2.Http2Exception;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One direction of a connection as text in which words can be searched. HTTP/2 hides them: headers
 * are compressed (RFC 7541), bodies are cut into frames (RFC 9113, section 6).
 */
final class SaidInHttp {
  private static final byte[] PREFACE =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  private static final int FRAME_HEADER = 9;
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int CONTINUATION = 9;
  private static final int END_HEADERS = 0x4;
  private static final int PADDED = 0x8;
  private static final int PRIORITY = 0x20;
  private static final int PRIORITY_LENGTH = 5;
  private static final int MAX_HEADERS = 1 << 20;

  private SaidInHttp() {}

  /** A character for each byte; what is in HTTP/2 stands there once more without its packing. */
  static String text(TlsRelay.Said said) throws Http2Exception {
    String plain = latin1(said.bytes());
    return said.isHttp2() ? plain + "\n" + unpacked(said.bytes()) : plain;
  }

  private static String unpacked(byte[] bytes) throws Http2Exception {
    StringBuilder headers = new StringBuilder();
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(false, MAX_HEADERS);
    boolean isClient = Arrays.equals(Arrays.copyOf(bytes, PREFACE.length), PREFACE);
    ByteBuffer in = ByteBuffer.wrap(bytes).position(isClient ? PREFACE.length : 0);
    while (in.remaining() >= FRAME_HEADER) {
      int lengthAndType = in.getInt();
      int flags = in.get() & 0xff;
      int stream = in.getInt();
      int length = lengthAndType >>> 8;
      if (in.remaining() < length) {
        break; // the end was cut off
      }
      byte[] payload = new byte[length];
      in.get(payload);
      int type = lengthAndType & 0xff;
      if (type == DATA) {
        data.writeBytes(unpadded(payload, flags, 0));
      } else if (type == HEADERS || type == CONTINUATION) {
        block.writeBytes(
            type == CONTINUATION
                ? payload
                : unpadded(payload, flags, (flags & PRIORITY) == 0 ? 0 : PRIORITY_LENGTH));
        if ((flags & END_HEADERS) != 0) {
          ByteBuf whole = Unpooled.wrappedBuffer(block.toByteArray());
          decoder
              .decodeHeaders(stream, whole)
              .forEach(
                  header ->
                      headers
                          .append(header.getKey())
                          .append(": ")
                          .append(header.getValue())
                          .append('\n'));
          block.reset();
        }
      }
    }
    return headers + latin1(data.toByteArray());
  }

  /** Without the padding at both ends and what stands before the content. */
  private static byte[] unpadded(byte[] payload, int flags, int before) {
    boolean padded = (flags & PADDED) != 0;
    int from = (padded ? 1 : 0) + before;
    int to = payload.length - (padded ? payload[0] & 0xff : 0);
    return Arrays.copyOfRange(payload, from, to);
  }

  private static String latin1(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }
}
