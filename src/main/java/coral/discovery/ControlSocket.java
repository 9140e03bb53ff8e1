package coral.discovery;

import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Unix socket in discovery's own folder, for commands of whoever owns the folder: its mode, 0700,
 * is the authority, and there is no secret to lose. One line in, any lines out, one at a time.
 */
public final class ControlSocket implements Closeable {
  private static final Logger log = LoggerFactory.getLogger(ControlSocket.class);

  /** Shows the signing keys, one a line: id, state, since when. */
  public static final String KEYS = "keys";

  /** Lets the next key sign from now on, and shows the keys. */
  public static final String ROTATE_KEYS = "keys rotate";

  /**
   * Shows the colonies, one a line: mesh id, owner key or {@code -}, when it was announced last.
   */
  public static final String COLONIES = "colonies";

  /** Before a mesh id and a space: frees it for whoever claims it first. */
  public static final String FORGET_COLONY = "colonies forget";

  /** How an answer begins that says why nothing was done. */
  public static final String ERROR = "error: ";

  private static final String FILE = "control.sock";

  /** Longer than any command. */
  private static final int MAX_LINE = 256;

  private final Path path;
  private final ServerSocketChannel server;

  private ControlSocket(Path path, ServerSocketChannel server) {
    this.path = path;
    this.server = server;
  }

  /**
   * Listens.
   *
   * @param directory that only its owner can enter
   * @param commands answers a line; runs on the socket's thread and may block
   * @throws IOException naming the path, such as one too long for a socket
   */
  static ControlSocket open(Path directory, UnaryOperator<String> commands) throws IOException {
    Path path = directory.resolve(FILE);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      // Discovery's database is open by now: whoever left the file has ended.
      Files.deleteIfExists(path);
      server.bind(UnixDomainSocketAddress.of(path));
    } catch (IOException e) {
      server.close();
      throw new IOException("no commands can be taken at " + path + ": " + e.getMessage(), e);
    }
    ControlSocket socket = new ControlSocket(path, server);
    Thread thread = new Thread(() -> socket.serve(commands), "discovery-control");
    thread.setDaemon(true);
    thread.start();
    return socket;
  }

  private void serve(UnaryOperator<String> commands) {
    while (server.isOpen()) {
      try (SocketChannel client = server.accept()) {
        answer(client, commands);
      } catch (ClosedChannelException e) {
        return;
      } catch (IOException e) {
        log.debug("A command broke off: {}", e.getMessage());
      } catch (RuntimeException e) {
        log.error("A command failed by a defect", e); // and the next one is answered
      }
    }
  }

  private static void answer(SocketChannel client, UnaryOperator<String> commands)
      throws IOException {
    byte[] line = Channels.newInputStream(client).readNBytes(MAX_LINE);
    String answer = commands.apply(new String(line, StandardCharsets.UTF_8).strip());
    try (OutputStream out = Channels.newOutputStream(client)) {
      out.write(answer.getBytes(StandardCharsets.UTF_8));
    }
  }

  /**
   * Has a running discovery do something.
   *
   * @param directory of the discovery
   * @return its answer
   * @throws IOException if none runs there, or it belongs to somebody else
   */
  public static String ask(Path directory, String command) throws IOException {
    Path path = directory.resolve(FILE);
    try (SocketChannel client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
      Channels.newOutputStream(client).write((command + "\n").getBytes(StandardCharsets.UTF_8));
      client.shutdownOutput();
      BufferedReader in =
          new BufferedReader(
              new InputStreamReader(Channels.newInputStream(client), StandardCharsets.UTF_8));
      StringBuilder answer = new StringBuilder();
      in.lines().forEach(line -> answer.append(line).append('\n'));
      return answer.toString();
    } catch (IOException e) {
      throw new IOException(
          "no discovery answers at " + path + " (" + e.getMessage() + "); does it run?", e);
    }
  }

  @Override
  public void close() {
    try {
      server.close();
      Files.deleteIfExists(path);
    } catch (IOException e) {
      log.debug("What is left of {} goes away at the next start", path, e);
    }
  }
}
