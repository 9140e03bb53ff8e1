package coral.rpc;

import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.FlowShape;
import org.apache.pekko.stream.Inlet;
import org.apache.pekko.stream.Outlet;
import org.apache.pekko.stream.stage.AbstractInHandler;
import org.apache.pekko.stream.stage.AbstractOutHandler;
import org.apache.pekko.stream.stage.GraphStage;
import org.apache.pekko.stream.stage.GraphStageLogic;
import org.apache.pekko.stream.stage.TimerGraphStageLogic;
import org.apache.pekko.util.ByteString;

/**
 * Passes the messages of a gRPC stream on, each whole and plain in an envelope of its own, as they
 * are asked for: of what is compressed no more than one is inflated at a time.
 */
final class FrameLimit extends GraphStage<FlowShape<ByteString, ByteString>> {
  /** What is read and thrown away after a refusal, at most: see {@link RequestBody}. */
  private static final int MAX_DISCARDED_BYTES = 4 << 20;

  private final Inlet<ByteString> in = Inlet.create("FrameLimit.in");
  private final Outlet<ByteString> out = Outlet.create("FrameLimit.out");
  private final FlowShape<ByteString, ByteString> shape = FlowShape.of(in, out);
  private final int maxMessageBytes;
  private final Compression compression;
  private final Duration maxSilence;

  /**
   * A stage for one stream.
   *
   * @param maxSilence the stream fails with DEADLINE_EXCEEDED when nothing arrives for so long
   */
  FrameLimit(int maxMessageBytes, Compression compression, Duration maxSilence) {
    this.maxMessageBytes = maxMessageBytes;
    this.compression = compression;
    this.maxSilence = maxSilence;
  }

  @Override
  public FlowShape<ByteString, ByteString> shape() {
    return shape;
  }

  @Override
  public GraphStageLogic createLogic(Attributes attributes) {
    return new Logic();
  }

  private final class Logic extends TimerGraphStageLogic {
    private final EnvelopeReader messages = new EnvelopeReader(maxMessageBytes, compression);
    private boolean heard = true;
    private boolean refused;
    private long discarded;

    Logic() {
      super(shape);
      setHandler(
          in,
          new AbstractInHandler() {
            @Override
            public void onPush() {
              take(grab(in));
            }

            @Override
            public void onUpstreamFinish() {
              if (refused) {
                completeStage();
              } else if (isAvailable(out)) {
                next();
              }
              // else what has arrived is still to be asked for
            }
          });
      setHandler(
          out,
          new AbstractOutHandler() {
            @Override
            public void onPull() {
              next();
            }

            @Override
            public void onDownstreamFinish(Throwable cause) throws Exception {
              if (!refused) {
                super.onDownstreamFinish(cause);
              }
            }
          });
    }

    @Override
    public void preStart() {
      scheduleWithFixedDelay("silence", maxSilence, maxSilence);
    }

    /** Ends the stream after one to two periods of silence; no timer is set for each message. */
    @Override
    public void onTimer(Object key) {
      if (refused) {
        completeStage();
      } else if (heard || !hasBeenPulled(in)) {
        heard = false; // not asking is not silence of the peer
      } else {
        refuse(
            new GrpcServiceException(
                Status.DEADLINE_EXCEEDED.withDescription(
                    "nothing arrived on the stream for " + maxSilence.toSeconds() + " s")));
      }
    }

    private void take(ByteString bytes) {
      heard = true;
      if (refused) {
        discard(bytes);
        return;
      }
      messages.add(bytes);
      next();
    }

    /** Hands out what has been asked for, or asks for what is missing of it. */
    private void next() {
      try {
        Optional<ByteString> message = messages.next();
        if (message.isPresent()) {
          push(out, Envelope.of(Envelope.MESSAGE, message.get()));
        } else if (isClosed(in)) {
          messages.requireWhole();
          completeStage();
        } else {
          pull(in);
        }
      } catch (GrpcServiceException e) {
        refuse(e);
      }
    }

    private void refuse(GrpcServiceException reason) {
      refused = true;
      if (isClosed(in)) {
        failStage(reason);
        return;
      }
      fail(out, reason);
      if (!hasBeenPulled(in)) {
        pull(in);
      }
    }

    private void discard(ByteString bytes) {
      discarded += bytes.size();
      if (discarded > MAX_DISCARDED_BYTES) {
        completeStage();
      } else {
        pull(in);
      }
    }
  }
}
