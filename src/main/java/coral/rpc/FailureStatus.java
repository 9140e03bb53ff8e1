package coral.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
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
import org.apache.pekko.grpc.javadsl.StringEntry;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.http.scaladsl.model.EntityStreamException;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one map between failures and gRPC statuses, in both directions. Several failures share a
 * status; the details of an error carry the failure itself to clients that know it.
 */
public final class FailureStatus {
  /**
   * Seconds until the same call may succeed, in the trailers of a call that came too often. With
   * Connect it is HTTP's own header (RFC 9110, section 10.2.3).
   */
  public static final String RETRY_AFTER = "retry-after";

  /** Where gRPC carries a {@code google.rpc.Status} with its details. */
  private static final String DETAILS = "grpc-status-details-bin";

  private static final Metadata.Key<byte[]> DETAILS_KEY =
      Metadata.Key.of(DETAILS, Metadata.BINARY_BYTE_MARSHALLER);

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

  /** A refusal as the exception that fails a call with it. */
  public static GrpcServiceException exception(Refused refused) {
    return exception(refused, new MetadataBuilder(), List.of(ErrorDetails.failure(refused)));
  }

  /**
   * A refusal that says when to try again: in whole seconds as the trailer {@value #RETRY_AFTER},
   * and exactly as a {@code google.rpc.RetryInfo} for clients that read details.
   *
   * @param delay until the call may succeed; more than zero
   */
  static GrpcServiceException retryLater(Refused refused, Duration delay) {
    return exception(
        refused,
        new MetadataBuilder().addText(RETRY_AFTER, wholeSeconds(delay)),
        List.of(ErrorDetails.failure(refused), ErrorDetails.retry(delay)));
  }

  /** A delay as {@value #RETRY_AFTER} has it: rounded up, at least a second. */
  public static String wholeSeconds(Duration delay) {
    return Long.toString(Math.max(1, delay.plusSeconds(1).minusNanos(1).toSeconds()));
  }

  private static GrpcServiceException exception(
      Refused refused, MetadataBuilder metadata, List<Any> details) {
    Status.Code code = code(refused.failure());
    com.google.rpc.Status status =
        com.google.rpc.Status.newBuilder()
            .setCode(code.value())
            .setMessage(refused.message())
            .addAllDetails(details)
            .build();
    return new GrpcServiceException(
        Status.fromCode(code).withDescription(refused.message()),
        metadata.addBinary(DETAILS, ByteString.fromArray(status.toByteArray())).build());
  }

  /** The details of an error, for the protocols that do not carry them as gRPC does. */
  static List<Any> details(GrpcServiceException exception) {
    return exception
        .getMetadata()
        .getBinary(DETAILS)
        .map(status -> ErrorDetails.ofStatus(status.toArrayUnsafe()))
        .orElse(List.of());
  }

  /** The trailers that are text: what Connect has as headers, or as metadata of a stream's end. */
  static Map<String, String> texts(GrpcServiceException exception) {
    Map<String, String> texts = new LinkedHashMap<>();
    exception
        .getMetadata()
        .asList()
        .forEach(
            entry -> {
              if (entry.second() instanceof StringEntry text) {
                texts.put(entry.first(), text.getValue());
              }
            });
    return texts;
  }

  /** The trailers of gRPC as headers: what is binary in base64 without padding. */
  static Map<String, String> grpcHeaders(GrpcServiceException exception) {
    Map<String, String> headers = new LinkedHashMap<>(texts(exception));
    exception
        .getMetadata()
        .getBinary(DETAILS)
        .ifPresent(
            details ->
                headers.put(
                    DETAILS,
                    Base64.getEncoder().withoutPadding().encodeToString(details.toArrayUnsafe())));
    return headers;
  }

  /** The response with such headers. */
  static HttpResponse with(Map<String, String> headers, HttpResponse response) {
    HttpResponse complete = response;
    for (Map.Entry<String, String> header : headers.entrySet()) {
      complete = complete.addHeader(RawHeader.create(header.getKey(), header.getValue()));
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
    if (cause instanceof EntityStreamException broken) {
      if (broken.info().summary().contains("exceeds the configured limit")) {
        return new GrpcServiceException(
            Status.RESOURCE_EXHAUSTED.withDescription("a chunk of the request is too large"));
      }
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
   * The failure behind a call that failed: on the client's side by the details where the server is
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
    if (cause instanceof GrpcServiceException e) {
      return failure(e.status().getCode(), ErrorDetails.failureName(details(e)));
    }
    if (cause instanceof StatusRuntimeException e) {
      return failure(e.getStatus(), e.getTrailers());
    }
    if (cause instanceof StatusException e) {
      return failure(e.getStatus(), e.getTrailers());
    }
    if (cause instanceof RateLimitedException limited) {
      return limited.refused().failure();
    }
    if (cause instanceof InvalidProtocolBufferException) {
      return Failure.INVALID_ARGUMENT;
    }
    return cause instanceof TimeoutException || cause instanceof EntityStreamException
        ? Failure.NOT_READY
        : Failure.INTERNAL;
  }

  private static Failure failure(Status status, @Nullable Metadata trailers) {
    byte @Nullable [] details = trailers == null ? null : trailers.get(DETAILS_KEY);
    return failure(
        status.getCode(),
        Optional.ofNullable(details)
            .flatMap(bytes -> ErrorDetails.failureName(ErrorDetails.ofStatus(bytes))));
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
