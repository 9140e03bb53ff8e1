package coral.rpc;

import io.grpc.Status;
import java.util.Optional;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.HttpHeader;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/** What the head of a request says about the call, in the words of each protocol. */
enum CallHeaders {
  GRPC("grpc-encoding", "grpc-accept-encoding"),
  CONNECT_UNARY("content-encoding", "accept-encoding"),
  CONNECT_STREAM("connect-content-encoding", "connect-accept-encoding");

  private final String encoding;
  private final String acceptEncoding;

  CallHeaders(String encoding, String acceptEncoding) {
    this.encoding = encoding;
    this.acceptEncoding = acceptEncoding;
  }

  /**
   * How the request's messages are compressed.
   *
   * @throws GrpcServiceException UNIMPLEMENTED if it is not accepted
   */
  Compression compression(HttpRequest request) {
    return compression(header(request, encoding));
  }

  /** The compression of this name. */
  Compression compression(Optional<String> name) {
    return Compression.named(name, acceptEncoding);
  }

  /**
   * Until when the caller waits.
   *
   * @throws GrpcServiceException INVALID_ARGUMENT if that is malformed
   */
  Deadline deadline(HttpRequest request) {
    return this == GRPC ? Deadline.ofGrpc(request) : Deadline.ofConnect(request);
  }

  /**
   * Refuses a version of the protocol that there is not; gRPC has none.
   *
   * @throws GrpcServiceException INVALID_ARGUMENT
   */
  void requireVersion(HttpRequest request) {
    boolean known =
        this == GRPC || header(request, "connect-protocol-version").orElse("1").equals("1");
    if (!known) {
      throw new GrpcServiceException(
          Status.INVALID_ARGUMENT.withDescription("connect-protocol-version is 1"));
    }
  }

  private static Optional<String> header(HttpRequest request, String name) {
    return request.getHeader(name).map(HttpHeader::value);
  }
}
