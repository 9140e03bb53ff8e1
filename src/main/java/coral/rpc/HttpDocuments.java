package coral.rpc;

import io.grpc.Status;
import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/** The documents of one server, by their exact paths or by what these begin with. */
final class HttpDocuments {
  /** Pages of ours have a style of ours, and nothing else. */
  private static final String PAGES_MAY =
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none';"
          + " frame-ancestors 'none'";

  private record Route(boolean post, int maxBytes, HttpDocument.Source source) {}

  private final Map<String, Route> routes = new HashMap<>();

  /** By what a path begins with, the slash behind it included. */
  private final Map<String, HttpDocument.Source> below = new HashMap<>();

  /** Serves GET of a path; not HEAD, to which Pekko would send the content over HTTP/2. */
  void get(String path, HttpDocument.Source source) {
    add(path, new Route(false, 0, source));
  }

  /** Serves GET of every path below one; what follows its slash is the question. */
  void getBelow(String path, HttpDocument.Source source) {
    if (below.putIfAbsent(path + "/", source) != null) {
      throw new IllegalArgumentException("two documents below " + path);
    }
  }

  /** Serves POST of a path, with bodies of at most so many bytes. */
  void post(String path, int maxBytes, HttpDocument.Source source) {
    add(path, new Route(true, maxBytes, source));
  }

  private void add(String path, Route route) {
    if (!path.startsWith("/") || path.length() < 2) {
      throw new IllegalArgumentException("not the path of a document: " + path);
    }
    if (routes.putIfAbsent(path, route) != null) {
      throw new IllegalArgumentException("two documents at " + path);
    }
  }

  boolean holds(String path) {
    return routes.containsKey(path) || prefix(path).isPresent();
  }

  private Optional<String> prefix(String path) {
    return below.keySet().stream().filter(path::startsWith).findFirst();
  }

  private Route route(String path) {
    @Nullable Route exact = routes.get(path);
    if (exact != null) {
      return exact;
    }
    String prefix =
        prefix(path).orElseThrow(() -> new IllegalArgumentException("no document at " + path));
    HttpDocument.Source source = Objects.requireNonNull(below.get(prefix));
    com.google.protobuf.ByteString question =
        com.google.protobuf.ByteString.copyFromUtf8(path.substring(prefix.length()));
    return new Route(false, 0, (remote, body) -> source.answer(remote, question));
  }

  /**
   * Answers a request.
   *
   * @param path one that {@link #holds}
   */
  CompletionStage<HttpResponse> answer(
      String path, HttpRequest request, InetAddress remote, ClassicActorSystemProvider system) {
    Route route = route(path);
    HttpMethod method = route.post() ? HttpMethods.POST : HttpMethods.GET;
    if (request.method() != method) {
      RequestBody.discard(request.entity(), system);
      return CompletableFuture.completedFuture(
          HttpResponse.create()
              .withStatus(StatusCodes.METHOD_NOT_ALLOWED)
              .addHeader(RawHeader.create("Allow", method.value())));
    }
    return RequestBody.collect(request.entity(), route.maxBytes(), system)
        .thenCompose(body -> answer(route.source(), remote, body))
        .exceptionally(HttpDocuments::unread);
  }

  private static CompletionStage<HttpResponse> answer(
      HttpDocument.Source source, InetAddress remote, ByteString body) {
    return CompletableFuture.completedStage(
            com.google.protobuf.ByteString.copyFrom(body.asByteBuffer()))
        .thenCompose(bytes -> source.answer(remote, bytes))
        .thenApply(HttpDocuments::response)
        .exceptionally(thrown -> ConnectProtocol.error(FailureStatus.exception(thrown)));
  }

  /**
   * To a body that was not read to its end. One that is too large is never taken (RFC 9110, section
   * 15.5.14); 429 would have its sender try again.
   */
  private static HttpResponse unread(Throwable failure) {
    GrpcServiceException why = FailureStatus.exception(failure);
    return why.status().getCode() == Status.Code.RESOURCE_EXHAUSTED
        ? ConnectProtocol.error(why, StatusCodes.PAYLOAD_TOO_LARGE.intValue())
        : ConnectProtocol.error(why);
  }

  private static HttpResponse response(HttpDocument document) {
    String caching =
        document.maxAge().isZero() ? "no-store" : "max-age=" + document.maxAge().toSeconds();
    HttpResponse response =
        HttpResponse.create()
            .withEntity(
                HttpEntities.create(
                    ContentTypes.parse(document.contentType()),
                    ByteString.fromArray(document.content().toByteArray())))
            .addHeader(RawHeader.create("Cache-Control", caching))
            .addHeader(RawHeader.create("X-Content-Type-Options", "nosniff"));
    return document.contentType().startsWith("text/html")
        ? response
            .addHeader(RawHeader.create("Content-Security-Policy", PAGES_MAY))
            .addHeader(RawHeader.create("Referrer-Policy", "no-referrer"))
        : response;
  }
}
