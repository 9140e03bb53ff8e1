package coral.e2e;

import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.model.Endpoint;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;

/**
 * One connection over TLS that stays open between calls, as an agent's does; the JDK's HTTP client
 * closes one that was idle for seconds. Speaks the Connect protocol over HTTP/1.1.
 */
final class HeldConnection implements AutoCloseable {
  private static final int MAX_LINE = 8 << 10;

  private final Endpoint endpoint;
  private final SSLSocket socket;
  private final InputStream in;

  private HeldConnection(Endpoint endpoint, SSLSocket socket) throws IOException {
    this.endpoint = endpoint;
    this.socket = socket;
    this.in = new BufferedInputStream(socket.getInputStream());
  }

  /** Connects, and shakes hands. */
  static HeldConnection open(Endpoint endpoint, SSLContext tls, Duration timeout)
      throws IOException {
    SSLSocket socket =
        (SSLSocket) tls.getSocketFactory().createSocket(endpoint.host(), endpoint.port());
    try {
      socket.setSoTimeout(Math.toIntExact(timeout.toMillis()));
      socket.setTcpNoDelay(true);
      socket.startHandshake();
      return new HeldConnection(endpoint, socket);
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Makes a call, after the one before. */
  synchronized <T extends Message> T call(String rpc, Message request, Parser<T> response)
      throws IOException {
    byte[] body = request.toByteArray();
    String head =
        "POST /%s HTTP/1.1\r\nHost: %s\r\n".formatted(rpc, endpoint)
            + "Content-Type: application/proto\r\nConnect-Protocol-Version: 1\r\n"
            + "Content-Length: %d\r\n\r\n".formatted(body.length);
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.writeBytes(head.getBytes(StandardCharsets.US_ASCII));
    message.writeBytes(body);
    socket.getOutputStream().write(message.toByteArray());

    String status = line();
    int length = -1;
    for (String header = line(); !header.isEmpty(); header = line()) {
      if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(header.substring(header.indexOf(':') + 1).strip());
      }
    }
    if (length < 0) {
      throw new IOException("an answer without its length: " + status);
    }
    byte[] answer = in.readNBytes(length);
    if (answer.length < length) {
      throw new EOFException("the connection ended within an answer");
    }
    if (!status.startsWith("HTTP/1.1 200 ")) {
      throw new IOException(status + ": " + new String(answer, StandardCharsets.UTF_8));
    }
    return response.parseFrom(answer);
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    while (line.length() < MAX_LINE) {
      int next = in.read();
      if (next < 0) {
        throw new EOFException("the connection ended before an answer");
      }
      if (next == '\n') {
        return line.toString().strip();
      }
      line.append((char) next);
    }
    throw new IOException("a line that does not end");
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
