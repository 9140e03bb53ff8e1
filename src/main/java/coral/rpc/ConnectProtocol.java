package coral.rpc;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.Status;
import java.util.Optional;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.StatusCode;
import org.apache.pekko.http.javadsl.model.StatusCodes;
import org.apache.pekko.util.ByteString;

/** Messages and errors of the Connect protocol, in protobuf or JSON. */
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

  /** Nobody has registered it, and Pekko does not know it. */
  private static final StatusCode CANCELLED =
      StatusCodes.custom(499, "Client Closed Request", "The request broke off.");

  private static final String UNARY = "application/";
  private static final String STREAM = "application/connect+";
  private static final ContentType PROTOBUF_TYPE = ContentTypes.parse(UNARY + "proto");
  private static final ContentType PROTOBUF_STREAM_TYPE = ContentTypes.parse(STREAM + "proto");
  private static final ContentType JSON_STREAM_TYPE = ContentTypes.parse(STREAM + "json");

  abstract Message parse(ByteString body, Message prototype) throws InvalidProtocolBufferException;

  abstract ByteString print(Message message) throws InvalidProtocolBufferException;

  /** The form of a unary request by its media type; empty if it is none. */
  static Optional<ConnectProtocol> ofUnary(String mediaType) {
    return ofType(mediaType, UNARY);
  }

  /** The form of a streaming request by its media type; empty if it is none. */
  static Optional<ConnectProtocol> ofStream(String mediaType) {
    return ofType(mediaType, STREAM);
  }

  private static Optional<ConnectProtocol> ofType(String mediaType, String prefix) {
    return mediaType.startsWith(prefix)
        ? ofName(mediaType.substring(prefix.length()))
        : Optional.empty();
  }

  /** The form by the name that the protocol has for it. */
  static Optional<ConnectProtocol> ofName(String codec) {
    return switch (codec) {
      case "proto" -> Optional.of(PROTOBUF);
      case "json" -> Optional.of(JSON);
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

  ContentType streamType() {
    return this == JSON ? JSON_STREAM_TYPE : PROTOBUF_STREAM_TYPE;
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
    HttpResponse response =
        HttpResponse.create()
            .withStatus(
                httpStatus == CANCELLED.intValue() ? CANCELLED : StatusCodes.get(httpStatus))
            .withEntity(ContentTypes.APPLICATION_JSON, ConnectError.unary(exception));
    return FailureStatus.with(FailureStatus.texts(exception), response);
  }

  /** The Connect protocol's table of error codes and HTTP statuses. */
  private static int httpStatus(Status.Code code) {
    return switch (code) {
      case CANCELLED -> CANCELLED.intValue();
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
