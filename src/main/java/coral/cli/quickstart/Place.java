package coral.cli.quickstart;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** Where a process of the quickstart lives: a network namespace, or the host itself. */
interface Place {
  /** Longest wait for a connection between two processes of one machine. */
  Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  /** How the answer of a process begins that is ready. */
  byte[] READY = "HTTP/1.1 200".getBytes(StandardCharsets.US_ASCII);

  /** Starts a process that lives here. */
  Process start(ProcessBuilder builder) throws IOException;

  /** Opens a TCP connection from here. */
  Socket connect(InetSocketAddress address) throws IOException;

  /** One ICMP echo from here; empty if it is not answered in time. */
  Optional<Duration> ping(InetAddress target, Duration timeout) throws IOException;

  /** Whether something listens at this address, as seen from here. */
  default boolean isListening(InetSocketAddress address) {
    try (Socket socket = connect(address)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether the management port at this address says that its process is ready. */
  default boolean isReady(InetSocketAddress address) {
    try (Socket socket = connect(address)) {
      socket.setSoTimeout((int) CONNECT_TIMEOUT.toMillis());
      socket
          .getOutputStream()
          .write(
              "GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      byte[] start = socket.getInputStream().readNBytes(READY.length);
      return Arrays.equals(start, READY);
    } catch (IOException e) {
      return false;
    }
  }
}
