package coral.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a client reads of a {@link ConnectError}. Apart from it, because a command shall not load
 * the server's classes.
 */
final class ConnectRefusal {
  private ConnectRefusal() {}

  /**
   * The refusal that a unary call was answered with.
   *
   * @param error the body of the answer
   * @param retryAfter the header {@value FailureStatus#RETRY_AFTER}
   */
  static RpcException ofUnary(Struct error, Optional<String> retryAfter) {
    Status.Code code = code(string(error, "code"));
    return new RpcException(
        RpcException.Reason.REFUSED,
        code,
        FailureStatus.failure(code, ErrorDetails.failureName(details(error))),
        retryAfter.flatMap(FailureStatus::seconds),
        string(error, "message"),
        null);
  }

  /** The refusal that a stream ends with; empty if it has not failed. */
  static Optional<RpcException> ofStream(Struct end) {
    if (!end.containsFields("error")) {
      return Optional.empty();
    }
    Struct metadata =
        end.getFieldsOrDefault("metadata", Value.getDefaultInstance()).getStructValue();
    return Optional.of(
        ofUnary(
            end.getFieldsOrThrow("error").getStructValue(),
            first(metadata, FailureStatus.RETRY_AFTER)));
  }

  private static List<Any> details(Struct error) {
    List<Any> details = new ArrayList<>();
    for (Value detail :
        error
            .getFieldsOrDefault("details", Value.getDefaultInstance())
            .getListValue()
            .getValuesList()) {
      try {
        byte[] value = Base64.getDecoder().decode(string(detail.getStructValue(), "value"));
        details.add(
            Any.newBuilder()
                .setTypeUrl("type.googleapis.com/" + string(detail.getStructValue(), "type"))
                .setValue(ByteString.copyFrom(value))
                .build());
      } catch (IllegalArgumentException e) {
        // Not base64: what another server may write is ignored.
      }
    }
    return details;
  }

  private static Optional<String> first(Struct metadata, String name) {
    List<Value> values =
        metadata
            .getFieldsOrDefault(name, Value.getDefaultInstance())
            .getListValue()
            .getValuesList();
    return values.stream().map(Value::getStringValue).findFirst();
  }

  private static String string(Struct struct, String field) {
    return struct.getFieldsOrDefault(field, Value.getDefaultInstance()).getStringValue();
  }

  private static Status.Code code(String connectName) {
    if (connectName.equals("canceled")) {
      return Status.Code.CANCELLED; // Connect spells it with one l
    }
    try {
      return Status.Code.valueOf(connectName.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException e) {
      return Status.Code.UNKNOWN;
    }
  }
}
