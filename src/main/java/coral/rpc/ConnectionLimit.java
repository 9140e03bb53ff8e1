package coral.rpc;

import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.pekko.io.Inet;

/**
 * Bounds the connections of strangers: those on which no request has come with a certificate that
 * is known. A fleet behind one address is bounded only while it shakes hands.
 *
 * <p>Pekko HTTP serves HTTP/2 by {@code bind} alone, which shows neither the connections nor their
 * addresses. It does run the port's socket options on every socket it accepts: this is one of them.
 */
final class ConnectionLimit extends Inet.AbstractSocketOption {
  private static final class Stranger {
    private final Socket socket;
    private long closeAt;

    Stranger(Socket socket, long closeAt) {
      this.socket = socket;
      this.closeAt = closeAt;
    }
  }

  private final RpcServerSettings settings;
  private final LongSupplier nanoTime;
  private final Map<SourceNetwork, Map<InetSocketAddress, Stranger>> strangers = new HashMap<>();

  /**
   * A limit that has seen no connection yet.
   *
   * @param nanoTime as {@link System#nanoTime}
   */
  ConnectionLimit(RpcServerSettings settings, LongSupplier nanoTime) {
    this.settings = settings;
    this.nanoTime = nanoTime;
  }

  /** Called for every socket that is accepted, before any of it is read. */
  @Override
  public void afterConnect(Socket socket) {
    if (socket.getRemoteSocketAddress() instanceof InetSocketAddress remote
        && !admit(remote, socket)) {
      KnownConnections.close(socket);
    }
  }

  private synchronized boolean admit(InetSocketAddress remote, Socket socket) {
    SourceNetwork network = SourceNetwork.of(remote.getAddress());
    Map<InetSocketAddress, Stranger> neighbours =
        strangers.computeIfAbsent(network, n -> new HashMap<>());
    int most = network.loopback() ? settings.maxLoopbackStrangers() : settings.maxStrangers();
    if (neighbours.size() >= most) {
      neighbours.values().removeIf(stranger -> stranger.socket.isClosed());
    }
    if (neighbours.size() >= most) {
      return false;
    }
    neighbours.put(remote, new Stranger(socket, in(settings.firstRequestTimeout())));
    return true;
  }

  /** Takes note of a request without a certificate that is known. */
  synchronized void strangerCalled(InetSocketAddress remote) {
    Stranger stranger = neighbours(remote).get(remote);
    if (stranger != null) {
      stranger.closeAt = in(settings.strangerIdleTimeout());
    }
  }

  /**
   * Takes note of a request with a certificate: its connection is a stranger's no more.
   *
   * @return the connection, if this is the first such request on it
   */
  synchronized Optional<Socket> known(InetSocketAddress remote) {
    return Optional.ofNullable(neighbours(remote).remove(remote)).map(stranger -> stranger.socket);
  }

  /** Closes what has been silent for too long. To be called about every second. */
  synchronized void sweep() {
    long now = nanoTime.getAsLong();
    Iterator<Map<InetSocketAddress, Stranger>> networks = strangers.values().iterator();
    while (networks.hasNext()) {
      Collection<Stranger> neighbours = networks.next().values();
      neighbours.removeIf(stranger -> stranger.socket.isClosed() || closed(stranger, now));
      if (neighbours.isEmpty()) {
        networks.remove();
      }
    }
  }

  /** How many connections are of strangers, closed ones since the last sweep included. */
  synchronized int strangers() {
    return strangers.values().stream().mapToInt(Map::size).sum();
  }

  private Map<InetSocketAddress, Stranger> neighbours(InetSocketAddress remote) {
    Map<InetSocketAddress, Stranger> none = new HashMap<>();
    return remote.getAddress() == null
        ? none
        : strangers.getOrDefault(SourceNetwork.of(remote.getAddress()), none);
  }

  private long in(Duration time) {
    return nanoTime.getAsLong() + time.toNanos();
  }

  private static boolean closed(Stranger stranger, long now) {
    boolean late = now - stranger.closeAt >= 0;
    if (late) {
      KnownConnections.close(stranger.socket);
    }
    return late;
  }
}
