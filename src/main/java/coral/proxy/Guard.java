package coral.proxy;

import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.Caller;
import coral.rpc.Role;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http2.Http2Headers;
import java.net.InetAddress;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whom a request comes from, and whether it may. Every program of this host can connect to a port
 * on loopback, and so can every page that a browser shows here: by a cross-site request, and, once
 * its own name has been made to point here (DNS rebinding), even as if it were of this site. A
 * program states no origin; a page cannot but state its own, or the name that it was loaded by.
 */
final class Guard {
  private static final Pattern AUTHORITY =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9._-]+?)\\.?(?::[0-9]{1,5})?");
  private static final Pattern LOOPBACK =
      Pattern.compile("(?:.+\\.)?localhost|127(?:\\.[0-9]{1,3}){3}|\\[::1]|\\[0(?::0){6}:1]");
  private static final Pattern FIELD_NAMES =
      Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,4096}");
  private static final String BEARER = "bearer ";

  /** A browser asks again after two hours, the longest that all of them remember. */
  private static final String PREFLIGHT_SECONDS = "7200";

  /**
   * A request that may be made.
   *
   * @param caller who it is; empty: somebody on this host
   * @param origin of the page that calls, if it is another site's; it must be told that it may read
   */
  record Admitted(Optional<RemoteCaller> caller, Optional<String> origin) {}

  /**
   * Somebody on another host.
   *
   * @param name as {@code role/name}
   * @param certificate which says so; the colony knows whether it is good still
   */
  record RemoteCaller(String name, Optional<X509Certificate> certificate) {}

  private final ProxyListener listener;
  private final WrongTokens wrongTokens;

  Guard(ProxyListener listener, InstantSource clock) {
    this.listener = listener;
    this.wrongTokens = new WrongTokens(clock);
  }

  /**
   * Lets a request pass. What only the proxy needs to see is taken out of it.
   *
   * @throws RefusedException INVALID_ARGUMENT, PERMISSION_DENIED or UNAUTHENTICATED
   * @throws coral.rpc.RateLimitedException LIMIT_REACHED
   */
  Admitted admit(RequestHead request, CallerConnection connection) {
    if (!request.path().startsWith("/")
        && !(request.method().equals("OPTIONS") && request.path().equals("*"))) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT, "this proxy forwards requests for paths, and no tunnels");
    }
    if (listener.remote().isEmpty()) {
      requireLoopback(request.authority());
    }
    Optional<String> origin = origin(request);
    if (isPreflight(request)) {
      return new Admitted(Optional.empty(), origin); // browsers send it without credentials
    }
    return new Admitted(caller(request, connection), origin);
  }

  /** With TLS a rebound name is not the one in the certificate, and no browser goes on. */
  private static void requireLoopback(String authority) {
    Matcher parts = AUTHORITY.matcher(authority);
    if (!parts.matches() || !LOOPBACK.matcher(parts.group(1).toLowerCase(Locale.ROOT)).matches()) {
      throw new RefusedException(
          Failure.PERMISSION_DENIED,
          "this proxy is called localhost or by a loopback address, not by the Host of this"
              + " request");
    }
  }

  private Optional<String> origin(RequestHead request) {
    Optional<String> origin = request.field(HttpHeaderNames.ORIGIN);
    if (origin.isEmpty()) {
      // What a page embeds states no origin either, but browsers tell where it was embedded.
      boolean embedded =
          request.field("sec-fetch-site").map(site -> site.endsWith("-site")).orElse(false)
              && !request.field("sec-fetch-mode").equals(Optional.of("navigate"));
      if (embedded) {
        throw new RefusedException(Failure.PERMISSION_DENIED, "a page of another site calls");
      }
      return Optional.empty();
    }
    String own =
        (listener.remote().isPresent() ? "https://" : "http://")
            + request.authority().toLowerCase(Locale.ROOT);
    if (origin.get().equals(own)) {
      return Optional.empty();
    }
    if (listener.allowedOrigins().contains(origin.get())) {
      return origin;
    }
    throw new RefusedException(
        Failure.PERMISSION_DENIED,
        "a page of another site calls; --allow-origin lets those of one site");
  }

  private Optional<RemoteCaller> caller(RequestHead request, CallerConnection connection) {
    if (listener.remote().isEmpty()) {
      return Optional.empty();
    }
    ProxyListener.Remote remote = listener.remote().get();
    Caller caller =
        remote.callers().identify(connection.certificate(), connection.remote(), "at the proxy");
    if (caller.role() != Role.ANYONE) {
      return Optional.of(new RemoteCaller(caller.actor(), caller.certificate()));
    }
    Optional<AccessToken> token = remote.token();
    String shown =
        request
            .field(HttpHeaderNames.AUTHORIZATION)
            .filter(value -> value.regionMatches(true, 0, BEARER, 0, BEARER.length()))
            .map(value -> value.substring(BEARER.length()).strip())
            .orElse("");
    if (token.isPresent() && !shown.isEmpty()) {
      InetAddress from = connection.remote().getAddress();
      wrongTokens.require(from);
      if (token.get().matches(shown)) {
        request.fields().remove(HttpHeaderNames.AUTHORIZATION);
        return Optional.of(
            new RemoteCaller(
                token.get().role().wireName() + "/" + token.get().name(), Optional.empty()));
      }
      wrongTokens.count(from);
    }
    throw new RefusedException(
        Failure.UNAUTHENTICATED,
        "calls from elsewhere need a client certificate of the colony"
            + (token.isPresent() ? " or the access token of this proxy" : ""));
  }

  /** Whether a browser asks whether a page may call (the fetch standard's CORS-preflight). */
  static boolean isPreflight(RequestHead request) {
    return request.method().equals("OPTIONS")
        && request.field(HttpHeaderNames.ORIGIN).isPresent()
        && request.field(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD).isPresent();
  }

  /** The answer to a preflight that was admitted. */
  static LocalAnswer preflight(RequestHead request) {
    LocalAnswer answer = LocalAnswer.empty(204);
    Http2Headers head = answer.head();
    head.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST");
    head.set(HttpHeaderNames.ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
    request
        .field(HttpHeaderNames.ACCESS_CONTROL_REQUEST_HEADERS)
        .filter(names -> FIELD_NAMES.matcher(names).matches())
        .ifPresent(names -> head.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, names));
    if (request.field("access-control-request-private-network").equals(Optional.of("true"))) {
      head.set("access-control-allow-private-network", "true");
    }
    return answer;
  }

  /** Lets the page of another site read an answer; it shows no credentials of the browser's. */
  static void allowReading(Http2Headers answer, String origin) {
    answer.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    answer.set(HttpHeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, "*");
    answer.add(HttpHeaderNames.VARY, HttpHeaderNames.ORIGIN);
  }
}
