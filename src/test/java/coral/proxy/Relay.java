package coral.proxy;

import coral.model.Endpoint;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/** A path to a server that a test can cut, and make swallow what is sent. */
final class Relay implements AutoCloseable {
  private final Endpoint target;
  private final int port;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final Semaphore passing = new Semaphore(1, true);
  private volatile ServerSocket listening;

  Relay(Endpoint target) throws IOException {
    this.target = target;
    this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    this.port = listening.getLocalPort();
    accept(listening);
  }

  Endpoint endpoint() {
    return new Endpoint("127.0.0.1", port);
  }

  /** As if the server were killed: resets all connections, and refuses new ones. */
  void cut() throws IOException {
    listening.close();
    for (Socket socket : Set.copyOf(sockets)) {
      try {
        socket.setSoLinger(true, 0);
      } catch (SocketException e) {
        // it is closed already
      }
      socket.close();
      sockets.remove(socket);
    }
  }

  /** Refuses new connections; those that there are stay. */
  void refuse() throws IOException {
    listening.close();
  }

  /** The server is back. */
  void mend() throws IOException {
    ServerSocket again = new ServerSocket();
    again.setReuseAddress(true);
    again.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    listening = again;
    accept(again);
  }

  /** From now on nothing passes, and nobody is told. */
  void swallow() {
    passing.acquireUninterruptibly();
  }

  /** What was swallowed passes after all, and what follows. */
  void pass() {
    passing.release();
  }

  /** How many sockets are open: two for each connection. */
  long open() {
    return sockets.stream().filter(socket -> !socket.isClosed()).count();
  }

  private void accept(ServerSocket server) {
    start(
        () -> {
          while (true) {
            Socket in = server.accept();
            sockets.add(in);
            Socket out = new Socket(target.host(), target.port());
            sockets.add(out);
            in.setTcpNoDelay(true);
            out.setTcpNoDelay(true);
            start(() -> copy(in, out));
            start(() -> copy(out, in));
          }
        });
  }

  private void copy(Socket from, Socket to) throws IOException {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[64 << 10];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        passing.acquireUninterruptibly();
        passing.release();
        out.write(buffer, 0, read);
      }
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                // the connection, or the port, was closed
              }
            },
            "relay");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    cut();
    if (passing.availablePermits() == 0) {
      passing.release();
    }
  }
}
