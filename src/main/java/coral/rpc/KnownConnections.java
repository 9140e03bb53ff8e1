package coral.rpc;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The connections on which somebody has called with a certificate that was good, by the name in it,
 * so that they can be ended when it is so no longer: a call that is under way, or a stream, is not
 * asked again who it is. Thread-safe.
 */
final class KnownConnections {
  private record Connection(Socket socket, X509Certificate certificate) {}

  private final Map<String, Map<InetSocketAddress, Connection>> byName = new HashMap<>();

  /** Takes note of who is behind a connection: one connection shows one certificate. */
  synchronized void add(
      String name, InetSocketAddress remote, Socket socket, X509Certificate certificate) {
    byName
        .computeIfAbsent(name, n -> new HashMap<>(2))
        .put(remote, new Connection(socket, certificate));
  }

  /**
   * Ends the connections of this name whose certificate has ended, with everything that is under
   * way on them.
   *
   * @return how many
   */
  int close(String name, Predicate<X509Certificate> ended) {
    List<Connection> closing = take(name, ended);
    closing.forEach(connection -> close(connection.socket()));
    return closing.size();
  }

  /**
   * Ends every connection whose certificate has ended, whatever its name: for a certificate of
   * which the name is not known.
   *
   * @return how many
   */
  int close(Predicate<X509Certificate> ended) {
    return names().stream().mapToInt(name -> close(name, ended)).sum();
  }

  private synchronized List<String> names() {
    return List.copyOf(byName.keySet());
  }

  private synchronized List<Connection> take(String name, Predicate<X509Certificate> ended) {
    List<Connection> taken = new ArrayList<>();
    byName
        .getOrDefault(name, new HashMap<>())
        .values()
        .removeIf(
            connection -> {
              boolean takes =
                  !connection.socket().isClosed() && ended.test(connection.certificate());
              if (takes) {
                taken.add(connection);
              }
              return takes;
            });
    return taken;
  }

  /** Forgets those that have ended. To be called about every second. */
  synchronized void sweep() {
    byName
        .values()
        .removeIf(
            connections -> {
              connections.values().removeIf(connection -> connection.socket().isClosed());
              return connections.isEmpty();
            });
  }

  /** How many connections are known, those included that have ended since the last sweep. */
  synchronized int size() {
    return byName.values().stream().mapToInt(Map::size).sum();
  }

  /**
   * Shuts both directions down and leaves closing to the connection's actor, which wakes up by it.
   * It would not be told of a channel that somebody else closed.
   */
  static void close(Socket socket) {
    try {
      socket.setSoLinger(true, 0); // a reset: no port of ours waits for the peer's last packets
      socket.shutdownInput();
      socket.shutdownOutput();
    } catch (IOException e) {
      return; // it is closed already
    }
  }
}
