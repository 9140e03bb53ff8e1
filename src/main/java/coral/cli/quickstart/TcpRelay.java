package coral.cli.quickstart;

import coral.model.IpPrefix;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries TCP connections from a loopback port of the host to a place that the host has no route
 * to. The bytes pass unchanged: TLS ends at the other side.
 */
final class TcpRelay implements AutoCloseable {
  /** Far more than a few queries at once need, and a bound on threads. */
  static final int MAX_CONNECTIONS = 64;

  private static final Logger LOG = LoggerFactory.getLogger(TcpRelay.class);
  private static final int BUFFER_BYTES = 16 * 1024;

  /** Opens a connection to the other side. */
  @FunctionalInterface
  interface Connector {
    Socket connect() throws IOException;
  }

  private final ServerSocket listener;
  private final Connector connector;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();

  private TcpRelay(ServerSocket listener, Connector connector) {
    this.listener = listener;
    this.connector = connector;
  }

  /** Listens on a free port of 127.0.0.1. */
  static TcpRelay start(Connector connector) throws IOException {
    ServerSocket listener = new ServerSocket();
    listener.bind(new InetSocketAddress(IpPrefix.parseAddress("127.0.0.1"), 0));
    TcpRelay relay = new TcpRelay(listener, connector);
    daemon("relay", relay::accept);
    return relay;
  }

  /** The port on 127.0.0.1. */
  int port() {
    return listener.getLocalPort();
  }

  /** Stops listening and breaks every connection. */
  @Override
  public void close() {
    closeQuietly(listener);
    open.forEach(TcpRelay::closeQuietly);
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket near = listener.accept();
        if (listener.isClosed() || open.size() >= 2 * MAX_CONNECTIONS) {
          closeQuietly(near);
        } else {
          open.add(near);
          daemon("relay-connection", () -> serve(near));
        }
      } catch (IOException e) {
        if (!listener.isClosed()) {
          LOG.warn("The relay stops: {}", e.toString());
          close();
        }
      }
    }
  }

  private void serve(Socket near) {
    try {
      Socket far = connector.connect();
      open.add(far);
      if (listener.isClosed()) {
        throw new IOException("the relay is closed");
      }
      // What is small and last would wait for 40 ms (RFC 9293, section 3.7.4, and 3.8.6.3).
      near.setTcpNoDelay(true);
      far.setTcpNoDelay(true);
      daemon("relay-upward", () -> copy(near, far));
      copy(far, near);
    } catch (IOException e) {
      LOG.warn("A connection could not be relayed: {}", e.toString());
      closeBoth(near, near);
    }
  }

  /** Copies until the end of the input, which it passes on; an error breaks both connections. */
  private void copy(Socket from, Socket to) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        out.write(buffer, 0, count);
      }
      to.shutdownOutput();
      if (from.isOutputShutdown()) {
        closeBoth(from, to);
      }
    } catch (IOException e) {
      closeBoth(from, to);
    }
  }

  private void closeBoth(Socket one, Socket other) {
    for (Socket socket : new HashSet<>(List.of(one, other))) {
      closeQuietly(socket);
      open.remove(socket);
    }
  }

  private static void closeQuietly(Closeable closeable) {
    try {
      closeable.close();
    } catch (IOException e) {
      LOG.debug("Closing: {}", e.toString());
    }
  }

  private static void daemon(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }
}
