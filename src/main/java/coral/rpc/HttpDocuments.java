package coral.rpc;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpMethod;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.util.ByteString;

/** The documents of one server, by their exact paths. */
final class HttpDocuments {
  private record Route(boolean post, int maxBytes, HttpDocument.Source source) {}

  private final Map<String, Route> routes = new HashMap<>();

  /** Serves GET of a path; not HEAD, to which Pekko would send the content over HTTP/2. */
  void get(String path, HttpDocument.Source source) {
    add(path, new Route(false, 0, source));
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
    return routes.containsKey(path);
  }

  /**
   * Answers a request.
   *
   * @param path one that {@link #holds}
   */
  CompletionStage<HttpResponse> answer(
      String path, HttpRequest request, InetAddress remote, ClassicActorSystemProvider system) {
    Route route = routes.get(path);
    if (route == null) {
      throw new IllegalArgumentException("no document at " + path);
    }
    HttpMethod method = route.post() ? HttpMethods.POST : HttpMethods.GET;
    if (request.method() != method) {
      RequestBody.discard(request.entity(), system);
      return CompletableFuture.completedFuture(
          HttpResponse.create()
              .withStatus(StatusCodes.METHOD_NOT_ALLOWED)
              .addHeader(RawHeader.create("Allow", method.value())));
    }
    return RequestBody.collect(request.entity(), route.maxBytes(), system)
        .thenCompose(
            body ->
                route
                    .source()
                    .answer(remote, com.google.protobuf.ByteString.copyFrom(body.asByteBuffer())))
        .thenApply(HttpDocuments::response)
        .exceptionally(thrown -> ConnectProtocol.error(FailureStatus.exception(thrown)));
  }

  private static HttpResponse response(HttpDocument document) {
    String caching =
        document.maxAge().isZero() ? "no-store" : "max-age=" + document.maxAge().toSeconds();
    return HttpResponse.create()
        .withEntity(
            HttpEntities.create(
                ContentTypes.parse(document.contentType()),
                ByteString.fromArray(document.content().toByteArray())))
        .addHeader(RawHeader.create("Cache-Control", caching))
        .addHeader(RawHeader.create("X-Content-Type-Options", "nosniff"));
  }
}
