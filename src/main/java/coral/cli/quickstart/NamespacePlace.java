package coral.cli.quickstart;

import coral.linux.IcmpEcho;
import coral.linux.Netlink;
import coral.linux.NetworkNamespace;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Optional;

/** A network namespace as a place for processes. */
final class NamespacePlace implements Place, AutoCloseable {
  /** A task in a namespace. */
  @FunctionalInterface
  interface Task<T> {
    T run() throws IOException;
  }

  /** Changes to the links of a namespace. */
  @FunctionalInterface
  interface Configuration {
    void apply(Netlink netlink) throws IOException;
  }

  private final NetworkNamespace namespace;

  private NamespacePlace(NetworkNamespace namespace) {
    this.namespace = namespace;
  }

  static NamespacePlace create(String name) throws IOException {
    return new NamespacePlace(NetworkNamespace.create(name));
  }

  NetworkNamespace namespace() {
    return namespace;
  }

  /** Changes the links of this namespace. */
  void configure(Configuration configuration) throws IOException {
    call(
        () -> {
          try (Netlink netlink = Netlink.open()) {
            configuration.apply(netlink);
          }
          return namespace;
        });
  }

  @Override
  public Optional<Duration> ping(InetAddress target, Duration timeout) throws IOException {
    return call(() -> IcmpEcho.ping(target, timeout));
  }

  @Override
  public Process start(ProcessBuilder builder) throws IOException {
    // The child is made by the calling thread and inherits its namespace.
    return call(builder::start);
  }

  @Override
  public Socket connect(InetSocketAddress address) throws IOException {
    return call(
        () -> {
          Socket socket = new Socket();
          try {
            socket.connect(address, (int) CONNECT_TIMEOUT.toMillis());
            return socket;
          } catch (IOException e) {
            socket.close();
            throw e;
          }
        });
  }

  @Override
  public void close() {
    namespace.close();
  }

  private <T> T call(Task<T> task) throws IOException {
    try {
      return namespace.call(task::run);
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    } catch (Exception e) {
      throw new IOException(e);
    }
  }
}
