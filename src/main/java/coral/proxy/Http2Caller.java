package coral.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/** A caller's request over HTTP/2: the handler of one stream, which is read on demand alone. */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class Http2Caller extends ChannelInboundHandlerAdapter implements CallerStream {
  /** Of a request that has been answered, so much may still come before the caller is stopped. */
  private static final int MAX_DISCARDED = 64 << 10;

  private final Forwarder forwarder;
  private final CallerConnection connection;
  private final Channel stream;
  private @Nullable Exchange exchange;
  private boolean requestEnded;
  private boolean answerEnded;
  private int discarded;

  /**
   * @param stream does not read by itself
   */
  Http2Caller(Forwarder forwarder, CallerConnection connection, Channel stream) {
    this.forwarder = forwarder;
    this.connection = connection;
    this.stream = stream;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    context.read(); // the head
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof Http2HeadersFrame frame) {
      requestEnded |= frame.isEndStream();
      if (exchange == null) {
        RequestHead head = RequestHead.of(frame.headers());
        exchange = new Exchange(forwarder, connection, this, head, frame.isEndStream());
        exchange.start();
      } else {
        exchange.requestTrailers(frame.headers());
      }
    } else if (message instanceof Http2DataFrame frame && exchange != null) {
      requestEnded |= frame.isEndStream();
      discarded += answerEnded ? frame.content().readableBytes() : 0;
      exchange.requestData(frame.content(), frame.isEndStream());
    } else {
      ReferenceCountUtil.release(message);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (answerEnded) {
      discard();
    } else if (exchange != null) {
      exchange.requestReadComplete();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (exchange != null) {
      exchange.callerWritable();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof Http2ResetFrame) {
      gone();
    }
    ReferenceCountUtil.release(event);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    gone();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    gone(); // what is wrong with the stream the codec has told its peer
    context.close();
  }

  private void gone() {
    if (exchange != null) {
      exchange.callerGone();
    }
  }

  // --- the answer

  @Override
  public void head(Http2Headers head, boolean end) {
    stream.write(new DefaultHttp2HeadersFrame(head, end));
    ended(end);
  }

  @Override
  public void data(ByteBuf data, boolean end) {
    stream.write(new DefaultHttp2DataFrame(data, end));
    ended(end);
  }

  @Override
  public void trailers(Http2Headers trailers) {
    stream.write(new DefaultHttp2HeadersFrame(trailers, true));
    ended(true);
  }

  private void ended(boolean end) {
    answerEnded |= end;
    if (end) {
      discard();
    }
  }

  /** Reads what is on its way, and then asks the caller to stop (RFC 9113, section 8.1). */
  private void discard() {
    if (requestEnded || !stream.isActive()) {
      return;
    }
    if (discarded > MAX_DISCARDED) {
      requestEnded = true;
      stream.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.NO_ERROR));
    } else {
      stream.read();
    }
  }

  @Override
  public void flush() {
    stream.flush();
  }

  @Override
  public boolean isWritable() {
    return stream.isWritable();
  }

  @Override
  public void read() {
    stream.read();
  }

  @Override
  public void abort(Http2Error error) {
    if (!answerEnded && stream.isActive()) {
      answerEnded = true;
      stream.writeAndFlush(new DefaultHttp2ResetFrame(error));
      stream.close();
    }
  }
}
