package coral.rpc;

import coral.model.RefusedException;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.HttpRequest;

/** What every protocol does alike with a call: who makes it, what it may weigh, who hears of it. */
final class Calls {
  private final ClassicActorSystemProvider system;
  private final Admission admission;
  private final Map<String, Integer> limits;
  private final Duration streamIdle;
  private final CallListener listener;

  /**
   * @param limits in bytes, of those methods that have smaller ones than all
   * @param streamIdle client streams end on which nothing arrives for so long
   */
  Calls(
      ClassicActorSystemProvider system,
      Admission admission,
      Map<String, Integer> limits,
      Duration streamIdle,
      CallListener listener) {
    this.system = system;
    this.admission = admission;
    this.limits = Map.copyOf(limits);
    this.streamIdle = streamIdle;
    this.listener = listener;
  }

  ClassicActorSystemProvider system() {
    return system;
  }

  Duration streamIdle() {
    return streamIdle;
  }

  /** The bytes that one message may have. */
  int limit(ServedMethod<?> method) {
    return limits.getOrDefault(
        method.rpc(),
        method.takesStream() ? RpcServer.MAX_STREAM_MESSAGE_BYTES : RpcServer.MAX_REQUEST_BYTES);
  }

  /** A call has come; its outcome is to be told. */
  CallOutcome begin(ServedMethod<?> method) {
    return new CallOutcome(listener, method.rpc());
  }

  /**
   * The caller, if it may call this; otherwise its request is not read any further.
   *
   * @param encodingHeader names the compression of messages in this protocol
   */
  CompletionStage<Caller> admitted(
      ServedMethod<?> method, HttpRequest request, String encodingHeader) {
    try {
      refuseEncoding(request, encodingHeader);
      return CompletableFuture.completedFuture(admission.admit(method.rpc(), request));
    } catch (GrpcServiceException | RefusedException e) {
      RequestBody.discard(request.entity(), system);
      return CompletableFuture.failedFuture(e);
    }
  }

  /** Compression is refused: a message of 40 KB can inflate to 40 MB before any limit sees it. */
  private static void refuseEncoding(HttpRequest request, String header) {
    boolean encoded =
        request.getHeader(header).map(h -> !h.value().equals("identity")).orElse(false);
    if (encoded) {
      throw unimplemented("compressed requests are not accepted");
    }
  }

  static GrpcServiceException unimplemented(String message) {
    return new GrpcServiceException(Status.UNIMPLEMENTED.withDescription(message));
  }
}
