package coral.bench;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.Endpoint;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.nio.NioEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.handler.ssl.ApplicationProtocolConfig;
import io.grpc.netty.shaded.io.netty.handler.ssl.ApplicationProtocolNames;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.IdentityCipherSuiteFilter;
import io.grpc.netty.shaded.io.netty.handler.ssl.JdkSslContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;

/**
 * gRPC over HTTP/2 by grpc-java itself: of all clients at hand the one that takes the least of the
 * processors that it shares with the colony.
 */
final class MeshChannels implements AutoCloseable {
  static final MethodDescriptor<RegisterAgentRequest, RegisterAgentResponse> REGISTER =
      method(
          MethodType.UNARY,
          "coral.mesh.v1.MeshService/Register",
          RegisterAgentRequest.parser(),
          RegisterAgentResponse.parser());

  static final MethodDescriptor<AgentMessage, ColonyMessage> SESSION =
      method(
          MethodType.BIDI_STREAMING,
          "coral.mesh.v1.MeshService/Session",
          AgentMessage.parser(),
          ColonyMessage.parser());

  private final EventLoopGroup threads = new NioEventLoopGroup(1);
  private final List<ManagedChannel> channels = new ArrayList<>();

  /** A channel, which connects when it is first used and is one connection. */
  ManagedChannel open(Endpoint endpoint, SSLContext tls) throws IOException {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(new InetSocketAddress(endpoint.host(), endpoint.port()))
            .overrideAuthority("colony")
            .sslContext(
                new JdkSslContext(
                    tls,
                    true,
                    null,
                    IdentityCipherSuiteFilter.INSTANCE,
                    new ApplicationProtocolConfig(
                        ApplicationProtocolConfig.Protocol.ALPN,
                        ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                        ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                        ApplicationProtocolNames.HTTP_2),
                    ClientAuth.NONE,
                    new String[] {"TLSv1.3"},
                    false))
            .eventLoopGroup(threads)
            .channelType(NioSocketChannel.class)
            .directExecutor()
            .build();
    channels.add(channel);
    return channel;
  }

  /** The same in plaintext, as a proxy on this host listens. */
  ManagedChannel openPlaintext(Endpoint endpoint) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(new InetSocketAddress(endpoint.host(), endpoint.port()))
            .usePlaintext()
            .eventLoopGroup(threads)
            .channelType(NioSocketChannel.class)
            .directExecutor()
            .build();
    channels.add(channel);
    return channel;
  }

  @Override
  public void close() {
    channels.forEach(ManagedChannel::shutdownNow);
    var unused = threads.shutdownGracefully();
  }

  static <Q extends Message, R extends Message> MethodDescriptor<Q, R> method(
      MethodType type, String name, Parser<Q> request, Parser<R> response) {
    return MethodDescriptor.<Q, R>newBuilder()
        .setType(type)
        .setFullMethodName(name)
        .setRequestMarshaller(new Protobuf<>(request))
        .setResponseMarshaller(new Protobuf<>(response))
        .build();
  }

  private record Protobuf<M extends Message>(Parser<M> parser)
      implements MethodDescriptor.Marshaller<M> {
    @Override
    public InputStream stream(M message) {
      return message.toByteString().newInput();
    }

    @Override
    public M parse(InputStream stream) {
      try (stream) {
        return parser.parseFrom(stream);
      } catch (InvalidProtocolBufferException e) {
        throw Status.INTERNAL.withCause(e).asRuntimeException();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
