package coral.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A caller's connection over HTTP/1.1: one request after the other, of which each is a {@link
 * CallerStream} of its own to its exchange. Read on demand alone.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class Http1Caller extends ChannelInboundHandlerAdapter implements CallerStream {
  /** Of a request that was refused, so much is read and thrown away before the connection ends. */
  private static final int MAX_DISCARDED = 1 << 20;

  private final Forwarder forwarder;
  private final CallerConnection connection;
  private final Channel channel;

  /** What came behind the request that is under way. */
  private final Queue<HttpObject> pipelined = new ArrayDeque<>(2);

  private @Nullable Exchange exchange;
  private boolean requestEnded;
  private boolean answerEnded;
  private boolean keepAlive;
  private boolean chunked;
  private boolean http10;
  private boolean head;
  private boolean awaitsContinue;
  private int discarded;

  /**
   * @param channel does not read by itself
   */
  Http1Caller(Forwarder forwarder, CallerConnection connection, Channel channel) {
    this.forwarder = forwarder;
    this.connection = connection;
    this.channel = channel;
  }

  // --- the request

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!(message instanceof HttpObject part)) {
      ReferenceCountUtil.release(message);
    } else if ((exchange != null && requestEnded) || !pipelined.isEmpty()) {
      pipelined.add(part);
    } else {
      take(part);
    }
  }

  private void take(HttpObject part) {
    if (part.decoderResult().isFailure()) {
      malformed(part.decoderResult().cause());
      ReferenceCountUtil.release(part);
    } else if (part instanceof HttpRequest request && exchange == null) {
      begin(request);
    } else if (part instanceof HttpContent content && exchange != null) {
      body(exchange, content);
    } else {
      ReferenceCountUtil.release(part);
    }
  }

  private void begin(HttpRequest request) {
    RequestHead requestHead;
    try {
      requestHead = RequestHead.of(request);
    } catch (IllegalArgumentException e) {
      malformed(e);
      return;
    }
    requestEnded = false;
    answerEnded = false;
    keepAlive = HttpUtil.isKeepAlive(request);
    http10 = request.protocolVersion().compareTo(HttpVersion.HTTP_1_1) < 0;
    head = request.method().equals(HttpMethod.HEAD);
    awaitsContinue = HttpUtil.is100ContinueExpected(request);
    discarded = 0;
    boolean empty =
        !HttpUtil.isTransferEncodingChunked(request) && HttpUtil.getContentLength(request, 0L) == 0;
    exchange = new Exchange(forwarder, connection, this, requestHead, empty);
    exchange.start();
  }

  private void body(Exchange current, HttpContent content) {
    boolean last = content instanceof LastHttpContent;
    requestEnded |= last;
    if (answerEnded) {
      discarded += content.content().readableBytes();
      content.release();
      finished();
    } else if (last && !((LastHttpContent) content).trailingHeaders().isEmpty()) {
      if (content.content().isReadable()) {
        current.requestData(content.content().retain(), false);
      }
      current.requestTrailers(trailers(((LastHttpContent) content).trailingHeaders()));
      content.release();
    } else {
      current.requestData(content.content(), last);
    }
  }

  private static Http2Headers trailers(HttpHeaders fields) {
    Http2Headers trailers = new DefaultHttp2Headers(false);
    fields.forEach(
        field -> trailers.add(field.getKey().toLowerCase(Locale.ROOT), field.getValue()));
    return trailers;
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    if (exchange == null || answerEnded) {
      context.read();
    } else if (requestEnded) {
      exchange.requestReadComplete();
      if (pipelined.isEmpty()) {
        context.read(); // to hear of the caller's leaving
      }
    } else {
      exchange.requestReadComplete();
    }
  }

  /** Nothing that follows on the connection can be understood. */
  private void malformed(@Nullable Throwable cause) {
    HttpResponseStatus status =
        cause instanceof TooLongHttpHeaderException
            ? HttpResponseStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            : cause instanceof TooLongHttpLineException
                ? HttpResponseStatus.REQUEST_URI_TOO_LONG
                : HttpResponseStatus.BAD_REQUEST;
    if (exchange != null && !answerEnded) {
      exchange.callerGone();
    }
    byte[] text = (status.reasonPhrase() + "\n").getBytes(StandardCharsets.US_ASCII);
    HttpResponse response =
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(text));
    response.headers().set(HttpHeaderNames.CONTENT_LENGTH, text.length);
    response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    channel.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (exchange != null) {
      exchange.callerWritable();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (exchange != null) {
      exchange.callerGone();
    }
    for (HttpObject part = pipelined.poll(); part != null; part = pipelined.poll()) {
      ReferenceCountUtil.release(part);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    context.close(); // the connection broke
  }

  // --- the answer

  @Override
  public void head(Http2Headers answer, boolean end) {
    HttpResponse response =
        new DefaultHttpResponse(
            HttpVersion.HTTP_1_1, HttpResponseStatus.parseLine(String.valueOf(answer.status())));
    answer.forEach(
        field -> {
          if (field.getKey().length() > 0 && field.getKey().charAt(0) != ':') {
            response.headers().add(field.getKey(), field.getValue());
          }
        });
    boolean sized = response.headers().contains(HttpHeaderNames.CONTENT_LENGTH);
    int code = response.status().code();
    if (end && !sized && !head && code != 204 && code != 304) {
      response.headers().set(HttpHeaderNames.CONTENT_LENGTH, HttpHeaderValues.ZERO);
    }
    chunked = !end && !sized && !http10;
    if (chunked) {
      response.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
    }
    keepAlive &= end || sized || chunked;
    if (!keepAlive) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    } else if (http10) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
    }
    channel.write(response);
    if (end) {
      channel.write(LastHttpContent.EMPTY_LAST_CONTENT);
      ended();
    }
  }

  @Override
  public void data(ByteBuf data, boolean end) {
    if (data.isReadable()) {
      channel.write(new DefaultHttpContent(data));
    } else {
      data.release();
    }
    if (end) {
      channel.write(LastHttpContent.EMPTY_LAST_CONTENT);
      ended();
    }
  }

  @Override
  public void trailers(Http2Headers trailers) {
    LastHttpContent last = new DefaultLastHttpContent();
    trailers.forEach(field -> last.trailingHeaders().add(field.getKey(), field.getValue()));
    channel.write(last);
    ended();
  }

  private void ended() {
    answerEnded = true;
    channel.flush();
    finished();
  }

  /** The next request may follow when this one has been read to its end. */
  private void finished() {
    boolean neverComes = awaitsContinue && !requestEnded;
    if (requestEnded && keepAlive) {
      exchange = null;
      channel.eventLoop().execute(this::next); // the exchange may still be at work
    } else if (requestEnded || neverComes || discarded > MAX_DISCARDED) {
      channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    } else {
      channel.read();
    }
  }

  private void next() {
    while (!pipelined.isEmpty() && !(exchange != null && requestEnded)) {
      take(pipelined.remove());
    }
    if (exchange == null) {
      channel.read();
    } else {
      exchange.requestReadComplete();
    }
  }

  @Override
  public void flush() {
    channel.flush();
  }

  @Override
  public boolean isWritable() {
    return channel.isWritable();
  }

  @Override
  public void read() {
    if (awaitsContinue) {
      awaitsContinue = false;
      channel.writeAndFlush(
          new DefaultFullHttpResponse(
              HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER));
    }
    channel.read();
  }

  @Override
  public void abort(Http2Error error) {
    answerEnded = true;
    // What the colony has said is said; without its last chunk no answer is whole.
    channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
  }
}
