package coral.proxy;

import coral.model.Endpoint;
import coral.rpc.Role;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2SettingsFrame;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * One connection to the colony: HTTP/2 over TLS 1.3. It is ready once the colony has answered an
 * rpc: until then the colony takes it for a stranger's, and soon closes it. On the event loop
 * alone.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class UpstreamConnection extends ChannelInboundHandlerAdapter {
  /** Hears of one connection; in this order. */
  interface Listener {
    /** Requests may go there. */
    void ready(UpstreamConnection connection);

    /** One request less is under way. */
    void streamEnded(UpstreamConnection connection);

    /** The colony takes no more requests there: it is to retire. */
    void draining(UpstreamConnection connection);

    /** It has ended: see {@link #whyClosed}, {@link #wasReady}. Always comes, once. */
    void closed(UpstreamConnection connection);
  }

  /** For what is told last to a peer that may not read any more. */
  private static final long LAST_WORD_MILLIS = 100;

  private final Endpoint endpoint;
  private final Role role;
  private final ProxyLimits limits;
  private final Listener listener;
  private @Nullable Channel channel;
  private @Nullable Http2FrameCodec codec;
  private @Nullable Http2StreamChannelBootstrap streams;
  private @Nullable Future<?> deadline;
  private String why = "";
  private boolean settled;
  private boolean ready;
  private boolean draining;
  private boolean closed;
  private int open;
  private int most;

  private UpstreamConnection(Endpoint endpoint, Role role, ProxyLimits limits, Listener listener) {
    this.endpoint = endpoint;
    this.role = role;
    this.limits = limits;
    this.listener = listener;
  }

  /** Connects to an address of the endpoint. */
  static UpstreamConnection open(
      EventLoop loop,
      Endpoint endpoint,
      InetAddress address,
      SSLContext tls,
      Role role,
      ProxyLimits limits,
      Listener listener) {
    UpstreamConnection connection = new UpstreamConnection(endpoint, role, limits, listener);
    connection.connect(loop, new InetSocketAddress(address, endpoint.port()), tls);
    return connection;
  }

  private void connect(EventLoop loop, InetSocketAddress address, SSLContext tls) {
    Bootstrap bootstrap =
        new Bootstrap()
            .group(loop)
            .channel(NioSocketChannel.class)
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) limits.connect().toMillis())
            .handler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel opened) {
                    initialize(opened, tls);
                  }
                });
    deadline =
        loop.schedule(
            () -> close("it did not answer within " + seconds(limits.connect().toMillis())),
            limits.connect().toMillis(),
            TimeUnit.MILLISECONDS);
    bootstrap
        .connect(address)
        .addListener(
            connected -> {
              if (!connected.isSuccess()) {
                // Without a file for its socket another thread tells so.
                loop.execute(() -> ended(text(connected.cause())));
              }
            });
  }

  private void initialize(Channel opened, SSLContext tls) {
    channel = opened;
    SSLEngine engine = tls.createSSLEngine();
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setProtocols(new String[] {"TLSv1.3"});
    parameters.setApplicationProtocols(new String[] {"h2"});
    engine.setSSLParameters(parameters);
    SslHandler encryption = new SslHandler(engine);
    encryption.setCloseNotifyFlushTimeoutMillis(LAST_WORD_MILLIS);
    codec =
        Http2FrameCodecBuilder.forClient()
            .initialSettings(
                Http2Settings.defaultSettings()
                    .pushEnabled(false)
                    .maxConcurrentStreams(0)
                    .maxHeaderListSize(limits.headBytes())
                    .initialWindowSize(limits.streamWindow()))
            .build();
    opened
        .pipeline()
        .addLast(encryption)
        .addLast(codec)
        .addLast(new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()))
        .addLast(this);
  }

  // --- for the pool

  Endpoint endpoint() {
    return endpoint;
  }

  String authority() {
    return endpoint.toString();
  }

  Role role() {
    return role;
  }

  boolean wasReady() {
    return ready;
  }

  /** Whether another request may go there. */
  boolean hasRoom() {
    return ready && !draining && !closed && open < most;
  }

  int requests() {
    return open;
  }

  /** Why it ended, or will: for people. */
  String whyClosed() {
    return why.isEmpty() ? "the colony closed the connection" : why;
  }

  /** Opens a stream for a request. */
  void carry(Exchange exchange) {
    stream(stream -> exchange.opened(this, stream), () -> exchange.unavailable(whyClosed()));
  }

  private void stream(Consumer<Http2StreamChannel> use, Runnable failed) {
    Http2StreamChannelBootstrap bootstrap = streams;
    if (bootstrap == null || closed) {
      failed.run();
      return;
    }
    open++;
    Future<Http2StreamChannel> opening = bootstrap.open();
    opening.addListener(
        done -> {
          if (done.isSuccess()) {
            Http2StreamChannel stream = opening.getNow();
            stream.closeFuture().addListener(ended -> streamEnded());
            use.accept(stream);
          } else {
            streamEnded();
            failed.run();
          }
        });
  }

  private void streamEnded() {
    open--;
    if (draining && open == 0) {
      close("no more requests");
    } else if (!closed) {
      listener.streamEnded(this);
    }
  }

  /** Carries no new requests, and closes when those under way have ended: now, without any. */
  void retire() {
    draining = true;
    if (open == 0) {
      close("no more requests");
    }
  }

  /**
   * Ends it with everything that is under way. The socket may take a while to close, as the peer is
   * told first: no request goes there meanwhile.
   */
  void close(String reason) {
    ended(reason);
    if (channel != null) {
      channel.close();
    }
  }

  // --- from the connection

  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      if (!handshake.isSuccess()) {
        close("its TLS handshake failed: " + text(handshake.cause()));
      } else if (!"h2"
          .equals(context.pipeline().get(SslHandler.class).engine().getApplicationProtocol())) {
        close("it does not speak HTTP/2");
      }
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Http2Exception {
    if (message instanceof Http2SettingsFrame settings) {
      settings(settings.settings());
    } else if (message instanceof Http2GoAwayFrame) {
      drain();
    }
    ReferenceCountUtil.release(message);
  }

  private void settings(Http2Settings settings) throws Http2Exception {
    Long streamsAtMost = settings.maxConcurrentStreams();
    if (streamsAtMost != null || !settled) {
      long theirs = streamsAtMost == null ? Long.MAX_VALUE : streamsAtMost;
      most = (int) Math.min(theirs, limits.streamsPerConnection());
    }
    if (!settled && channel != null && codec != null) {
      settled = true;
      int window = limits.streamWindow() * limits.streamsPerConnection();
      codec
          .connection()
          .local()
          .flowController()
          .incrementWindowSize(
              codec.connection().connectionStream(), window - Http2CodecUtil.DEFAULT_WINDOW_SIZE);
      streams =
          new Http2StreamChannelBootstrap(channel)
              .option(ChannelOption.AUTO_READ, false)
              .handler(
                  new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel stream) {
                      // whoever opens it adds its own
                    }
                  });
      firstCall();
    }
  }

  private void firstCall() {
    stream(
        stream -> FirstCall.on(stream, authority(), this::answered, this::close),
        () -> close("it takes no requests"));
  }

  private void answered() {
    if (ready || closed || channel == null) {
      return;
    }
    ready = true;
    if (deadline != null) {
      deadline.cancel(false);
    }
    channel.pipeline().addLast(new SignsOfLife(limits.quiet(), this::close));
    listener.ready(this);
  }

  private void drain() {
    if (!draining && !closed) {
      listener.draining(this);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    close(text(cause));
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    ended(whyClosed());
    context.fireChannelInactive();
  }

  private void ended(String reason) {
    if (closed) {
      return;
    }
    closed = true;
    if (why.isEmpty()) {
      why = reason;
    }
    if (deadline != null) {
      deadline.cancel(false);
    }
    listener.closed(this);
  }

  /** What a handshake says of itself is of no use beyond its first line. */
  private static String text(@Nullable Throwable thrown) {
    Throwable cause = thrown;
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause == null) {
      return "unknown";
    }
    String message = cause.getMessage();
    return message == null
        ? cause.getClass().getSimpleName()
        : message.lines().findFirst().orElse("");
  }

  private static String seconds(long millis) {
    return millis % 1000 == 0 ? millis / 1000 + " s" : millis + " ms";
  }
}
