package coral.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import coral.model.Endpoint;
import coral.rpc.ClientCertificate;
import coral.rpc.ServerTls;
import coral.rpc.TestAuthority;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/**
 * What stands where a colony does and speaks HTTP/2 alone: it shows what a proxy really sends, and
 * answers as no service does. By path: {@code /echo} answers with what came, line by line, and a
 * trailer; {@code /never} does not answer; {@code /broken} breaks its answer off; {@code /early}
 * answers before it has read anything; others get an empty answer.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what becomes of a write its channel's end tells
final class PlainColony implements AutoCloseable {
  /** The error codes of the streams that the proxy took back. */
  final BlockingQueue<Http2Error> resets = new LinkedBlockingQueue<>();

  /** The paths of requests whose head has come. */
  final BlockingQueue<String> requests = new LinkedBlockingQueue<>();

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final ServerTls tls;
  private final Channel port;

  PlainColony(TestAuthority authority) throws Exception {
    ClientCertificate own = authority.server(StandInColony.ID);
    tls = ServerTls.of(own.key(), own.chain(), Optional.of(authority.root()), certificate -> true);
    port =
        new ServerBootstrap()
            .group(group)
            .channel(NioServerSocketChannel.class)
            .childHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    accept(channel);
                  }
                })
            .bind(InetAddress.getLoopbackAddress(), 0)
            .sync()
            .channel();
  }

  Endpoint endpoint() {
    return new Endpoint("127.0.0.1", ((InetSocketAddress) port.localAddress()).getPort());
  }

  private void accept(Channel channel) {
    SSLEngine engine = tls.engine();
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setApplicationProtocols(new String[] {"h2"});
    engine.setSSLParameters(parameters);
    channel
        .pipeline()
        .addLast(new SslHandler(engine))
        .addLast(Http2FrameCodecBuilder.forServer().build())
        .addLast(
            new Http2MultiplexHandler(
                new ChannelInitializer<>() {
                  @Override
                  protected void initChannel(Channel stream) {
                    stream.pipeline().addLast(new Stream());
                  }
                }));
  }

  private final class Stream extends ChannelInboundHandlerAdapter {
    private final Map<String, String> said = new TreeMap<>();
    private String path = "";
    private long bytes;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      if (message instanceof Http2HeadersFrame frame) {
        frame.headers().forEach(field -> said.put(field.getKey() + "", field.getValue() + ""));
        if (path.isEmpty()) {
          path = String.valueOf(frame.headers().path());
          requests.add(path);
          begun(context);
        }
        if (frame.isEndStream()) {
          complete(context);
        }
      } else if (message instanceof Http2DataFrame frame) {
        bytes += frame.content().readableBytes();
        if (frame.isEndStream()) {
          complete(context);
        }
      }
      ReferenceCountUtil.release(message);
    }

    private void begun(ChannelHandlerContext context) {
      if (path.equals("/early")) {
        context.writeAndFlush(new DefaultHttp2HeadersFrame(status("413"), true));
      } else if (path.equals("/broken")) {
        context.write(new DefaultHttp2HeadersFrame(status("200"), false));
        // A reset overtakes what has not left yet.
        context
            .writeAndFlush(new DefaultHttp2DataFrame(text("half"), false))
            .addListener(
                sent ->
                    context.writeAndFlush(
                        new DefaultHttp2ResetFrame(Http2Error.ENHANCE_YOUR_CALM)));
      }
    }

    private void complete(ChannelHandlerContext context) {
      if (path.equals("/echo")) {
        said.put("bytes", Long.toString(bytes));
        StringBuilder lines = new StringBuilder();
        said.forEach((name, value) -> lines.append(name).append('=').append(value).append('\n'));
        context.write(new DefaultHttp2HeadersFrame(status("200").set("x-answer", "a, b"), false));
        context.write(new DefaultHttp2DataFrame(text(lines.toString()), false));
        context.writeAndFlush(
            new DefaultHttp2HeadersFrame(new DefaultHttp2Headers().set("x-trailer", "t"), true));
      } else if (!path.equals("/never") && !path.equals("/early") && !path.equals("/broken")) {
        context.writeAndFlush(new DefaultHttp2HeadersFrame(status("200"), true));
      }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      if (event instanceof Http2ResetFrame reset) {
        resets.add(Http2Error.valueOf(reset.errorCode()));
      }
      ReferenceCountUtil.release(event);
    }
  }

  private static Http2Headers status(String code) {
    return new DefaultHttp2Headers().status(code);
  }

  private static ByteBuf text(String text) {
    return Unpooled.copiedBuffer(text, UTF_8);
  }

  @Override
  public void close() throws Exception {
    port.close().sync();
    group.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS).sync();
  }
}
