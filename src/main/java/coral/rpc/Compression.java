package coral.rpc;

import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.grpc.javadsl.MetadataBuilder;
import org.apache.pekko.util.ByteString;

/**
 * How the messages of a request may be compressed. Answers never are: they are small, and some
 * stand beside secrets, which a compressed length would tell of.
 */
enum Compression {
  IDENTITY {
    @Override
    ByteString inflate(ByteString message, int maxBytes) {
      if (message.size() > maxBytes) {
        throw RequestBody.tooLarge(maxBytes);
      }
      return message;
    }
  },
  GZIP {
    @Override
    ByteString inflate(ByteString message, int maxBytes) {
      if (message.isEmpty()) {
        return message; // nothing need not be compressed
      }
      byte[] plain;
      try (GZIPInputStream in =
          new GZIPInputStream(new ByteArrayInputStream(message.toArrayUnsafe()))) {
        plain = in.readNBytes(maxBytes + 1);
      } catch (IOException e) {
        throw new GrpcServiceException(
            Status.INVALID_ARGUMENT.withDescription("the message is not compressed with gzip"));
      }
      if (plain.length > maxBytes) {
        throw RequestBody.tooLarge(maxBytes);
      }
      return ByteString.fromArrayUnsafe(plain);
    }
  };

  private static final String ACCEPTED = "gzip, identity";

  /**
   * The plain message.
   *
   * @param maxBytes that it may have; no more is inflated than one byte beyond
   * @throws GrpcServiceException RESOURCE_EXHAUSTED beyond the limit, INVALID_ARGUMENT if it is not
   *     compressed like this
   */
  abstract ByteString inflate(ByteString message, int maxBytes);

  /**
   * The compression that a request names.
   *
   * @param acceptHeader says in a refusal what would be accepted
   * @throws GrpcServiceException UNIMPLEMENTED for any other
   */
  static Compression named(Optional<String> name, String acceptHeader) {
    return switch (name.orElse("")) {
      case "", "identity" -> IDENTITY;
      case "gzip" -> GZIP;
      default ->
          throw new GrpcServiceException(
              Status.UNIMPLEMENTED.withDescription(
                  "messages may be compressed with gzip, and with nothing else"),
              new MetadataBuilder().addText(acceptHeader, ACCEPTED).build());
    };
  }
}
