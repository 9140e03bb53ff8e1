package coral.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.grpc.Trailers;
import org.apache.pekko.grpc.javadsl.MetadataBuilder;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.scaladsl.model.EntityStreamException;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one map between failures and gRPC statuses, in both directions. Several failures share a
 * status; the trailer {@value #TRAILER} carries the failure itself to clients that know it.
 */
public final class FailureStatus {
  /** Names the {@link Failure}, in the trailers of a call that fails. */
  public static final String TRAILER = "coral-failure";

  /**
   * Seconds until the same call may succeed, in the trailers of a call that came too often. With
   * Connect it is HTTP's own header (RFC 9110, section 10.2.3).
   */
  public static final String RETRY_AFTER = "retry-after";

  /** Where gRPC carries a {@code google.rpc.Status} with its details. */
  private static final String DETAILS = "grpc-status-details-bin";

  private static final Metadata.Key<String> KEY =
      Metadata.Key.of(TRAILER, Metadata.ASCII_STRING_MARSHALLER);

  private static final Metadata.Key<String> RETRY_AFTER_KEY =
      Metadata.Key.of(RETRY_AFTER, Metadata.ASCII_STRING_MARSHALLER);

  private static final Logger log = LoggerFactory.getLogger(FailureStatus.class);

  private FailureStatus() {}

  /** The code of a failure. */
  public static Status.Code code(Failure failure) {
    return switch (failure) {
      case INVALID_ARGUMENT -> Status.Code.INVALID_ARGUMENT;
      case UNAUTHENTICATED -> Status.Code.UNAUTHENTICATED;
      case PERMISSION_DENIED -> Status.Code.PERMISSION_DENIED;
      case NOT_FOUND -> Status.Code.NOT_FOUND;
      case AGENT_ID_TAKEN, WIREGUARD_KEY_TAKEN, MESH_ID_TAKEN, REQUEST_ID_REUSED ->
          Status.Code.ALREADY_EXISTS;
      case POOL_EXHAUSTED, LIMIT_REACHED -> Status.Code.RESOURCE_EXHAUSTED;
      case FAILED_PRECONDITION -> Status.Code.FAILED_PRECONDITION;
      case STORE_UNAVAILABLE, NOT_READY -> Status.Code.UNAVAILABLE;
      case INTERNAL -> Status.Code.INTERNAL;
    };
  }

  /** A refusal as the exception that fails a gRPC call with it. */
  public static GrpcServiceException exception(Refused refused) {
    Failure failure = refused.failure();
    return new GrpcServiceException(
        Status.fromCode(code(failure)).withDescription(refused.message()),
        new MetadataBuilder().addText(TRAILER, failure.name()).build());
  }

  /**
   * A refusal that says when to try again: in whole seconds as the trailer {@value #RETRY_AFTER},
   * and exactly as a {@code google.rpc.RetryInfo} for clients of gRPC that read details.
   *
   * @param delay until the call may succeed; more than zero
   */
  static GrpcServiceException retryLater(Refused refused, Duration delay) {
    Status.Code code = code(refused.failure());
    com.google.rpc.Status details =
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage(refused.message())
            .addDetails(
                Any.pack(
                    RetryInfo.newBuilder()
                        .setRetryDelay(
                            com.google.protobuf.Duration.newBuilder()
                                .setSeconds(delay.getSeconds())
                                .setNanos(delay.getNano()))
                        .build()))
            .build();
    long seconds = Math.max(1, delay.plusSeconds(1).minusNanos(1).toSeconds());
    return new GrpcServiceException(
        Status.fromCode(code).withDescription(refused.message()),
        new MetadataBuilder()
            .addText(TRAILER, refused.failure().name())
            .addText(RETRY_AFTER, Long.toString(seconds))
            .addBinary(DETAILS, ByteString.fromArray(details.toByteArray()))
            .build());
  }

  /** What Connect has as headers of an error, or as metadata in the end of a stream. */
  static Map<String, String> trailers(GrpcServiceException exception) {
    Map<String, String> trailers = new LinkedHashMap<>();
    for (String name : List.of(TRAILER, RETRY_AFTER)) {
      exception.getMetadata().getText(name).ifPresent(value -> trailers.put(name, value));
    }
    return trailers;
  }

  /** The response with the exception's trailers as headers. */
  static HttpResponse withTrailers(HttpResponse response, GrpcServiceException exception) {
    HttpResponse complete = response;
    for (Map.Entry<String, String> trailer : trailers(exception).entrySet()) {
      complete = complete.addHeader(RawHeader.create(trailer.getKey(), trailer.getValue()));
    }
    return complete;
  }

  /**
   * When a call that came too often may be made again, on the client's side; empty if the server
   * did not say.
   */
  public static Optional<Duration> retryAfter(Throwable thrown) {
    Throwable cause = unwrap(thrown);
    if (cause instanceof RpcException rpc) {
      return rpc.retryAfter();
    }
    return cause instanceof StatusRuntimeException e && e.getTrailers() != null
        ? seconds(e.getTrailers().get(RETRY_AFTER_KEY))
        : Optional.empty();
  }

  /** Reads {@value #RETRY_AFTER}; what a server of another kind may write is ignored. */
  static Optional<Duration> seconds(@Nullable String text) {
    return text != null && text.matches("[0-9]{1,9}")
        ? Optional.of(Duration.ofSeconds(Long.parseLong(text)))
        : Optional.empty();
  }

  /**
   * Anything that can fail a call as the exception that the caller may see. What is not meant for
   * callers is logged here and becomes INTERNAL without a word about its inside.
   */
  public static GrpcServiceException exception(Throwable thrown) {
    Throwable cause = unwrap(thrown);
    if (cause instanceof GrpcServiceException status) {
      return status;
    }
    if (cause instanceof RefusedException refused) {
      return exception(refused.refused());
    }
    if (cause instanceof RateLimitedException limited) {
      return retryLater(limited.refused(), limited.delay());
    }
    if (cause instanceof TimeoutException) {
      return new GrpcServiceException(
          Status.DEADLINE_EXCEEDED.withDescription("no answer in time; the outcome is unknown"));
    }
    if (cause instanceof EntityStreamException) {
      return new GrpcServiceException(Status.CANCELLED.withDescription("the request broke off"));
    }
    if (cause instanceof InvalidProtocolBufferException) {
      // Not the parser's words, which quote the request; and no line that a stranger can repeat.
      log.debug("A request is not a message of its type");
      return new GrpcServiceException(
          Status.INVALID_ARGUMENT.withDescription("the request is not a message of its type"));
    }
    log.error("A call failed by a defect", cause);
    return exception(new Refused(Failure.INTERNAL, "internal error"));
  }

  /** As {@link #exception(Throwable)}, for the generated handlers. */
  static Trailers grpcTrailers(Throwable thrown) {
    GrpcServiceException exception = exception(thrown);
    String description = exception.status().getDescription();
    // Pekko writes the description as it is.
    return new Trailers(
        description == null
            ? exception.status()
            : exception.status().withDescription(percentEncoded(description)),
        exception.getMetadata());
  }

  /** The gRPC protocol's Percent-Encoded: printable ASCII but {@code %} stands for itself. */
  public static String percentEncoded(String text) {
    StringBuilder encoded = new StringBuilder();
    for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
      if (octet >= ' ' && octet <= '~' && octet != '%') {
        encoded.append((char) octet);
      } else {
        encoded.append(String.format("%%%02X", octet & 0xff));
      }
    }
    return encoded.toString();
  }

  /**
   * The failure behind a call that failed: on the client's side by the trailer where the server is
   * one of ours, by the status otherwise; on the server's side as {@link #exception(Throwable)}
   * words it.
   */
  public static Failure failure(Throwable thrown) {
    Throwable cause = unwrap(thrown);
    if (cause instanceof RpcException rpc) {
      return rpc.failure();
    }
    if (cause instanceof RefusedException refused) {
      return refused.refused().failure();
    }
    if (cause instanceof StatusRuntimeException e) {
      return failure(
          e.getStatus().getCode(), Optional.ofNullable(e.getTrailers()).map(t -> t.get(KEY)));
    }
    if (cause instanceof StatusException e) {
      return failure(
          e.getStatus().getCode(), Optional.ofNullable(e.getTrailers()).map(t -> t.get(KEY)));
    }
    if (cause instanceof RateLimitedException limited) {
      return limited.refused().failure();
    }
    if (cause instanceof GrpcServiceException e) {
      return failure(e.status().getCode(), e.getMetadata().getText(TRAILER));
    }
    if (cause instanceof InvalidProtocolBufferException) {
      return Failure.INVALID_ARGUMENT;
    }
    return cause instanceof TimeoutException || cause instanceof EntityStreamException
        ? Failure.NOT_READY
        : Failure.INTERNAL;
  }

  /** The failure that a name and a code stand for; a name that does not fit its code is ignored. */
  static Failure failure(Status.Code code, Optional<String> name) {
    for (Failure failure : Failure.values()) {
      if (name.isPresent() && failure.name().equals(name.get()) && code(failure) == code) {
        return failure;
      }
    }
    return switch (code) {
      case INVALID_ARGUMENT, OUT_OF_RANGE, UNIMPLEMENTED -> Failure.INVALID_ARGUMENT;
      case UNAUTHENTICATED -> Failure.UNAUTHENTICATED;
      case PERMISSION_DENIED -> Failure.PERMISSION_DENIED;
      case NOT_FOUND -> Failure.NOT_FOUND;
      case ALREADY_EXISTS, FAILED_PRECONDITION -> Failure.FAILED_PRECONDITION;
      case RESOURCE_EXHAUSTED -> Failure.LIMIT_REACHED;
      case UNAVAILABLE, DEADLINE_EXCEEDED, ABORTED, CANCELLED -> Failure.NOT_READY;
      case OK, UNKNOWN, INTERNAL, DATA_LOSS -> Failure.INTERNAL;
    };
  }

  /** What a stage that failed failed with. */
  public static Throwable unwrap(Throwable thrown) {
    Throwable cause = thrown;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }
}
