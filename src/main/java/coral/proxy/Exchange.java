package coral.proxy;

import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.ClientCertField;
import coral.rpc.FailureStatus;
import coral.rpc.RateLimitedException;
import coral.rpc.Role;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * One request and its answer, between a caller and a stream to the colony, of which it is the
 * handler. Neither side is read from while the other has no room: what waits here is what had been
 * read before that was known. On the event loop alone.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class Exchange extends ChannelInboundHandlerAdapter {
  private final Forwarder forwarder;
  private final CallerConnection connection;
  private final CallerStream caller;
  private final RequestHead head;
  private final MessageBoundary boundary = new MessageBoundary();

  /** Of the request, before there is a stream to the colony. */
  private final Queue<Object> early = new ArrayDeque<>(2);

  private Optional<Guard.RemoteCaller> speaksFor = Optional.empty();
  private Optional<String> origin = Optional.empty();
  private @Nullable UpstreamConnection carrier;
  private @Nullable Http2StreamChannel upstream;
  private @Nullable Http2Error brokenOff;
  private boolean requestEnded;
  private boolean answerStarted;
  private boolean ended;

  /**
   * A request that has come.
   *
   * @param requestEnded whether its head is all of it
   */
  Exchange(
      Forwarder forwarder,
      CallerConnection connection,
      CallerStream caller,
      RequestHead head,
      boolean requestEnded) {
    this.forwarder = forwarder;
    this.connection = connection;
    this.caller = caller;
    this.head = head;
    this.requestEnded = requestEnded;
  }

  /** Forwards it, or answers. */
  void start() {
    connection.began();
    forwarder.counters().requests.increment();
    int open = forwarder.counters().open.incrementAndGet();
    try {
      Guard.Admitted admitted = forwarder.guard().admit(head, connection);
      speaksFor = admitted.caller();
      origin = admitted.origin();
    } catch (RefusedException e) {
      Failure failure = e.refused().failure();
      refuse(httpStatus(failure), FailureStatus.code(failure), e.refused().message());
      return;
    } catch (RateLimitedException e) {
      forwarder.counters().refused.increment();
      Status.Code code = FailureStatus.code(e.refused().failure());
      answer(LocalAnswer.failure(head, 429, code, e.refused().message()).retryAfter(e.delay()));
      return;
    }
    if (Guard.isPreflight(head) && origin.isPresent()) {
      answer(Guard.preflight(head));
    } else if (open > forwarder.limits().requests()) {
      unavailable("this proxy has as many requests under way as it takes");
    } else {
      forwarder.pool().open(this);
    }
  }

  private static int httpStatus(Failure failure) {
    return switch (failure) {
      case UNAUTHENTICATED -> 401;
      case PERMISSION_DENIED -> 403;
      default -> 400;
    };
  }

  // --- from the pool

  /** There is a stream for it. */
  void opened(UpstreamConnection carriedBy, Http2StreamChannel stream) {
    if (ended) {
      stream.close();
      return;
    }
    carrier = carriedBy;
    upstream = stream;
    stream.pipeline().addLast(this);
    boolean headOnly = requestEnded && early.isEmpty();
    stream.write(new DefaultHttp2HeadersFrame(requestHead(carriedBy), headOnly));
    for (Object part = early.poll(); part != null; part = early.poll()) {
      stream.write(part);
    }
    stream.flush();
    stream.read();
    readRequest(stream);
  }

  private Http2Headers requestHead(UpstreamConnection carriedBy) {
    Http2Headers request = new DefaultHttp2Headers(false, head.fields().size() + 6);
    request.method(head.method()).scheme("https").path(head.path());
    request.authority(carriedBy.authority());
    request.add(head.fields());
    request.set(
        RequestHead.CALLER,
        speaksFor.map(Guard.RemoteCaller::name).orElse(local(carriedBy.role())));
    speaksFor
        .flatMap(Guard.RemoteCaller::certificate)
        .ifPresent(shown -> request.set(ClientCertField.NAME, ClientCertField.encode(shown)));
    return request;
  }

  /** Who calls from this host has the proxy's role; for itself a member calls another way. */
  private static String local(Role proxy) {
    return (proxy.isMember() ? Role.VIEWER : proxy).wireName() + "/local";
  }

  /** There will be none: the colony is away, or this proxy is full. */
  void unavailable(String why) {
    refuse(503, Status.Code.UNAVAILABLE, why);
  }

  private void refuse(int httpStatus, Status.Code code, String why) {
    if (!ended) {
      forwarder.counters().refused.increment();
      answer(LocalAnswer.failure(head, httpStatus, code, why));
    }
  }

  // --- from the caller

  /** Some of the request's body; owns it. */
  void requestData(ByteBuf data, boolean end) {
    boolean hadEnded = requestEnded;
    requestEnded |= end;
    if (ended || hadEnded) {
      data.release();
      return;
    }
    forwarder.counters().received.add(data.readableBytes());
    send(new DefaultHttp2DataFrame(data, end));
  }

  /** The end of the request. */
  void requestTrailers(Http2Headers trailers) {
    requestEnded = true;
    if (!ended) {
      send(new DefaultHttp2HeadersFrame(trailers, true));
    }
  }

  private void send(Object frame) {
    if (upstream == null) {
      early.add(frame);
    } else {
      upstream.write(frame);
    }
  }

  /** What had come is given; more comes if there is room for it. */
  void requestReadComplete() {
    if (upstream != null && !ended) {
      upstream.flush();
      readRequest(upstream);
    }
  }

  private void readRequest(Http2StreamChannel stream) {
    if (!requestEnded && !ended && stream.isWritable()) {
      caller.read();
    }
  }

  /** The caller has room for more of the answer. */
  void callerWritable() {
    if (upstream != null && !ended && caller.isWritable()) {
      upstream.read();
    }
  }

  /** The caller does not want the answer any more. */
  void callerGone() {
    if (!ended) {
      end();
      forwarder.pool().forget(this);
      reset(Http2Error.CANCEL);
    }
  }

  // --- from the colony

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (!ended && message instanceof Http2HeadersFrame frame) {
      headers(frame);
    } else if (!ended && message instanceof Http2DataFrame frame) {
      ByteBuf data = frame.content(); // the reference passes on
      forwarder.counters().sent.add(data.readableBytes());
      if (head.protocol().hasFrames()) {
        boundary.passed(data);
      }
      caller.data(data, frame.isEndStream());
      if (frame.isEndStream()) {
        answered();
      }
    } else {
      ReferenceCountUtil.release(message);
    }
  }

  private void headers(Http2HeadersFrame frame) {
    Http2Headers headers = frame.headers();
    if (answerStarted) {
      caller.trailers(headers);
      answered();
    } else if (!isInformational(headers)) {
      answerStarted = true;
      origin.ifPresent(page -> Guard.allowReading(headers, page));
      caller.head(headers, frame.isEndStream());
      if (frame.isEndStream()) {
        answered();
      }
    }
  }

  private static boolean isInformational(Http2Headers headers) {
    CharSequence status = headers.status();
    return status != null && status.length() > 0 && status.charAt(0) == '1';
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    caller.flush();
    if (!ended && caller.isWritable()) {
      context.read();
    }
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (upstream != null) {
      readRequest(upstream);
    }
  }

  /** Overtakes what the colony has said before: the stream closes when that has been read. */
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof Http2ResetFrame reset) {
      brokenOff = Http2Error.valueOf(reset.errorCode());
      if (!ended && caller.isWritable()) {
        context.read();
      }
    }
    ReferenceCountUtil.release(event);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    if (brokenOff == null) {
      broken(carrier == null ? "the connection to the colony ended" : carrier.whyClosed());
    } else if (!answerStarted) {
      broken("the colony broke the call off: " + brokenOff);
    } else if (!ended) {
      fail();
      caller.abort(brokenOff);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    broken("the colony's answer is not HTTP/2: " + cause.getMessage());
    context.close();
  }

  /** The colony can complete this no more. */
  private void broken(String why) {
    if (ended) {
      return;
    }
    if (!answerStarted) {
      forwarder.counters().failed.increment();
      answer(LocalAnswer.failure(head, 502, Status.Code.UNAVAILABLE, why));
      return;
    }
    LocalAnswer.Ending ending = LocalAnswer.ending(head.protocol(), Status.Code.UNAVAILABLE, why);
    fail();
    if (boundary.reached() && ending.trailers() != null) {
      caller.trailers(ending.trailers());
      caller.flush();
    } else if (boundary.reached() && ending.body().isReadable()) {
      caller.data(ending.body(), true);
      caller.flush();
    } else {
      caller.abort(Http2Error.INTERNAL_ERROR);
    }
  }

  // --- ends

  private void answer(LocalAnswer answer) {
    end();
    origin.ifPresent(page -> Guard.allowReading(answer.head(), page));
    boolean hasBody = answer.body().isReadable() && !head.method().equals("HEAD");
    caller.head(answer.head(), !hasBody);
    if (hasBody) {
      caller.data(answer.body(), true);
    }
    caller.flush();
  }

  /** The colony has said all; what is left of the request it does not want. */
  private void answered() {
    boolean wanted = requestEnded;
    end();
    if (!wanted) {
      reset(Http2Error.NO_ERROR);
    }
  }

  private void fail() {
    forwarder.counters().failed.increment();
    end();
  }

  private void end() {
    ended = true;
    for (Object part = early.poll(); part != null; part = early.poll()) {
      ReferenceCountUtil.release(part);
    }
    forwarder.counters().open.decrementAndGet();
    connection.ended();
  }

  private void reset(Http2Error error) {
    if (upstream != null && upstream.isActive()) {
      upstream.writeAndFlush(new DefaultHttp2ResetFrame(error));
      upstream.close();
    }
  }
}
