package coral.rpc;

import com.google.protobuf.Message;
import coral.model.RefusedException;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.settings.ServerSettings;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** What every protocol does alike with a call: who makes it, what it may weigh, who hears of it. */
final class Calls {
  /**
   * How much earlier a call without an answer is given up than its HTTP request: by then it shall
   * have had an answer in the words of its protocol.
   */
  private static final Duration BEFORE_HTTP = Duration.ofSeconds(5);

  private final ClassicActorSystemProvider system;
  private final Admission admission;
  private final Map<String, Integer> limits;
  private final Duration streamIdle;
  private final CallListener listener;
  private final Duration longestAnswer;

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
    this.longestAnswer =
        Duration.ofMillis(
                ServerSettings.create(system.classicSystem())
                    .getTimeouts()
                    .requestTimeout()
                    .toMillis())
            .minus(BEFORE_HTTP);
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

  /** A call that may be made. */
  record Admitted(Caller caller, Deadline deadline, Compression compression) {}

  /** The call, if the caller may make it; otherwise its request is not read any further. */
  CompletionStage<Admitted> admitted(
      ServedMethod<?> method, HttpRequest request, CallHeaders headers) {
    try {
      Caller caller = admission.admit(method.rpc(), request);
      headers.requireVersion(request);
      Deadline asked = headers.deadline(request);
      Deadline deadline = method.answersStream() ? asked : asked.atMost(longestAnswer);
      deadline.requireLeft();
      return CompletableFuture.completedFuture(
          new Admitted(caller, deadline, headers.compression(request)));
    } catch (GrpcServiceException | RefusedException e) {
      RequestBody.discard(request.entity(), system);
      return CompletableFuture.failedFuture(e);
    }
  }

  /**
   * Refuses as a unary call what takes a stream.
   *
   * @throws GrpcServiceException UNIMPLEMENTED
   */
  void requireOneMessage(ServedMethod<?> method, HttpRequest request) {
    if (method.takesStream()) {
      RequestBody.discard(request.entity(), system);
      throw unimplemented(method.rpc() + " takes a stream");
    }
  }

  /** The answers to messages that come in envelopes: one, or a stream of them. */
  CompletionStage<Source<Message, ?>> answers(
      ConnectProtocol form, ServedMethod<?> method, Admitted admitted, HttpRequest request) {
    int limit = limit(method);
    if (method.takesStream()) {
      Source<Message, NotUsed> messages =
          request
              .entity()
              .withoutSizeLimit()
              .getDataBytes()
              .via(new FrameLimit(limit, admitted.compression(), streamIdle))
              .map(frame -> form.request(frame.drop(Envelope.PREFIX_LENGTH), method.request()))
              .mapMaterializedValue(materialized -> NotUsed.getInstance());
      return completed(method.answers(admitted.caller(), admitted.deadline(), messages, system));
    }
    return body(request, limit + Envelope.PREFIX_LENGTH, admitted.deadline())
        .thenApply(
            body -> {
              ByteString message = EnvelopeReader.only(body, limit, admitted.compression());
              return method.answers(
                  admitted.caller(),
                  admitted.deadline(),
                  form.request(message, method.request()),
                  system);
            });
  }

  /** The whole body of a request, if it arrives in time. */
  CompletionStage<ByteString> body(HttpRequest request, int maxBytes, Deadline deadline) {
    return deadline.limit(RequestBody.collect(request.entity(), maxBytes, system), system);
  }

  static <T> CompletionStage<T> completed(T value) {
    return CompletableFuture.completedFuture(value);
  }

  static GrpcServiceException unimplemented(String message) {
    return new GrpcServiceException(Status.UNIMPLEMENTED.withDescription(message));
  }
}
