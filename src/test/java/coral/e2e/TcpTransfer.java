package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import coral.testing.NetworkTopology;
import java.io.DataInputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.MessageDigest;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Megabytes from one host to another in one TCP connection, whose digest comes back. */
final class TcpTransfer {
  private static final int BYTES = 4 << 20;
  private static final int DIGEST_BYTES = 32;
  private static final int TIMEOUT_MILLIS = 60_000;

  /** Any content will do. */
  private static final long SEED = 42;

  private TcpTransfer() {}

  /**
   * Sends, and compares what arrived.
   *
   * @param address of the receiving host
   */
  static void send(NetworkTopology topology, int from, int to, InetAddress address)
      throws Exception {
    byte[] content = new byte[BYTES];
    new Random(SEED).nextBytes(content);
    CompletableFuture<Integer> port = new CompletableFuture<>();
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      Future<InetAddress> sender =
          thread.submit(() -> topology.on(to, () -> receive(address, port)));
      byte[] digest =
          topology.on(
              from,
              () -> {
                try (Socket socket = new Socket()) {
                  socket.setSoTimeout(TIMEOUT_MILLIS);
                  socket.connect(
                      new InetSocketAddress(
                          address, port.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS)),
                      TIMEOUT_MILLIS);
                  socket.getOutputStream().write(content);
                  socket.shutdownOutput();
                  return socket.getInputStream().readNBytes(DIGEST_BYTES + 1);
                }
              });
      assertArrayEquals(MessageDigest.getInstance("SHA-256").digest(content), digest);
      assertEquals(
          address.getClass(), sender.get(TIMEOUT_MILLIS, TimeUnit.MILLISECONDS).getClass());
    } finally {
      thread.shutdownNow();
    }
  }

  /** Takes one connection. Returns where it came from. */
  private static InetAddress receive(InetAddress address, CompletableFuture<Integer> port)
      throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, address)) {
      server.setSoTimeout(TIMEOUT_MILLIS);
      port.complete(server.getLocalPort());
      try (Socket socket = server.accept()) {
        socket.setSoTimeout(TIMEOUT_MILLIS);
        byte[] received = new byte[BYTES];
        DataInputStream in = new DataInputStream(socket.getInputStream());
        in.readFully(received);
        socket.getOutputStream().write(MessageDigest.getInstance("SHA-256").digest(received));
        return socket.getInetAddress();
      }
    } catch (Exception | Error e) {
      port.completeExceptionally(e);
      throw e;
    }
  }
}
