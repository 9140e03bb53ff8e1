package coral.rpc;

import com.google.protobuf.ByteString;
import java.net.InetAddress;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * What plain HTTP serves at one path beside the rpcs, for readers that speak neither gRPC nor
 * Connect: a key set, a revocation list, an OCSP answer.
 *
 * @param contentType such as {@code application/json}
 * @param maxAge for how long it may be cached (RFC 9111, {@code max-age}); zero forbids storing
 */
public record HttpDocument(String contentType, ByteString content, Duration maxAge) {
  /** Makes the document for each request that asks for it. */
  @FunctionalInterface
  public interface Source {
    /**
     * Answers one request.
     *
     * @param remote where the request comes from, for limits
     * @param body of a POST; empty for a GET
     * @return may fail with a {@link coral.model.RefusedException}, which becomes an HTTP status
     */
    CompletionStage<HttpDocument> answer(InetAddress remote, ByteString body);
  }
}
