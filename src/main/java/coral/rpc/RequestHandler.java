package coral.rpc;

import coral.model.RefusedException;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** What becomes of one HTTP request to an {@link RpcServer}, by the protocol that it speaks. */
final class RequestHandler {
  private final ClassicActorSystemProvider system;
  private final Admission admission;
  private final Map<String, ServedMethod<?>> methods;
  private final Map<String, Integer> limits;
  private final HttpDocuments documents;
  private final Duration streamIdle;
  private final CallListener calls;

  /**
   * @param methods by their full names without a leading slash
   * @param limits in bytes, of those methods that have smaller ones than all
   */
  RequestHandler(
      ClassicActorSystemProvider system,
      Admission admission,
      Map<String, ServedMethod<?>> methods,
      Map<String, Integer> limits,
      HttpDocuments documents,
      Duration streamIdle,
      CallListener calls) {
    this.system = system;
    this.admission = admission;
    this.methods = Map.copyOf(methods);
    this.limits = Map.copyOf(limits);
    this.documents = documents;
    this.streamIdle = streamIdle;
    this.calls = calls;
  }

  /** Answers one request. */
  CompletionStage<HttpResponse> handle(HttpRequest request) {
    admission.requested(request);
    String path = request.getUri().path();
    if (documents.holds(path)) {
      return documents.answer(path, request, admission.remote(request).getAddress(), system);
    }
    ServedMethod<?> method = methods.get(path.startsWith("/") ? path.substring(1) : path);
    if (isGrpc(request)) {
      return method == null
          ? refuseGrpc(request, unimplemented("no such rpc: " + path))
          : grpc(method, request);
    }
    Optional<ConnectProtocol> connect = ConnectProtocol.of(mediaType(request));
    if (method == null || connect.isEmpty() || request.method() != HttpMethods.POST) {
      RequestBody.discard(request.entity(), system);
      return completed(notAnRpc(method != null, request));
    }
    return connect(connect.get(), method, request);
  }

  /** Without gRPC-Web's text form: base64 would hide the messages from {@link FrameLimit}. */
  private static boolean isGrpc(HttpRequest request) {
    String mediaType = mediaType(request);
    return mediaType.startsWith("application/grpc")
        && !mediaType.startsWith("application/grpc-web-text");
  }

  private static String mediaType(HttpRequest request) {
    return request.entity().getContentType().mediaType().toString();
  }

  private static HttpResponse notAnRpc(boolean known, HttpRequest request) {
    if (!known) {
      return ConnectProtocol.error(unimplemented("no such rpc"), 404);
    }
    boolean post = request.method() == HttpMethods.POST;
    return HttpResponse.create()
        .withStatus(post ? StatusCodes.UNSUPPORTED_MEDIA_TYPE : StatusCodes.METHOD_NOT_ALLOWED)
        .addHeader(
            post
                ? RawHeader.create("Accept-Post", "application/json, application/proto")
                : RawHeader.create("Allow", "POST"));
  }

  private CompletionStage<HttpResponse> grpc(ServedMethod<?> method, HttpRequest request) {
    CallOutcome outcome = new CallOutcome(calls, method.rpc());
    return admitted(method, request, "grpc-encoding")
        .thenCompose(caller -> grpc(method, caller, request, outcome))
        .exceptionally(thrown -> grpcError(request, outcome.failed(thrown)))
        .whenComplete((response, never) -> outcome.answered());
  }

  private CompletionStage<HttpResponse> grpc(
      ServedMethod<?> method, Caller caller, HttpRequest request, CallOutcome outcome) {
    // Answers are never compressed: they are small, and some stand beside secrets.
    HttpRequest plain = request.removeHeader("grpc-accept-encoding");
    ContentType type = request.entity().getContentType();
    if (method.takesStream()) {
      int limit = limits.getOrDefault(method.rpc(), RpcServer.MAX_STREAM_MESSAGE_BYTES);
      Source<ByteString, ?> messages =
          request.entity().withoutSizeLimit().getDataBytes().via(new FrameLimit(limit, streamIdle));
      return method.grpc(
          caller, plain.withEntity(HttpEntities.create(type, messages)), outcome, system);
    }
    int limit = limits.getOrDefault(method.rpc(), RpcServer.MAX_REQUEST_BYTES);
    return RequestBody.collect(request.entity(), limit + FrameLimit.PREFIX_LENGTH, system)
        .thenCompose(
            body -> {
              FrameLimit.check(body, limit);
              return method.grpc(
                  caller, plain.withEntity(HttpEntities.create(type, body)), outcome, system);
            });
  }

  private CompletionStage<HttpResponse> connect(
      ConnectProtocol protocol, ServedMethod<?> method, HttpRequest request) {
    CallOutcome outcome = new CallOutcome(calls, method.rpc());
    int limit = limits.getOrDefault(method.rpc(), RpcServer.MAX_REQUEST_BYTES);
    return admitted(method, request, "content-encoding")
        .thenCompose(
            caller ->
                RequestBody.collect(request.entity(), limit, system)
                    .thenCompose(
                        body -> method.call(caller, protocol.request(body, method.request()))))
        .thenApply(protocol::response)
        .exceptionally(thrown -> ConnectProtocol.error(outcome.failed(thrown)))
        .whenComplete((response, never) -> outcome.answered());
  }

  /** The caller, if it may call this; otherwise its request is not read any further. */
  private CompletionStage<Caller> admitted(
      ServedMethod<?> method, HttpRequest request, String encodingHeader) {
    try {
      refuseEncoding(request, encodingHeader);
      Caller caller = admission.admit(method.rpc(), request);
      if (!method.isUnary() && !isGrpc(request)) {
        throw unimplemented(method.rpc() + " is a stream: call it by gRPC");
      }
      return CompletableFuture.completedFuture(caller);
    } catch (GrpcServiceException | RefusedException e) {
      RequestBody.discard(request.entity(), system);
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Compression is refused: a message of 40 KB can inflate to 40 MB before any limit sees it. */
  private static void refuseEncoding(HttpRequest request, String header) {
    boolean encoded =
        request.getHeader(header).map(h -> !h.value().equals("identity")).orElse(false);
    if (encoded) {
      throw unimplemented("compressed requests are not accepted");
    }
  }

  private CompletionStage<HttpResponse> refuseGrpc(
      HttpRequest request, GrpcServiceException exception) {
    RequestBody.discard(request.entity(), system);
    return completed(grpcError(request, exception));
  }

  /** A response of trailers only (the gRPC protocol's Trailers-Only). */
  private static HttpResponse grpcError(HttpRequest request, GrpcServiceException exception) {
    Status status = exception.status();
    HttpResponse response =
        HttpResponse.create()
            .withEntity(
                HttpEntities.create(
                    request.entity().getContentType(), ByteString.emptyByteString()))
            .addHeader(RawHeader.create("grpc-status", Integer.toString(status.getCode().value())));
    if (status.getDescription() != null) {
      response =
          response.addHeader(
              RawHeader.create(
                  "grpc-message", FailureStatus.percentEncoded(status.getDescription())));
    }
    return FailureStatus.withTrailers(response, exception);
  }

  private static GrpcServiceException unimplemented(String message) {
    return new GrpcServiceException(Status.UNIMPLEMENTED.withDescription(message));
  }

  private static CompletionStage<HttpResponse> completed(HttpResponse response) {
    return CompletableFuture.completedFuture(response);
  }
}
