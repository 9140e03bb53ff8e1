package coral.cli.quickstart;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.IpPrefix;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TcpRelayTest {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  private static Socket dial(int port) throws IOException {
    return new Socket(IpPrefix.parseAddress("127.0.0.1"), port);
  }

  /** Nobody listens, or the connection that was half made ends at once. */
  private static boolean isRefused(int port) {
    try (Socket late = dial(port)) {
      return late.getInputStream().read() < 0;
    } catch (IOException e) {
      return true;
    }
  }

  @Test
  void bytesPassBothWaysUnchangedAndTheEndIsPassedOn() throws Exception {
    long seed = new Random().nextLong();
    byte[] question = new byte[300_000];
    new Random(seed).nextBytes(question);
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK);
        TcpRelay relay = TcpRelay.start(() -> new Socket(LOOPBACK, server.getLocalPort()))) {
      CompletableFuture<byte[]> heard =
          CompletableFuture.supplyAsync(
              () -> {
                try (Socket served = server.accept()) {
                  byte[] all = served.getInputStream().readAllBytes();
                  served.getOutputStream().write(all, 0, 1000);
                  return all;
                } catch (IOException e) {
                  throw new IllegalStateException(e);
                }
              });
      try (Socket client = dial(relay.port())) {
        client.getOutputStream().write(question);
        client.shutdownOutput();
        byte[] answer = client.getInputStream().readAllBytes();
        assertArrayEquals(question, heard.get(10, TimeUnit.SECONDS), "seed " + seed);
        assertEquals(1000, answer.length);
      }
    }
  }

  @Test
  void whenTheOtherSideIsGoneTheConnectionEnds() throws Exception {
    try (TcpRelay relay =
            TcpRelay.start(
                () -> {
                  throw new ConnectException("nobody there");
                });
        Socket client = dial(relay.port())) {
      assertEquals(-1, client.getInputStream().read());
    }
  }

  @Test
  void closingBreaksWhatIsOpen() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      TcpRelay relay = TcpRelay.start(() -> new Socket(LOOPBACK, server.getLocalPort()));
      try (Socket client = dial(relay.port());
          Socket served = server.accept()) {
        client.getOutputStream().write(1);
        assertEquals(1, served.getInputStream().read());
        relay.close();
        assertEquals(-1, served.getInputStream().read());
        assertTrue(isRefused(relay.port()));
      }
    }
  }
}
