package coral.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import coral.model.Refused;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What an error says to programs, beside its code and its message: as gRPC and Connect carry it, in
 * messages of {@code google.rpc}.
 */
final class ErrorDetails {
  /** In whose names of failures {@code ErrorInfo} speaks. */
  private static final String DOMAIN = "coral";

  private ErrorDetails() {}

  /** Which failure it is. */
  static Any failure(Refused refused) {
    return Any.pack(
        ErrorInfo.newBuilder().setReason(refused.failure().name()).setDomain(DOMAIN).build());
  }

  /** When the call may be made again. */
  static Any retry(Duration delay) {
    return Any.pack(
        RetryInfo.newBuilder()
            .setRetryDelay(
                com.google.protobuf.Duration.newBuilder()
                    .setSeconds(delay.getSeconds())
                    .setNanos(delay.getNano()))
            .build());
  }

  /** The name of the failure; empty if the details are not of a server of ours. */
  static Optional<String> failureName(List<Any> details) {
    for (Any detail : details) {
      if (detail.is(ErrorInfo.class)) {
        try {
          ErrorInfo info = detail.unpack(ErrorInfo.class);
          if (info.getDomain().equals(DOMAIN)) {
            return Optional.of(info.getReason());
          }
        } catch (InvalidProtocolBufferException e) {
          // What another server may write is ignored.
        }
      }
    }
    return Optional.empty();
  }

  /** The details in a {@code google.rpc.Status}; none if it is malformed. */
  static List<Any> ofStatus(byte[] status) {
    try {
      return com.google.rpc.Status.parseFrom(status).getDetailsList();
    } catch (InvalidProtocolBufferException e) {
      return List.of();
    }
  }
}
