package coral.rpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import io.grpc.Status;
import java.util.Locale;
import java.util.Optional;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.util.ByteString;

/** Messages and errors of the Connect protocol's unary calls, in protobuf or JSON. */
enum ConnectProtocol {
  PROTOBUF {
    @Override
    Message parse(ByteString body, Message prototype) throws InvalidProtocolBufferException {
      return prototype.getParserForType().parseFrom(body.toArrayUnsafe());
    }

    @Override
    ByteString print(Message message) {
      return ByteString.fromArrayUnsafe(message.toByteArray());
    }
  },
  JSON {
    @Override
    Message parse(ByteString body, Message prototype) throws InvalidProtocolBufferException {
      Message.Builder builder = prototype.newBuilderForType();
      JsonFormat.parser().ignoringUnknownFields().merge(body.utf8String(), builder);
      return builder.build();
    }

    @Override
    ByteString print(Message message) throws InvalidProtocolBufferException {
      return ByteString.fromString(
          JsonFormat.printer().omittingInsignificantWhitespace().print(message));
    }
  };

  private static final ContentType PROTOBUF_TYPE = ContentTypes.parse("application/proto");

  abstract Message parse(ByteString body, Message prototype) throws InvalidProtocolBufferException;

  abstract ByteString print(Message message) throws InvalidProtocolBufferException;

  /** The form of a request by its media type; empty if the request is not Connect's. */
  static Optional<ConnectProtocol> of(String mediaType) {
    return switch (mediaType) {
      case "application/proto" -> Optional.of(PROTOBUF);
      case "application/json" -> Optional.of(JSON);
      default -> Optional.empty();
    };
  }

  /** The request's message. */
  Message request(ByteString body, Message prototype) {
    try {
      return parse(body, prototype);
    } catch (InvalidProtocolBufferException e) {
      // Not the parser's words: they quote the request, which may hold a secret.
      throw new GrpcServiceException(
          Status.INVALID_ARGUMENT.withDescription(
              "the body is not a " + prototype.getDescriptorForType().getFullName()));
    }
  }

  private ContentType contentType() {
    return this == JSON ? ContentTypes.APPLICATION_JSON : PROTOBUF_TYPE;
  }

  HttpResponse response(Message message) {
    try {
      return HttpResponse.create().withEntity(HttpEntities.create(contentType(), print(message)));
    } catch (InvalidProtocolBufferException e) {
      return error(FailureStatus.exception(e));
    }
  }

  /** An error is JSON whatever the form of the request. */
  static HttpResponse error(GrpcServiceException exception) {
    Status.Code code = exception.status().getCode();
    return error(exception, httpStatus(code));
  }

  static HttpResponse error(GrpcServiceException exception, int httpStatus) {
    Status status = exception.status();
    String description = status.getDescription() == null ? "" : status.getDescription();
    Struct error =
        Struct.newBuilder()
            .putFields("code", text(name(status.getCode())))
            .putFields("message", text(description))
            .build();
    HttpResponse response =
        HttpResponse.create()
            .withStatus(StatusCodes.get(httpStatus))
            .withEntity(ContentTypes.APPLICATION_JSON, json(error));
    return FailureStatus.withTrailers(response, exception);
  }

  private static ByteString json(Struct struct) {
    try {
      return JSON.print(struct);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError("two strings are JSON", e);
    }
  }

  private static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }

  /** Connect's name of a code: gRPC's in lower case, but "canceled" with one l. */
  private static String name(Status.Code code) {
    return code == Status.Code.CANCELLED ? "canceled" : code.name().toLowerCase(Locale.ROOT);
  }

  /** The Connect protocol's table of error codes and HTTP statuses. */
  private static int httpStatus(Status.Code code) {
    return switch (code) {
      case CANCELLED -> 499;
      case INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE -> 400;
      case UNAUTHENTICATED -> 401;
      case PERMISSION_DENIED -> 403;
      case NOT_FOUND -> 404;
      case ALREADY_EXISTS, ABORTED -> 409;
      case RESOURCE_EXHAUSTED -> 429;
      case UNIMPLEMENTED -> 501;
      case UNAVAILABLE -> 503;
      case DEADLINE_EXCEEDED -> 504;
      case OK, UNKNOWN, INTERNAL, DATA_LOSS -> 500;
    };
  }
}
