package coral.proxy;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.DefaultHttp2PingFrame;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks the other side of a connection that is quiet for a sign of life: a tunnel that carries
 * nothing any more does not tell. Added to a connection that is up. On the event loop alone.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class SignsOfLife extends ChannelInboundHandlerAdapter {
  private final Duration quiet;
  private final Consumer<String> silent;
  private @Nullable Future<?> watch;
  private boolean asked;
  private long lastRead;

  /**
   * @param quiet until it is asked; after three times as long it is given up
   * @param silent is told then, with the reason
   */
  SignsOfLife(Duration quiet, Consumer<String> silent) {
    this.quiet = quiet;
    this.silent = silent;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    lastRead = System.nanoTime();
    long period = quiet.toNanos();
    watch =
        context
            .executor()
            .scheduleWithFixedDelay(() -> look(context), period, period, TimeUnit.NANOSECONDS);
  }

  private void look(ChannelHandlerContext context) {
    long silence = System.nanoTime() - lastRead;
    if (asked && silence >= 3 * quiet.toNanos()) {
      silent.accept(
          "it has not answered for " + TimeUnit.NANOSECONDS.toMillis(silence) / 1000.0 + " s");
    } else if (silence >= quiet.toNanos()) {
      asked = true;
      context.writeAndFlush(new DefaultHttp2PingFrame(0));
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    lastRead = System.nanoTime();
    asked = false;
    context.fireChannelReadComplete();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (watch != null) {
      watch.cancel(false);
    }
    context.fireChannelInactive();
  }
}
