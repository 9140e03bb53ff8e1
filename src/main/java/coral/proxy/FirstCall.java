package coral.proxy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.function.Consumer;

/**
 * The call that tells whether the colony is there, on a stream of its own. Whatever it answers, but
 * that it does not know the proxy, it is there.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class FirstCall extends ChannelInboundHandlerAdapter {
  /** Costs nothing, and everybody may call it. */
  private static final String PATH = "/coral.colony.v1.ColonyService/GetCACertificate";

  private final Runnable answered;
  private final Consumer<String> failed;
  private boolean done;

  private FirstCall(Runnable answered, Consumer<String> failed) {
    this.answered = answered;
    this.failed = failed;
  }

  /**
   * Makes the call.
   *
   * @param stream is new, and does not read by itself
   * @param failed with the reason
   */
  static void on(
      Http2StreamChannel stream, String authority, Runnable answered, Consumer<String> failed) {
    stream.pipeline().addLast(new FirstCall(answered, failed));
    Http2Headers call =
        new DefaultHttp2Headers()
            .method("POST")
            .scheme("https")
            .authority(authority)
            .path(PATH)
            .set("content-type", "application/proto")
            .set("content-length", "0");
    stream.writeAndFlush(new DefaultHttp2HeadersFrame(call, true));
    stream.read();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof Http2HeadersFrame frame && !done) {
      done = true;
      if ("401".contentEquals(String.valueOf(frame.headers().status()))) {
        failed.accept("it does not accept this proxy's certificate");
      } else {
        answered.run();
      }
    }
    ReferenceCountUtil.release(message);
    context.read();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (!done) {
      failed.accept("it did not answer a first call");
    }
  }
}
