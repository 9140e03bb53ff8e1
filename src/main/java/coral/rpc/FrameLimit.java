package coral.rpc;

import io.grpc.Status;
import java.time.Duration;
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
 * Passes the bytes of a gRPC stream through while it reads the prefix of each message: one byte
 * that says whether the message is compressed, four with its length, big-endian (the gRPC
 * protocol's Length-Prefixed-Message). A message is refused by its prefix, before any of it is
 * buffered.
 */
final class FrameLimit extends GraphStage<FlowShape<ByteString, ByteString>> {
  /** What is read and thrown away after a refusal, at most: see {@link RequestBody}. */
  private static final int MAX_DISCARDED_BYTES = 4 << 20;

  private final Inlet<ByteString> in = Inlet.create("FrameLimit.in");
  private final Outlet<ByteString> out = Outlet.create("FrameLimit.out");
  private final FlowShape<ByteString, ByteString> shape = FlowShape.of(in, out);
  private final int maxMessageBytes;

  private final Duration maxSilence;

  /**
   * A stage for one stream.
   *
   * @param maxSilence the stream fails with DEADLINE_EXCEEDED when nothing arrives for so long
   */
  FrameLimit(int maxMessageBytes, Duration maxSilence) {
    this.maxMessageBytes = maxMessageBytes;
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

  /** Refuses a body that is there as a whole unless it is one message within the limit. */
  static void check(ByteString body, int maxMessageBytes) {
    Prefixes prefixes = new Prefixes(maxMessageBytes);
    prefixes.read(body);
    prefixes.requireWhole();
    if (prefixes.messages != 1) {
      throw new GrpcServiceException(
          Status.INVALID_ARGUMENT.withDescription("the request is not one message"));
    }
  }

  /** Where in the sequence of prefixes and messages the bytes have got to. */
  private static final class Prefixes {
    private final int maxMessageBytes;
    private int prefixRead;
    private long length;
    private long left;
    private long messages;

    Prefixes(int maxMessageBytes) {
      this.maxMessageBytes = maxMessageBytes;
    }

    void read(ByteString bytes) {
      int position = 0;
      while (position < bytes.size()) {
        if (left > 0) {
          int skipped = (int) Math.min(left, bytes.size() - position);
          left -= skipped;
          position += skipped;
        } else {
          prefix(bytes.apply(position++) & 0xff);
        }
      }
    }

    private void prefix(int octet) {
      if (prefixRead == 0) {
        if (octet != 0) {
          throw new GrpcServiceException(
              Status.UNIMPLEMENTED.withDescription("compressed messages are not accepted"));
        }
        length = 0;
      } else {
        length = length << 8 | octet;
      }
      prefixRead++;
      if (prefixRead == Envelope.PREFIX_LENGTH) {
        if (length > maxMessageBytes) {
          throw RequestBody.tooLarge(maxMessageBytes);
        }
        left = length;
        prefixRead = 0;
        messages++;
      }
    }

    /** Refuses an end within a prefix or a message. */
    void requireWhole() {
      if (left > 0 || prefixRead > 0) {
        throw new GrpcServiceException(
            Status.INVALID_ARGUMENT.withDescription("the request ends within a message"));
      }
    }
  }

  private final class Logic extends TimerGraphStageLogic {
    private final Prefixes prefixes = new Prefixes(maxMessageBytes);
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
              end();
            }
          });
      setHandler(
          out,
          new AbstractOutHandler() {
            @Override
            public void onPull() {
              pull(in);
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
      try {
        prefixes.read(bytes);
      } catch (GrpcServiceException e) {
        refuse(e);
        discard(bytes);
        return;
      }
      push(out, bytes);
    }

    private void end() {
      try {
        if (!refused) {
          prefixes.requireWhole();
        }
        completeStage();
      } catch (GrpcServiceException e) {
        failStage(e);
      }
    }

    private void refuse(GrpcServiceException reason) {
      refused = true;
      fail(out, reason);
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
