package coral.rpc;

import io.grpc.Status;
import java.util.Base64;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.RequestEntity;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Calls by gRPC and gRPC-Web, in its binary and its text form: the generated handlers answer what
 * has passed the limits, plain whatever it was.
 */
final class GrpcCalls {
  private static final String ENCODING = "grpc-encoding";
  private static final String ACCEPT_ENCODING = "grpc-accept-encoding";
  private static final String TEXT = "application/grpc-web-text";

  private final Calls calls;

  GrpcCalls(Calls calls) {
    this.calls = calls;
  }

  static boolean speaks(String mediaType) {
    return mediaType.startsWith("application/grpc");
  }

  CompletionStage<HttpResponse> answer(ServedMethod<?> method, HttpRequest request) {
    CallOutcome outcome = calls.begin(method);
    return calls
        .admitted(method, request, CallHeaders.GRPC)
        .thenCompose(
            admitted ->
                entity(method, admitted, request)
                    .thenCompose(
                        entity ->
                            method.grpc(
                                admitted.caller(),
                                admitted.deadline(),
                                plain(request).withEntity(entity),
                                outcome,
                                calls.system())))
        .exceptionally(thrown -> error(request, outcome.failed(thrown)))
        .whenComplete((response, never) -> outcome.answered());
  }

  private static HttpRequest plain(HttpRequest request) {
    return request.removeHeader(ENCODING).removeHeader(ACCEPT_ENCODING);
  }

  /** The messages of a request, plain and within the limit. */
  private CompletionStage<RequestEntity> entity(
      ServedMethod<?> method, Calls.Admitted admitted, HttpRequest request) {
    ContentType type = request.entity().getContentType();
    int limit = calls.limit(method);
    if (type.mediaType().toString().startsWith(TEXT)) {
      return text(method, admitted, request);
    }
    if (method.takesStream()) {
      Source<ByteString, ?> messages =
          request
              .entity()
              .withoutSizeLimit()
              .getDataBytes()
              .via(new FrameLimit(limit, admitted.compression(), calls.streamIdle()));
      return Calls.completed(HttpEntities.create(type, messages));
    }
    return calls
        .body(request, limit + Envelope.PREFIX_LENGTH, admitted.deadline())
        .thenApply(body -> HttpEntities.create(type, plain(body, limit, admitted.compression())));
  }

  /** In base64 both ways; not as a stream, in which the messages would be hidden from a limit. */
  private CompletionStage<RequestEntity> text(
      ServedMethod<?> method, Calls.Admitted admitted, HttpRequest request) {
    if (method.takesStream()) {
      RequestBody.discard(request.entity(), calls.system());
      throw Calls.unimplemented("a stream is not taken as text: send it as application/grpc-web");
    }
    int limit = calls.limit(method);
    int maxText = (limit + Envelope.PREFIX_LENGTH + 2) / 3 * 4;
    return calls
        .body(request, maxText, admitted.deadline())
        .thenApply(
            body -> {
              ByteString plain = plain(decoded(body), limit, admitted.compression());
              return HttpEntities.create(
                  request.entity().getContentType(),
                  ByteString.fromArrayUnsafe(Base64.getEncoder().encode(plain.toArrayUnsafe())));
            });
  }

  private static ByteString decoded(ByteString text) {
    try {
      return ByteString.fromArrayUnsafe(Base64.getDecoder().decode(text.toArrayUnsafe()));
    } catch (IllegalArgumentException e) {
      throw new GrpcServiceException(
          Status.INVALID_ARGUMENT.withDescription("the request is not in base64"));
    }
  }

  private static ByteString plain(ByteString body, int limit, Compression compression) {
    return Envelope.of(Envelope.MESSAGE, EnvelopeReader.only(body, limit, compression));
  }

  CompletionStage<HttpResponse> refuse(HttpRequest request, GrpcServiceException exception) {
    return RequestBody.refuse(request.entity(), error(request, exception), calls.system());
  }

  /** A response of trailers only (the gRPC protocol's Trailers-Only). */
  static HttpResponse error(HttpRequest request, GrpcServiceException exception) {
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
    return FailureStatus.with(FailureStatus.grpcHeaders(exception), response);
  }
}
