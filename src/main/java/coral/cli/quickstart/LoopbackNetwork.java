package coral.cli.quickstart;

import coral.model.Endpoint;
import coral.model.IpPrefix;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Everything on the host's loopback interface, for users who may not create interfaces. */
final class LoopbackNetwork implements Network, Place {
  private static final String LOOPBACK = "127.0.0.1";

  private final Ports ports;

  private LoopbackNetwork(Ports ports) {
    this.ports = ports;
  }

  /** Chooses ports that are free now, so that a colony of this host is left alone. */
  static LoopbackNetwork create() throws IOException {
    InetAddress loopback = IpPrefix.parseAddress(LOOPBACK);
    List<ServerSocket> held = new ArrayList<>();
    try (DatagramSocket wireGuard = new DatagramSocket(0, loopback)) {
      for (int i = 0; i < 4; i++) {
        held.add(new ServerSocket(0, 1, loopback));
      }
      return new LoopbackNetwork(
          new Ports(
              held.get(0).getLocalPort(),
              held.get(1).getLocalPort(),
              wireGuard.getLocalPort(),
              held.get(2).getLocalPort(),
              held.get(3).getLocalPort()));
    } finally {
      for (ServerSocket socket : held) {
        socket.close();
      }
    }
  }

  @Override
  public String description() {
    return "on the loopback interface; every tunnel ends inside its process";
  }

  @Override
  public boolean hasInterfaces() {
    return false;
  }

  @Override
  public Place hub() {
    return this;
  }

  @Override
  public Place agent(int number) {
    return this;
  }

  @Override
  public Ports ports() {
    return ports;
  }

  @Override
  public List<String> hubAddresses() {
    return List.of(LOOPBACK);
  }

  @Override
  public Endpoint exposed() {
    return new Endpoint(LOOPBACK, ports.colony());
  }

  @Override
  public void close() {
    // nothing was made
  }

  @Override
  public Process start(ProcessBuilder builder) throws IOException {
    return builder.start();
  }

  /** The host itself has no part in a mesh whose tunnels end inside processes. */
  @Override
  public Optional<Duration> ping(InetAddress target, Duration timeout) {
    return Optional.empty();
  }

  @Override
  public Socket connect(InetSocketAddress address) throws IOException {
    Socket socket = new Socket();
    try {
      socket.connect(address, (int) CONNECT_TIMEOUT.toMillis());
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }
}
