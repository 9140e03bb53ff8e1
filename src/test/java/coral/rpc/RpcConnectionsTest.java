package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.MeshServiceClient;
import coral.model.Endpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.Test;

/** What strangers may take of a port, and how long an agent's session lives. */
final class RpcConnectionsTest extends RpcServerFixture {
  /** Pekko HTTP's own bound is 1,024: nobody is served beside as many silent connections. */
  @Test
  void moreThanAThousandSilentConnectionsDoNotStopTheServer() throws Exception {
    List<Socket> silent = new ArrayList<>();
    try {
      for (int i = 0; i < 1100; i++) {
        silent.add(open(endpoint));
      }
      assertEquals("ANYONE", callOpen(endpoint));
    } finally {
      closeAll(silent);
    }
  }

  @Test
  void oneAddressHasFewConnectionsOfStrangersAndAgentsAreNotCounted() throws Exception {
    ActorSystem own =
        system(
            "coral.rpc.server { max-strangers-per-loopback-address = 3,"
                + " first-request-timeout = 1h }");
    List<Socket> silent = new ArrayList<>();
    try {
      Endpoint limited = serve(own, Optional.of(tls), Duration.ofMinutes(1));
      List<CompletionStage<List<ColonyMessage>>> sessions = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        sessions.add(session(limited, "agent-" + i, Source.single(heartbeat(1, 1))));
        assertEquals(1, get(sessions.get(i)).size());
      }
      for (int i = 0; i < 3; i++) {
        silent.add(open(limited));
      }
      assertTrue(isRefused(limited), "the fourth is closed");
      for (int i = 0; i < 3; i++) {
        Socket admitted = silent.get(i);
        assertThrows(SocketTimeoutException.class, () -> isEnded(admitted, 50));
      }
      silent.get(0).close();
      assertEquals("ANYONE", callOpen(limited), "the place of one that was closed is free");
    } finally {
      closeAll(silent);
      stop(own);
    }
  }

  @Test
  void aStrangerWhoSaysNothingIsSentAway() throws Exception {
    ActorSystem own =
        system("coral.rpc.server { first-request-timeout = 500ms, stranger-idle-timeout = 500ms }");
    try {
      Endpoint impatient = serve(own, Optional.of(tls), Duration.ofMinutes(1));
      try (Socket silent = open(impatient)) {
        assertTrue(isEnded(silent, 10_000), "without a handshake");
      }
      SSLContext anonymous = pinned(null);
      try (Socket handshaken =
          anonymous.getSocketFactory().createSocket("127.0.0.1", impatient.port())) {
        assertTrue(isEnded(handshaken, 10_000), "without a request");
      }
    } finally {
      stop(own);
    }
  }

  /** The shipped times, thirty times as fast: a heartbeat may come less often than the timeout. */
  @Test
  void aSessionOutlivesTheIdleTimeoutBetweenTwoHeartbeats() throws Exception {
    Config shipped = ConfigFactory.load("pekko").getConfig("pekko.http.server");
    long idle = shipped.getDuration("idle-timeout").toMillis() / 30;
    long ping = shipped.getDuration("http2.ping-interval").toMillis() / 30;
    ActorSystem own =
        system(
            "pekko.http.server { idle-timeout = "
                + idle
                + "ms, http2.ping-interval = "
                + ping
                + "ms, http2.ping-timeout = "
                + ping
                + "ms }");
    try {
      Endpoint server = serve(own, Optional.of(tls), Duration.ofMinutes(1));
      Source<AgentMessage, ?> seldom =
          Source.tick(Duration.ZERO, Duration.ofMillis(3 * idle), heartbeat(1, 1)).take(2);
      assertEquals(2, get(session(server, "seldom", seldom)).size());
    } finally {
      stop(own);
    }
  }

  private static CompletionStage<List<ColonyMessage>> session(
      Endpoint server, String agent, Source<AgentMessage, ?> messages) throws Exception {
    MeshServiceClient client =
        MeshServiceClient.create(
            RpcChannel.grpcClient(server, pinned(authority.agent(COLONY, agent)), system), system);
    return client
        .session(messages.mapMaterializedValue(any -> org.apache.pekko.NotUsed.getInstance()))
        .toMat(Sink.seq(), Keep.right())
        .run(system);
  }

  private static String callOpen(Endpoint server) throws Exception {
    return ConnectClient.https(server, pinned(null), TIMEOUT, TIMEOUT)
        .call(
            ADMIN + "GetCACertificate",
            GetCACertificateRequest.getDefaultInstance(),
            GetCACertificateResponse.parser())
        .getCaCertificate()
        .toStringUtf8();
  }

  private static Socket open(Endpoint server) throws IOException {
    Socket socket = new Socket();
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()), 5000);
    return socket;
  }

  /** Whether the server ends a new connection; that may show while it is still being made. */
  private static boolean isRefused(Endpoint server) throws IOException {
    Socket socket;
    try {
      socket = open(server);
    } catch (SocketException reset) {
      return true;
    }
    try (socket) {
      return isEnded(socket, 5000);
    }
  }

  /** Whether the server ends the connection; a time-out is thrown when it does not. */
  private static boolean isEnded(Socket socket, int withinMillis) throws IOException {
    socket.setSoTimeout(withinMillis);
    try {
      return socket.getInputStream().read() < 0;
    } catch (SocketTimeoutException e) {
      throw e;
    } catch (IOException reset) {
      return true;
    }
  }

  private static void closeAll(List<Socket> sockets) throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
  }

  private static ActorSystem system(String settings) {
    return ActorSystem.create(
        "rpc-connections-test",
        ConfigFactory.parseString(settings)
            .withFallback(ConfigFactory.load("pekko"))
            .withFallback(ConfigFactory.load()));
  }

  private static void stop(ActorSystem own) throws Exception {
    own.terminate();
    own.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }
}
