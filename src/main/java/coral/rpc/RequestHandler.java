package coral.rpc;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpMethods;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCode;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.jspecify.annotations.Nullable;

/** What becomes of one HTTP request to an {@link RpcServer}, by the protocol that it speaks. */
final class RequestHandler {
  private static final String UNARY_TYPES = "application/json, application/proto";
  private static final String STREAM_TYPES = "application/connect+json, application/connect+proto";

  private final Admission admission;
  private final Map<String, ServedMethod<?>> methods;
  private final HttpDocuments documents;
  private final Calls calls;
  private final GrpcCalls grpc;
  private final GrpcJsonCalls grpcJson;
  private final ConnectUnaryCalls unary;
  private final ConnectStreamCalls streams;

  /**
   * @param methods by their full names without a leading slash
   */
  RequestHandler(
      Admission admission,
      Map<String, ServedMethod<?>> methods,
      HttpDocuments documents,
      Calls calls) {
    this.admission = admission;
    this.methods = Map.copyOf(methods);
    this.documents = documents;
    this.calls = calls;
    this.grpc = new GrpcCalls(calls);
    this.grpcJson = new GrpcJsonCalls(calls);
    this.unary = new ConnectUnaryCalls(calls);
    this.streams = new ConnectStreamCalls(calls);
  }

  /** Answers one request. */
  CompletionStage<HttpResponse> handle(HttpRequest asked) {
    HttpRequest request = current(asked);
    admission.requested(request);
    String path = request.getUri().path();
    if (documents.holds(path)) {
      return documents.answer(
          path, request, admission.remote(request).getAddress(), calls.system());
    }
    String mediaType = request.entity().getContentType().mediaType().toString();
    @Nullable ServedMethod<?> method = methods.get(path.startsWith("/") ? path.substring(1) : path);
    if (GrpcCalls.speaks(mediaType)) {
      if (method == null) {
        return grpc.refuse(request, Calls.unimplemented("no such rpc: " + path));
      }
      return GrpcJsonCalls.speaks(mediaType)
          ? grpcJson.answer(method, request)
          : grpc.answer(method, request);
    }
    if (method == null) {
      return refuse(request, ConnectProtocol.error(Calls.unimplemented("no such rpc"), 404));
    }
    return connect(method, mediaType, request);
  }

  /** The request by the name that is served now. */
  private static HttpRequest current(HttpRequest request) {
    return request.getUri().path().equals("/" + Reflection.OLDER_RPC)
        ? request.withUri(request.getUri().path("/" + Reflection.RPC))
        : request;
  }

  private CompletionStage<HttpResponse> connect(
      ServedMethod<?> method, String mediaType, HttpRequest request) {
    boolean gettable = method.hasNoSideEffects() && !method.answersStream();
    if (gettable && request.method() == HttpMethods.GET) {
      Optional<ConnectQuery> query = ConnectQuery.of(request.getUri().rawQueryString().orElse(""));
      return query.isPresent()
          ? unary.get(query.get(), method, request)
          : refuse(request, status(StatusCodes.UNSUPPORTED_MEDIA_TYPE, "Accept-Post", UNARY_TYPES));
    }
    if (request.method() != HttpMethods.POST) {
      return refuse(
          request,
          status(StatusCodes.METHOD_NOT_ALLOWED, "Allow", gettable ? "GET, POST" : "POST"));
    }
    Optional<ConnectProtocol> form = ConnectProtocol.ofUnary(mediaType);
    if (form.isPresent() && (method.takesStream() || !method.answersStream())) {
      return unary.post(form.get(), method, request);
    }
    Optional<ConnectProtocol> streamForm = ConnectProtocol.ofStream(mediaType);
    if (streamForm.isPresent() && method.answersStream()) {
      return streams.answer(streamForm.get(), method, request);
    }
    return refuse(
        request,
        status(
            StatusCodes.UNSUPPORTED_MEDIA_TYPE,
            "Accept-Post",
            method.answersStream() ? STREAM_TYPES : UNARY_TYPES));
  }

  private static HttpResponse status(StatusCode status, String header, String value) {
    return HttpResponse.create().withStatus(status).addHeader(RawHeader.create(header, value));
  }

  private CompletionStage<HttpResponse> refuse(HttpRequest request, HttpResponse refusal) {
    return RequestBody.refuse(request.entity(), refusal, calls.system());
  }
}
