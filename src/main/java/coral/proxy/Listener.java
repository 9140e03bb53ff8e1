package coral.proxy;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http2.DefaultHttp2GoAwayFrame;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameCodec;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2SettingsFrame;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;

/**
 * The port: takes connections, and finds out which version of HTTP each speaks. In plaintext that
 * is HTTP/2 if the connection begins with its preface (RFC 9113, section 3.3), else HTTP/1.1. On
 * the event loop alone.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class Listener {
  private static final String HTTP2 = "h2";

  /** What one request line may take, of a head. */
  private static final int MAX_REQUEST_LINE = 8 << 10;

  /** A caller that takes back more than all requests at once in this time is closed. */
  private static final int RESET_SECONDS = 30;

  private final EventLoop loop;
  private final Forwarder forwarder;
  private final Optional<ProxyListener.Remote> remote;
  private final Map<Channel, CallerConnection> connections = new LinkedHashMap<>();

  Listener(EventLoop loop, Forwarder forwarder, Optional<ProxyListener.Remote> remote) {
    this.loop = loop;
    this.forwarder = forwarder;
    this.remote = remote;
  }

  /** Opens the port. */
  ChannelFuture bind(InetSocketAddress address) {
    return new ServerBootstrap()
        .group(loop)
        .channel(NioServerSocketChannel.class)
        .option(ChannelOption.SO_BACKLOG, 1024)
        .option(ChannelOption.SO_REUSEADDR, true)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(
            ChannelOption.RECVBUF_ALLOCATOR,
            new AdaptiveRecvByteBufAllocator(512, 2048, 32 << 10).maxMessagesPerRead(4))
        .childHandler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel channel) {
                accept(channel);
              }
            })
        .bind(address);
  }

  private void accept(Channel channel) {
    if (connections.size() >= forwarder.limits().connections()) {
      channel.close();
      return;
    }
    CallerConnection connection =
        new CallerConnection(channel, (InetSocketAddress) channel.remoteAddress());
    connections.put(channel, connection);
    forwarder.counters().connections.incrementAndGet();
    channel
        .closeFuture()
        .addListener(
            closed -> {
              connections.remove(channel);
              forwarder.counters().connections.decrementAndGet();
            });
    ChannelPipeline pipeline = channel.pipeline();
    if (remote.isPresent()) {
      SSLEngine engine = remote.get().tls().engine();
      SSLParameters parameters = engine.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {HTTP2, "http/1.1"});
      engine.setSSLParameters(parameters);
      pipeline.addLast(new SslHandler(engine)).addLast(new Handshake(connection));
    } else {
      pipeline.addLast(new Preface(connection));
    }
  }

  private void http1(ChannelPipeline pipeline, CallerConnection connection) {
    Channel channel = pipeline.channel();
    HttpDecoderConfig bounds =
        new HttpDecoderConfig()
            .setMaxInitialLineLength(MAX_REQUEST_LINE)
            .setMaxHeaderSize(forwarder.limits().headBytes())
            .setMaxChunkSize(32 << 10);
    pipeline
        .addLast(new HttpServerCodec(bounds))
        .addLast(new Http1Caller(forwarder, connection, channel));
    channel.config().setAutoRead(false);
    channel.read();
  }

  private void http2(ChannelPipeline pipeline, CallerConnection connection) {
    ProxyLimits limits = forwarder.limits();
    Http2FrameCodec codec =
        Http2FrameCodecBuilder.forServer()
            .decoderEnforceMaxRstFramesPerWindow(limits.requests(), RESET_SECONDS)
            .initialSettings(
                Http2Settings.defaultSettings()
                    .maxConcurrentStreams(limits.requests())
                    .maxHeaderListSize(limits.headBytes())
                    .initialWindowSize(limits.streamWindow()))
            .build();
    pipeline
        .addLast(codec)
        .addLast(
            new Http2MultiplexHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel stream) {
                    stream.config().setAutoRead(false);
                    stream.pipeline().addLast(new Http2Caller(forwarder, connection, stream));
                  }
                }))
        .addLast(new Connection2(codec));
  }

  /** Closes what has been silent for too long. To be called about every second. */
  void sweep() {
    long now = System.nanoTime();
    List.copyOf(connections.values())
        .forEach(connection -> connection.sweep(forwarder.limits(), now));
  }

  /** Tells callers to go, and closes the connections on which nothing is under way. */
  void drain() {
    Map.copyOf(connections)
        .forEach(
            (channel, connection) -> {
              if (channel.pipeline().get(Http2FrameCodec.class) != null) {
                channel.writeAndFlush(new DefaultHttp2GoAwayFrame(Http2Error.NO_ERROR));
              }
              if (connection.isIdle()) {
                channel.close();
              }
            });
  }

  /** Closes all connections. */
  void close() {
    List.copyOf(connections.keySet()).forEach(Channel::close);
  }

  /** Waits for the first bytes. */
  private final class Preface extends ByteToMessageDecoder {
    private final CallerConnection connection;

    Preface(CallerConnection connection) {
      this.connection = connection;
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
      ByteBuf preface = Http2CodecUtil.connectionPrefaceBuf();
      int length = Math.min(in.readableBytes(), preface.readableBytes());
      boolean begins =
          in.slice(in.readerIndex(), length).equals(preface.slice(preface.readerIndex(), length));
      if (begins && length < preface.readableBytes()) {
        preface.release();
        return;
      }
      preface.release();
      if (begins) {
        http2(context.pipeline(), connection);
      } else {
        http1(context.pipeline(), connection);
      }
      context.pipeline().remove(this);
    }
  }

  /** Waits for the end of the handshake, which says who calls and what is spoken. */
  private final class Handshake extends ChannelInboundHandlerAdapter {
    private final CallerConnection connection;

    Handshake(CallerConnection connection) {
      this.connection = connection;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof SslHandshakeCompletionEvent handshake) {
        if (handshake.isSuccess()) {
          done(context);
        } else {
          context.close();
        }
      }
      context.fireUserEventTriggered(event);
    }

    private void done(ChannelHandlerContext context) {
      SSLEngine engine = context.pipeline().get(SslHandler.class).engine();
      try {
        if (engine.getSession().getPeerCertificates()[0] instanceof X509Certificate shown) {
          connection.authenticated(shown);
        }
      } catch (SSLPeerUnverifiedException e) {
        // no certificate was shown: a token may be
      }
      if (HTTP2.equals(engine.getApplicationProtocol())) {
        http2(context.pipeline(), connection);
      } else {
        http1(context.pipeline(), connection);
      }
      context.pipeline().remove(this);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close(); // a stranger without TLS, or with a certificate of somebody else
    }
  }

  /** The last to see what concerns a whole connection over HTTP/2. */
  private final class Connection2 extends ChannelInboundHandlerAdapter {
    private final Http2FrameCodec codec;
    private boolean settled;

    Connection2(Http2FrameCodec codec) {
      this.codec = codec;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) throws Http2Exception {
      if (message instanceof Http2SettingsFrame && !settled) {
        settled = true;
        ProxyLimits limits = forwarder.limits();
        codec
            .connection()
            .local()
            .flowController()
            .incrementWindowSize(
                codec.connection().connectionStream(),
                limits.streamWindow() * limits.streamsPerConnection()
                    - Http2CodecUtil.DEFAULT_WINDOW_SIZE);
        context.flush();
      }
      ReferenceCountUtil.release(message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close(); // the connection broke
    }
  }
}
