package coral.proxy;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.Locale;

/** What a caller speaks on top of HTTP: only what the proxy says itself depends on it. */
enum CallProtocol {
  /** Ends in trailers; errors are trailers. */
  GRPC,
  /** Ends in a message that holds the trailers. */
  GRPC_WEB,
  /** gRPC-Web in base64, whose messages are not looked into. */
  GRPC_WEB_TEXT,
  /** Connect's streams: end in a message of JSON. */
  CONNECT_STREAM,
  /** Connect's unary calls: errors are HTTP statuses with JSON. */
  CONNECT,
  /** Anything else. */
  PLAIN;

  /** The protocol of a request. */
  static CallProtocol of(String method, String path, Http2Headers fields) {
    CharSequence contentType = fields.get(HttpHeaderNames.CONTENT_TYPE);
    String type = contentType == null ? "" : contentType.toString().toLowerCase(Locale.ROOT);
    if (type.startsWith("application/grpc-web-text")) {
      return GRPC_WEB_TEXT;
    }
    if (type.startsWith("application/grpc-web")) {
      return GRPC_WEB;
    }
    if (type.startsWith("application/grpc")) {
      return GRPC;
    }
    if (type.startsWith("application/connect+")) {
      return CONNECT_STREAM;
    }
    boolean query = method.equals("GET") && path.contains("connect=v1");
    boolean unary =
        type.startsWith("application/proto")
            || type.startsWith("application/json")
            || fields.contains("connect-protocol-version");
    return query || unary ? CONNECT : PLAIN;
  }

  /** Whether messages follow one another, each behind a flag and its length. */
  boolean hasFrames() {
    return this == GRPC || this == GRPC_WEB || this == CONNECT_STREAM;
  }
}
