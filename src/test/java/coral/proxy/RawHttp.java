package coral.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;

/** HTTP/1.1 as somebody writes it who keeps to no rule. */
final class RawHttp {
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  private RawHttp() {}

  /** Sends the text, and reads until the other side closes; line ends are made HTTP's. */
  static String exchange(int port, String text) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      socket.getOutputStream().write(text.replace("\n", "\r\n").getBytes(ISO_8859_1));
      return new String(socket.getInputStream().readAllBytes(), ISO_8859_1);
    }
  }

  /** The status of the first answer, such as {@code 200}. */
  static int status(int port, String text) throws IOException {
    String answer = exchange(port, text);
    return answer.startsWith("HTTP/1.") ? Integer.parseInt(answer.substring(9, 12)) : 0;
  }
}
