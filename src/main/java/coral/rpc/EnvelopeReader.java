package coral.rpc;

import io.grpc.Status;
import java.util.Optional;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.util.ByteString;

/**
 * Reads the messages of a request out of their envelopes, plain and within a limit. A message is
 * refused by its prefix, before any more of it is kept.
 */
final class EnvelopeReader {
  private static final int COMPRESSED = 1;

  private final int maxMessageBytes;
  private final Compression compression;
  private ByteString unread = ByteString.emptyByteString();

  /**
   * A reader of one request.
   *
   * @param maxMessageBytes of each message, as it comes and inflated
   */
  EnvelopeReader(int maxMessageBytes, Compression compression) {
    this.maxMessageBytes = maxMessageBytes;
    this.compression = compression;
  }

  /**
   * The message of a body that is there as a whole.
   *
   * @throws GrpcServiceException if it is not exactly one
   */
  static ByteString only(ByteString body, int maxMessageBytes, Compression compression) {
    EnvelopeReader reader = new EnvelopeReader(maxMessageBytes, compression);
    reader.add(body);
    Optional<ByteString> message = reader.next();
    if (message.isEmpty() || !reader.unread.isEmpty()) {
      throw invalid("the request is not one message");
    }
    return message.get();
  }

  /** Takes what has arrived. */
  void add(ByteString bytes) {
    unread = unread.concat(bytes);
  }

  /**
   * The next message, inflated; empty if it has not arrived as a whole.
   *
   * @throws GrpcServiceException RESOURCE_EXHAUSTED if it is too large; INTERNAL if it is
   *     compressed and the request does not say how (gRPC, "Compression"); INVALID_ARGUMENT for
   *     flags that a message does not have
   */
  Optional<ByteString> next() {
    if (unread.isEmpty()) {
      return Optional.empty();
    }
    int flags = unread.apply(0) & 0xff;
    if (flags > COMPRESSED) {
      throw invalid("a message cannot have the flags " + flags);
    }
    if (flags == COMPRESSED && compression == Compression.IDENTITY) {
      throw new GrpcServiceException(
          Status.INTERNAL.withDescription("the request does not say how it is compressed"));
    }
    if (unread.size() < Envelope.PREFIX_LENGTH) {
      return Optional.empty();
    }
    long length =
        Integer.toUnsignedLong(unread.slice(1, Envelope.PREFIX_LENGTH).asByteBuffer().getInt());
    if (length > maxMessageBytes) {
      throw RequestBody.tooLarge(maxMessageBytes);
    }
    int end = Envelope.PREFIX_LENGTH + (int) length;
    if (unread.size() < end) {
      return Optional.empty();
    }
    ByteString content = unread.slice(Envelope.PREFIX_LENGTH, end);
    unread = unread.drop(end);
    return Optional.of(
        flags == COMPRESSED ? compression.inflate(content, maxMessageBytes) : content);
  }

  /** Refuses an end within a prefix or a message. */
  void requireWhole() {
    if (!unread.isEmpty()) {
      throw invalid("the request ends within a message");
    }
  }

  private static GrpcServiceException invalid(String why) {
    return new GrpcServiceException(Status.INVALID_ARGUMENT.withDescription(why));
  }
}
