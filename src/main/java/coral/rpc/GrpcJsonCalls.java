package coral.rpc;

import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.ResponseEntity;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Calls by gRPC and gRPC-Web whose messages are JSON ({@code application/grpc+json}): the generated
 * handlers know protobuf alone.
 */
final class GrpcJsonCalls {
  /** Flags of gRPC-Web's last message, which holds the trailers. */
  private static final int TRAILERS = 0x80;

  private final Calls calls;

  GrpcJsonCalls(Calls calls) {
    this.calls = calls;
  }

  static boolean speaks(String mediaType) {
    return mediaType.equals("application/grpc+json")
        || mediaType.equals("application/grpc-web+json");
  }

  CompletionStage<HttpResponse> answer(ServedMethod<?> method, HttpRequest request) {
    CallOutcome outcome = calls.begin(method);
    return calls
        .admitted(method, request, CallHeaders.GRPC)
        .thenCompose(admitted -> calls.answers(ConnectProtocol.JSON, method, admitted, request))
        .thenApply(
            answers -> {
              ContentType type = request.entity().getContentType();
              boolean web = type.mediaType().toString().contains("-web");
              Source<HttpEntity.ChunkStreamPart, ?> parts =
                  answers
                      .map(message -> part(Envelope.MESSAGE, ConnectProtocol.JSON.print(message)))
                      .concat(Source.single(end(web, new LinkedHashMap<>(), Status.OK)))
                      .recover(
                          new PFBuilder<Throwable, HttpEntity.ChunkStreamPart>()
                              .matchAny(thrown -> end(web, outcome.failed(thrown)))
                              .build());
              return HttpResponse.create().withEntity(entity(type, parts));
            })
        .exceptionally(thrown -> GrpcCalls.error(request, outcome.failed(thrown)))
        .whenComplete((response, never) -> outcome.answered());
  }

  /** Only Pekko's Scala side makes an entity of chunks that may end in trailers. */
  @SuppressWarnings("unchecked") // its parts are the same objects
  private static ResponseEntity entity(
      ContentType type, Source<HttpEntity.ChunkStreamPart, ?> parts) {
    return new org.apache.pekko.http.scaladsl.model.HttpEntity.Chunked(
        (org.apache.pekko.http.scaladsl.model.ContentType) type,
        ((Source<org.apache.pekko.http.scaladsl.model.HttpEntity.ChunkStreamPart, Object>)
                (Source<?, ?>) parts)
            .asScala());
  }

  private static HttpEntity.ChunkStreamPart part(int flags, ByteString content) {
    return HttpEntity.ChunkStreamPart.create(Envelope.of(flags, content));
  }

  private static HttpEntity.ChunkStreamPart end(boolean web, GrpcServiceException failure) {
    return end(web, FailureStatus.grpcHeaders(failure), failure.status());
  }

  private static HttpEntity.ChunkStreamPart end(
      boolean web, Map<String, String> trailers, Status status) {
    trailers.put("grpc-status", Integer.toString(status.getCode().value()));
    if (status.getDescription() != null) {
      trailers.put("grpc-message", FailureStatus.percentEncoded(status.getDescription()));
    }
    if (web) {
      StringBuilder lines = new StringBuilder();
      trailers.forEach(
          (name, value) -> lines.append(name).append(": ").append(value).append("\r\n"));
      return part(
          TRAILERS,
          ByteString.fromArrayUnsafe(lines.toString().getBytes(StandardCharsets.US_ASCII)));
    }
    List<HttpHeader> headers = new ArrayList<>();
    trailers.forEach((name, value) -> headers.add(RawHeader.create(name, value)));
    return HttpEntity.ChunkStreamPart.createLast("", headers);
  }
}
