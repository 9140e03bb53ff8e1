package coral.rpc;

import io.grpc.Status;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.HttpEntity;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.RequestEntity;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.SinkShape;
import org.apache.pekko.stream.stage.AbstractGraphStageWithMaterializedValue;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;

/**
 * Collects a request of bounded size. A request that is too large fails at once, and what still
 * comes is thrown away for a while before the stream is cancelled: cancelling resets an HTTP/2
 * stream, and the client would see the reset in place of the status.
 */
final class RequestBody
    extends AbstractGraphStageWithMaterializedValue<
        SinkShape<ByteString>, CompletionStage<ByteString>> {
  /** What is read and thrown away after a refusal, at most. */
  private static final int MAX_DISCARDED_BYTES = 4 << 20;

  /** A request within the limits takes milliseconds; this ends one that trickles in. */
  static final Duration MAX_DURATION = Duration.ofSeconds(30);

  private final Inlet<ByteString> in = Inlet.create("RequestBody.in");
  private final SinkShape<ByteString> shape = SinkShape.of(in);
  private final int maxBytes;

  private RequestBody(int maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * The whole body.
   *
   * @return fails with RESOURCE_EXHAUSTED beyond {@code maxBytes}, DEADLINE_EXCEEDED after {@link
   *     #MAX_DURATION}
   */
  static CompletionStage<ByteString> collect(
      RequestEntity entity, int maxBytes, ClassicActorSystemProvider system) {
    if (entity instanceof HttpEntity.Strict strict) {
      ByteString data = strict.getData();
      return data.size() > maxBytes
          ? CompletableFuture.failedFuture(tooLarge(maxBytes))
          : CompletableFuture.completedFuture(data);
    }
    return entity.withoutSizeLimit().getDataBytes().runWith(new RequestBody(maxBytes), system);
  }

  /** Reads a body that nobody wants, so that the refusal reaches the client. */
  static void discard(RequestEntity entity, ClassicActorSystemProvider system) {
    CompletionStage<ByteString> unwanted = collect(entity, 0, system);
    unwanted.exceptionally(tooLarge -> ByteString.emptyByteString());
  }

  /** {@link #discard}, with what is answered instead. */
  static CompletionStage<HttpResponse> refuse(
      RequestEntity entity, HttpResponse refusal, ClassicActorSystemProvider system) {
    discard(entity, system);
    return CompletableFuture.completedFuture(refusal);
  }

  static GrpcServiceException tooLarge(int maxBytes) {
    return new GrpcServiceException(
        Status.RESOURCE_EXHAUSTED.withDescription(
            "the message is larger than the " + maxBytes + " bytes that are accepted"));
  }

  @Override
  public SinkShape<ByteString> shape() {
    return shape;
  }

  @Override
  public Pair<GraphStageLogic, CompletionStage<ByteString>> createLogicAndMaterializedValuePair(
      Attributes attributes) {
    CompletableFuture<ByteString> body = new CompletableFuture<>();
    return Pair.create(new Logic(body), body);
  }

  private final class Logic extends TimerGraphStageLogic {
    private final CompletableFuture<ByteString> body;
    private ByteString collected = ByteString.emptyByteString();
    private long discarded;

    Logic(CompletableFuture<ByteString> body) {
      super(shape);
      this.body = body;
      setHandler(
          in,
          new AbstractInHandler() {
            @Override
            public void onPush() {
              take(grab(in));
            }

            @Override
            public void onUpstreamFinish() {
              body.complete(collected);
              completeStage();
            }

            @Override
            public void onUpstreamFailure(Throwable cause) {
              body.completeExceptionally(cause);
              failStage(cause);
            }
          });
    }

    @Override
    public void preStart() {
      scheduleOnce("deadline", MAX_DURATION);
      pull(in);
    }

    @Override
    public void onTimer(Object key) {
      body.completeExceptionally(
          new GrpcServiceException(
              Status.DEADLINE_EXCEEDED.withDescription("the request took too long to arrive")));
      completeStage();
    }

    @Override
    public void postStop() {
      body.completeExceptionally(
          new GrpcServiceException(Status.CANCELLED.withDescription("the request broke off")));
    }

    private void take(ByteString bytes) {
      if (body.isDone()) {
        discarded += bytes.size();
      } else if (collected.size() + bytes.size() > maxBytes) {
        collected = ByteString.emptyByteString();
        discarded = bytes.size();
        body.completeExceptionally(tooLarge(maxBytes));
      } else {
        collected = collected.concat(bytes);
      }
      if (discarded > MAX_DISCARDED_BYTES) {
        completeStage();
      } else {
        pull(in);
      }
    }
  }
}
