package coral.colony;

import com.google.protobuf.Timestamp;
import coral.certificate.SerialNumbers;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;

/** Values in the form of messages. */
final class Protobuf {
  private Protobuf() {}

  static com.google.protobuf.Duration duration(Duration duration) {
    return com.google.protobuf.Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  static Duration duration(com.google.protobuf.Duration duration) {
    return Duration.ofSeconds(duration.getSeconds(), duration.getNanos());
  }

  static Timestamp timestamp(Instant instant) {
    return Timestamp.newBuilder()
        .setSeconds(instant.getEpochSecond())
        .setNanos(instant.getNano())
        .build();
  }

  static Instant instant(Timestamp timestamp) {
    return Instant.ofEpochSecond(timestamp.getSeconds(), timestamp.getNanos());
  }

  static String serial(X509Certificate certificate) {
    return SerialNumbers.hex(certificate.getSerialNumber());
  }
}
