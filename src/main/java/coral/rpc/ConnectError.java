package coral.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.ListValue;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.protobuf.util.JsonFormat;
import io.grpc.Status;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.util.ByteString;

/** The Connect protocol's errors as JSON: of a unary answer, or in the end of a stream. */
final class ConnectError {
  private ConnectError() {}

  /** What a unary call is answered with. */
  static ByteString unary(GrpcServiceException exception) {
    return json(error(exception));
  }

  /** The content of the envelope that ends a stream which has not failed. */
  static ByteString streamEnd() {
    return json(Struct.getDefaultInstance());
  }

  /** The content of the envelope that ends a stream which has failed. */
  static ByteString streamEnd(GrpcServiceException exception) {
    Struct.Builder metadata = Struct.newBuilder();
    FailureStatus.texts(exception)
        .forEach(
            (name, value) ->
                metadata.putFields(
                    name,
                    Value.newBuilder()
                        .setListValue(ListValue.newBuilder().addValues(text(value)))
                        .build()));
    return json(
        Struct.newBuilder()
            .putFields("error", struct(error(exception)))
            .putFields("metadata", struct(metadata.build()))
            .build());
  }

  private static Struct error(GrpcServiceException exception) {
    Status status = exception.status();
    String description = status.getDescription() == null ? "" : status.getDescription();
    Struct.Builder error =
        Struct.newBuilder()
            .putFields("code", text(name(status.getCode())))
            .putFields("message", text(description));
    List<Any> details = FailureStatus.details(exception);
    if (!details.isEmpty()) {
      ListValue.Builder list = ListValue.newBuilder();
      details.forEach(detail -> list.addValues(struct(detail(detail))));
      error.putFields("details", Value.newBuilder().setListValue(list).build());
    }
    return error.build();
  }

  private static Struct detail(Any detail) {
    String type = detail.getTypeUrl().substring(detail.getTypeUrl().lastIndexOf('/') + 1);
    byte[] value = detail.getValue().toByteArray();
    return Struct.newBuilder()
        .putFields("type", text(type))
        .putFields("value", text(Base64.getEncoder().withoutPadding().encodeToString(value)))
        .build();
  }

  private static Value text(String text) {
    return Value.newBuilder().setStringValue(text).build();
  }

  private static Value struct(Struct struct) {
    return Value.newBuilder().setStructValue(struct).build();
  }

  private static ByteString json(Struct struct) {
    try {
      return ByteString.fromString(
          JsonFormat.printer().omittingInsignificantWhitespace().print(struct));
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError("strings are JSON", e);
    }
  }

  /** Connect's name of a code: gRPC's in lower case, but "canceled" with one l. */
  private static String name(Status.Code code) {
    return code == Status.Code.CANCELLED ? "canceled" : code.name().toLowerCase(Locale.ROOT);
  }
}
