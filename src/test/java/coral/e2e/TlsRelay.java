package coral.e2e;

import coral.certificate.Identity;
import coral.rpc.TrustsAll;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;

/**
 * Stands before a server with the server's own key, and behind every client that has a certificate
 * with that client's own key: what either side says is encrypted on the wire and readable here.
 */
final class TlsRelay implements AutoCloseable {
  private static final char[] NO_PASSWORD = new char[0];
  private static final int MAX_READ = 16 << 10;
  private static final long END_MILLIS = 10_000;

  /** How the server is reached in the client's name. */
  interface Server {
    /**
     * What connects to it.
     *
     * @param client the certificate that the client showed
     */
    SSLContext inTheNameOf(Optional<X509Certificate> client) throws IOException;
  }

  /** What was said on one connection, in one direction. */
  @SuppressWarnings("ArrayRecordComponent") // read by one, compared by nobody
  record Said(boolean isHttp2, byte[] bytes) {}

  private static final class Connection {
    private final SSLSocket client;
    private final ByteArrayOutputStream up = new ByteArrayOutputStream();
    private final ByteArrayOutputStream down = new ByteArrayOutputStream();
    private volatile boolean isHttp2;

    private Connection(SSLSocket client) {
      this.client = client;
    }
  }

  private final SSLServerSocket socket;
  private final InetSocketAddress to;
  private final Server server;

  /** Guarded by itself. */
  private final List<Connection> connections = new ArrayList<>();

  /** Guarded by {@link #connections}. */
  private final List<AutoCloseable> open = new ArrayList<>();

  /** Guarded by {@link #connections}. */
  private final List<Thread> threads = new ArrayList<>();

  /** Guarded by {@link #connections}. */
  private final List<String> failures = new ArrayList<>();

  private TlsRelay(SSLServerSocket socket, InetSocketAddress to, Server server) {
    this.socket = socket;
    this.to = to;
    this.server = server;
  }

  /**
   * Starts it in the network namespace of the calling thread.
   *
   * @param port where clients are to find it
   * @param to the server's own place
   * @param shown the server's key and chain
   */
  static TlsRelay start(int port, InetSocketAddress to, Identity shown, Server server)
      throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry(
        "server", shown.key(), NO_PASSWORD, shown.chain().toArray(new X509Certificate[0]));
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, NO_PASSWORD);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(keys.getKeyManagers(), new TrustManager[] {new TrustsAll()}, null);
    SSLServerSocket socket =
        (SSLServerSocket) context.getServerSocketFactory().createServerSocket();
    socket.setReuseAddress(true);
    socket.bind(new InetSocketAddress((InetAddress) null, port));
    socket.setWantClientAuth(true);
    TlsRelay relay = new TlsRelay(socket, to, server);
    relay.run("accept", relay::accept);
    return relay;
  }

  private interface Task {
    void run() throws Exception;
  }

  /** Threads are in the namespace of those who start them, and so are their sockets. */
  private void run(String name, Task task) {
    Thread thread =
        new Thread(
            () -> {
              try {
                task.run();
              } catch (Exception e) {
                fail(name + ": " + e);
              }
            },
            "relay-" + name);
    thread.setDaemon(true);
    synchronized (connections) {
      threads.add(thread);
    }
    thread.start();
  }

  private void fail(String message) {
    synchronized (connections) {
      failures.add(message);
    }
  }

  private void accept() throws IOException {
    while (!socket.isClosed()) {
      SSLSocket client;
      try {
        client = (SSLSocket) socket.accept();
      } catch (IOException e) {
        return; // closed
      }
      Connection connection = new Connection(client);
      synchronized (connections) {
        connections.add(connection);
        open.add(client);
      }
      run("connection", () -> serve(connection));
    }
  }

  private void serve(Connection connection) throws IOException {
    SSLSocket client = connection.client;
    client.setHandshakeApplicationProtocolSelector(
        (socket, offered) ->
            offered.contains("h2") ? "h2" : offered.isEmpty() ? "" : offered.get(0));
    client.startHandshake();
    String protocol = client.getApplicationProtocol();
    connection.isHttp2 = protocol.equals("h2");
    SSLSocket behind =
        (SSLSocket)
            server
                .inTheNameOf(certificateOf(client))
                .getSocketFactory()
                .createSocket(to.getAddress(), to.getPort());
    synchronized (connections) {
      open.add(behind);
    }
    if (!protocol.isEmpty()) {
      SSLParameters parameters = behind.getSSLParameters();
      parameters.setApplicationProtocols(new String[] {protocol});
      behind.setSSLParameters(parameters);
    }
    behind.startHandshake();
    run("down", () -> pump(behind, client, connection.down));
    pump(client, behind, connection.up);
  }

  private static Optional<X509Certificate> certificateOf(SSLSocket client) {
    try {
      return Optional.of((X509Certificate) client.getSession().getPeerCertificates()[0]);
    } catch (SSLPeerUnverifiedException e) {
      return Optional.empty(); // it showed none
    }
  }

  /** Until either side ends it, which ends both. */
  private static void pump(SSLSocket from, SSLSocket to, ByteArrayOutputStream record)
      throws IOException {
    byte[] bytes = new byte[MAX_READ];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(bytes); read > 0; read = in.read(bytes)) {
        record.write(bytes, 0, read); // before it is passed on: who has heard it, was recorded
        out.write(bytes, 0, read);
      }
    } catch (IOException e) {
      // A connection that breaks is over; what was said is recorded.
    }
  }

  /** What clients have said. */
  List<Said> saidByClients() {
    synchronized (connections) {
      return connections.stream().map(c -> new Said(c.isHttp2, c.up.toByteArray())).toList();
    }
  }

  /** What the server has said. */
  List<Said> saidByServer() {
    synchronized (connections) {
      return connections.stream().map(c -> new Said(c.isHttp2, c.down.toByteArray())).toList();
    }
  }

  /** What went wrong here. */
  List<String> failures() {
    synchronized (connections) {
      return List.copyOf(failures);
    }
  }

  @Override
  public void close() throws Exception {
    socket.close();
    List<AutoCloseable> sockets;
    List<Thread> running;
    synchronized (connections) {
      sockets = List.copyOf(open);
      running = List.copyOf(threads);
    }
    for (AutoCloseable each : sockets) {
      each.close();
    }
    for (Thread thread : running) {
      thread.join(END_MILLIS);
    }
  }
}
