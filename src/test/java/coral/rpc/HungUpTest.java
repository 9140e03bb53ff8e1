package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Empty;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client makes of a server that resets connections during the handshake. */
@Timeout(30)
final class HungUpTest {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  @Test
  void aServerThatIsBeingKilledIsGoneAndRefusesNoCertificate() throws Exception {
    assertEquals(RpcException.Reason.UNREACHABLE, reasonAfter(2));
  }

  @Test
  void aServerThatGoesOnToHangUpDoesNotAcceptTheCertificate() throws Exception {
    assertEquals(RpcException.Reason.CERTIFICATE_REFUSED, reasonAfter(3));
  }

  /** Of a call to a server that resets so many connections and then is no more. */
  private static RpcException.Reason reasonAfter(int resets) throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      Thread dying =
          new Thread(
              () -> {
                try {
                  for (int i = 0; i < resets; i++) {
                    reset(server.accept());
                  }
                  server.close();
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              });
      dying.start();
      ConnectClient client =
          ConnectClient.https(
              new Endpoint("127.0.0.1", server.getLocalPort()),
              ClientTls.pinned(
                  Fingerprint.of(new byte[] {1}), "spiffe://dying/colony", Optional.empty()),
              TIMEOUT,
              TIMEOUT);
      RpcException failure =
          assertThrows(
              RpcException.class,
              () -> client.call("any.Service/Any", Empty.getDefaultInstance(), Empty.parser()));
      dying.join();
      return failure.reason();
    }
  }

  /** Once the client has begun the handshake. */
  private static void reset(Socket connection) throws IOException {
    connection.getInputStream().read();
    connection.setSoLinger(true, 0);
    connection.close();
  }
}
