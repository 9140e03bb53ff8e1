package coral.proxy;

import coral.rpc.FailureStatus;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the proxy says itself, in the caller's protocol.
 *
 * @param head with its pseudo header
 * @param body may be empty
 */
record LocalAnswer(Http2Headers head, ByteBuf body) {
  private static final int GRPC_WEB_TRAILERS = 0x80;
  private static final int CONNECT_END_OF_STREAM = 0x02;

  /** How an answer ends that was under way when the colony was lost; one of both is empty. */
  record Ending(ByteBuf body, @Nullable Http2Headers trailers) {}

  /**
   * A call that fails.
   *
   * @param httpStatus for callers who read it: those of gRPC read {@code code}
   */
  static LocalAnswer failure(RequestHead request, int httpStatus, Status.Code code, String why) {
    CharSequence contentType = request.fields().get(HttpHeaderNames.CONTENT_TYPE);
    return switch (request.protocol()) {
      case GRPC, GRPC_WEB, GRPC_WEB_TEXT -> {
        Http2Headers head = head(200, contentType == null ? "application/grpc" : contentType);
        yield new LocalAnswer(withStatus(head, code, why), Unpooled.EMPTY_BUFFER);
      }
      case CONNECT_STREAM -> {
        ByteBuf body = framed(CONNECT_END_OF_STREAM, endOfStream(code, why));
        yield new LocalAnswer(
            head(200, contentType == null ? "application/connect+json" : contentType), body);
      }
      case CONNECT -> sized(httpStatus, "application/json", error(code, why));
      case PLAIN -> sized(httpStatus, "text/plain; charset=utf-8", why + "\n");
    };
  }

  /**
   * The same, which says when to call again: to callers of gRPC in the trailers, which are the head
   * of an answer without a message; to others in HTTP's own header.
   */
  LocalAnswer retryAfter(Duration delay) {
    head.set(FailureStatus.RETRY_AFTER, FailureStatus.wholeSeconds(delay));
    return this;
  }

  /** An answer without a body. */
  static LocalAnswer empty(int httpStatus) {
    return new LocalAnswer(
        new DefaultHttp2Headers().status(Integer.toString(httpStatus)), Unpooled.EMPTY_BUFFER);
  }

  /**
   * The end of an answer that cannot be completed, where the protocol has one.
   *
   * @return empty parts where it has none: then the stream must be broken off
   */
  static Ending ending(CallProtocol protocol, Status.Code code, String why) {
    return switch (protocol) {
      case GRPC ->
          new Ending(Unpooled.EMPTY_BUFFER, withStatus(new DefaultHttp2Headers(), code, why));
      case GRPC_WEB -> {
        String trailers =
            "grpc-status: "
                + code.value()
                + "\r\ngrpc-message: "
                + FailureStatus.percentEncoded(why)
                + "\r\n";
        yield new Ending(framed(GRPC_WEB_TRAILERS, trailers), null);
      }
      case CONNECT_STREAM ->
          new Ending(framed(CONNECT_END_OF_STREAM, endOfStream(code, why)), null);
      case GRPC_WEB_TEXT, CONNECT, PLAIN -> new Ending(Unpooled.EMPTY_BUFFER, null);
    };
  }

  private static Http2Headers head(int status, CharSequence contentType) {
    return new DefaultHttp2Headers()
        .status(Integer.toString(status))
        .set(HttpHeaderNames.CONTENT_TYPE, contentType);
  }

  private static LocalAnswer sized(int status, String contentType, String text) {
    ByteBuf body = bytes(text);
    return new LocalAnswer(
        head(status, contentType).setInt(HttpHeaderNames.CONTENT_LENGTH, body.readableBytes()),
        body);
  }

  private static Http2Headers withStatus(Http2Headers headers, Status.Code code, String why) {
    return headers
        .setInt("grpc-status", code.value())
        .set("grpc-message", FailureStatus.percentEncoded(why));
  }

  private static String endOfStream(Status.Code code, String why) {
    return "{\"error\":" + error(code, why) + "}";
  }

  private static String error(Status.Code code, String why) {
    return "{\"code\":\""
        + code.name().toLowerCase(Locale.ROOT)
        + "\",\"message\":\""
        + quoted(why)
        + "\"}";
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                quoted.append('\\').appendCodePoint(c);
              } else if (c < 0x20) {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", c));
              } else {
                quoted.appendCodePoint(c);
              }
            });
    return quoted.toString();
  }

  private static ByteBuf framed(int flags, String text) {
    ByteBuf body = bytes(text);
    ByteBuf prefix = Unpooled.buffer(5).writeByte(flags).writeInt(body.readableBytes());
    return Unpooled.wrappedBuffer(prefix, body);
  }

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
  }
}
