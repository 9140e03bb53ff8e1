package coral.proxy;

import coral.rpc.ClientCertField;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The head of a request, whichever version of HTTP it came in, as it may be forwarded: without what
 * is meant for the next hop alone (RFC 9110, section 7.6.1), and without what only a proxy may say.
 *
 * @param path with its query
 * @param authority of the request; empty if it has none
 * @param fields in lower case, without pseudo headers
 */
record RequestHead(
    String method, String path, String authority, Http2Headers fields, CallProtocol protocol) {
  /** Says for whom a proxy calls; see {@code coral.rpc.Caller}. */
  static final String CALLER = "coral-caller";

  /** What ends at the proxy, and what it alone says. */
  private static final Set<String> HOP_BY_HOP =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-connection",
          "proxy-authorization",
          "te",
          "transfer-encoding",
          "upgrade",
          "http2-settings",
          "expect",
          "host",
          CALLER,
          ClientCertField.NAME,
          "client-cert-chain");

  /** That of a request over HTTP/2. */
  static RequestHead of(Http2Headers request) {
    Http2Headers fields = new DefaultHttp2Headers(false);
    for (Map.Entry<CharSequence, CharSequence> field : request) {
      CharSequence name = field.getKey();
      if (name.length() == 0 || name.charAt(0) == ':') {
        continue;
      }
      if (name.length() > 19 || !HOP_BY_HOP.contains(name.toString())) {
        fields.add(name, field.getValue());
      }
    }
    keepTrailers(request.get(HttpHeaderNames.TE), fields);
    CharSequence authority = request.authority();
    if (authority == null) {
      authority = request.get(HttpHeaderNames.HOST);
    }
    return of(text(request.method()), text(request.path()), text(authority), fields);
  }

  /**
   * That of a request over HTTP/1.1.
   *
   * @throws IllegalArgumentException if it has several hosts, or a target that is neither a path
   *     nor a URL
   */
  static RequestHead of(HttpRequest request) {
    Set<String> dropped = new HashSet<>(HOP_BY_HOP);
    for (String option : request.headers().getAll(HttpHeaderNames.CONNECTION)) {
      for (String name : option.split(",", -1)) {
        dropped.add(name.strip().toLowerCase(Locale.ROOT));
      }
    }
    Http2Headers fields = new DefaultHttp2Headers(false);
    request
        .headers()
        .iteratorCharSequence()
        .forEachRemaining(
            field -> {
              String name = field.getKey().toString().toLowerCase(Locale.ROOT);
              if (!dropped.contains(name)) {
                fields.add(name, field.getValue());
              }
            });
    String te = request.headers().get(HttpHeaderNames.TE);
    keepTrailers(te, fields);
    if (request.headers().getAll(HttpHeaderNames.HOST).size() > 1) {
      throw new IllegalArgumentException("a request has one Host");
    }
    String authority = text(request.headers().get(HttpHeaderNames.HOST));
    String target = request.uri();
    String method = request.method().name();
    if (target.startsWith("/") || target.equals("*")) {
      return of(method, target, authority, fields);
    }
    int host = target.indexOf("://");
    if (host < 0) {
      throw new IllegalArgumentException("the target of a request is a path");
    }
    int path = target.indexOf('/', host + 3);
    return path < 0
        ? of(method, "/", target.substring(host + 3), fields)
        : of(method, target.substring(path), target.substring(host + 3, path), fields);
  }

  private static RequestHead of(String method, String path, String authority, Http2Headers fields) {
    return new RequestHead(method, path, authority, fields, CallProtocol.of(method, path, fields));
  }

  /** The only thing that may be said of it over HTTP/2 (RFC 9113, section 8.2.2). */
  private static void keepTrailers(@Nullable CharSequence te, Http2Headers fields) {
    if (te != null && te.toString().toLowerCase(Locale.ROOT).contains("trailers")) {
      fields.set(HttpHeaderNames.TE, "trailers");
    }
  }

  /** The field, or nothing; of several the first. */
  Optional<String> field(CharSequence name) {
    return Optional.ofNullable(fields.get(name)).map(CharSequence::toString);
  }

  private static String text(@Nullable CharSequence value) {
    return value == null ? "" : value.toString();
  }
}
