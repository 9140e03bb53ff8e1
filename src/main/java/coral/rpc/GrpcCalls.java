package coral.rpc;

import io.grpc.Status;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** Calls by gRPC and gRPC-Web: the generated handlers answer what has passed the limits. */
final class GrpcCalls {
  private final Calls calls;

  GrpcCalls(Calls calls) {
    this.calls = calls;
  }

  /** Without gRPC-Web's text form: base64 would hide the messages from {@link FrameLimit}. */
  static boolean speaks(String mediaType) {
    return mediaType.startsWith("application/grpc")
        && !mediaType.startsWith("application/grpc-web-text");
  }

  CompletionStage<HttpResponse> answer(ServedMethod<?> method, HttpRequest request) {
    CallOutcome outcome = calls.begin(method);
    return calls
        .admitted(method, request, "grpc-encoding")
        .thenCompose(caller -> answer(method, caller, request, outcome))
        .exceptionally(thrown -> error(request, outcome.failed(thrown)))
        .whenComplete((response, never) -> outcome.answered());
  }

  private CompletionStage<HttpResponse> answer(
      ServedMethod<?> method, Caller caller, HttpRequest request, CallOutcome outcome) {
    // Answers are never compressed: they are small, and some stand beside secrets.
    HttpRequest plain = request.removeHeader("grpc-accept-encoding");
    ContentType type = request.entity().getContentType();
    int limit = calls.limit(method);
    if (method.takesStream()) {
      Source<ByteString, ?> messages =
          request
              .entity()
              .withoutSizeLimit()
              .getDataBytes()
              .via(new FrameLimit(limit, calls.streamIdle()));
      return method.grpc(
          caller, plain.withEntity(HttpEntities.create(type, messages)), outcome, calls.system());
    }
    return RequestBody.collect(request.entity(), limit + Envelope.PREFIX_LENGTH, calls.system())
        .thenCompose(
            body -> {
              FrameLimit.check(body, limit);
              return method.grpc(
                  caller,
                  plain.withEntity(HttpEntities.create(type, body)),
                  outcome,
                  calls.system());
            });
  }

  CompletionStage<HttpResponse> refuse(HttpRequest request, GrpcServiceException exception) {
    return RequestBody.refuse(request.entity(), error(request, exception), calls.system());
  }

  /** A response of trailers only (the gRPC protocol's Trailers-Only). */
  private static HttpResponse error(HttpRequest request, GrpcServiceException exception) {
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
}
