package coral.agent.observation;

import coral.linux.Netlink;
import coral.linux.NetworkNamespace;
import coral.model.IpPrefix;
import coral.model.MeshSubnet;
import coral.testing.NetworkTopology;
import coral.testing.Nftables;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Two hosts of one mesh, with real sockets, and what the agent of each observes. */
final class TrackedHosts implements AutoCloseable {
  static final int CLIENT = 0;
  static final int SERVER = 1;

  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.99.0.0/24", "fd99::/64");

  private final Path sockets;
  private final NetworkTopology network;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  /**
   * @param sockets an empty directory
   */
  TrackedHosts(Path sockets) throws Exception {
    this.sockets = sockets;
    for (String table : List.of("tcp", "tcp6")) {
      Path link = sockets.resolve(table);
      Files.createSymbolicLink(link, Path.of("/proc/thread-self/net", table));
      keep(() -> Files.delete(link));
    }
    network = NetworkTopology.create(2);
    open.push(network);
    for (int host : List.of(CLIENT, SERVER)) {
      setting(host, "net/netfilter/nf_conntrack_acct", "1");
    }
  }

  /** A sysctl of the host. */
  void setting(int host, String name, String value) throws Exception {
    network.on(host, () -> Files.writeString(Path.of("/proc/sys", name), value));
  }

  void rules(int host, String rules) throws Exception {
    network.on(
        host,
        () -> {
          Nftables.add(rules);
          return null;
        });
  }

  /** The addresses of a host, one of each family. */
  List<InetAddress> addresses(int host) {
    return List.of(network.ipv4(host), network.ipv6(host));
  }

  /** Listens on all addresses of a host, for both families. */
  ServerSocketChannel listen(int host, int port) throws Exception {
    return keep(
        network.on(host, () -> ServerSocketChannel.open().bind(new InetSocketAddress(port))));
  }

  SocketChannel connect(int host, InetAddress address, int port) throws Exception {
    return keep(network.on(host, () -> SocketChannel.open(new InetSocketAddress(address, port))));
  }

  /** Asks for a connection and does not wait for an answer. */
  void knock(int host, InetAddress address, int port) throws Exception {
    SocketChannel socket = keep(network.on(host, SocketChannel::open));
    socket.configureBlocking(false);
    socket.connect(new InetSocketAddress(address, port));
  }

  /** The next connection of a listener, to be closed with the rest. */
  SocketChannel accept(ServerSocketChannel listener) throws Exception {
    return keep(listener.accept());
  }

  DatagramChannel datagrams(int host, int port) throws Exception {
    return keep(network.on(host, () -> DatagramChannel.open().bind(new InetSocketAddress(port))));
  }

  /** Sends so many bytes through an open connection, and waits until they are there. */
  static void transfer(SocketChannel from, SocketChannel to, int bytes) throws Exception {
    ByteBuffer sent = ByteBuffer.allocate(bytes);
    while (sent.hasRemaining()) {
      from.write(sent);
    }
    ByteBuffer received = ByteBuffer.allocate(bytes);
    while (received.hasRemaining() && to.read(received) >= 0) {
      // until all of it is there
    }
  }

  /** The kernel's table of tracked connections, as it is. */
  String table(int host) throws Exception {
    return network.on(host, () -> Files.readString(Path.of("/proc/thread-self/net/nf_conntrack")));
  }

  /** What the agent of the host observes. */
  Observation observe(int host) throws Exception {
    return observe(host, new HostConnections());
  }

  /** What it observes where the kernel is built without {@code /proc/net/nf_conntrack}. */
  Observation observeOverNetlink(int host) throws Exception {
    return observe(
        host, new HostConnections(sockets, 1 << 20, 1 << 20, HostConnections.TRACKED_FLOWS));
  }

  private Observation observe(int host, HostConnections connections) throws Exception {
    return network.on(
        host, () -> connections.observe(SUBNET.addresses(host + 1), SUBNET).orElseThrow());
  }

  /**
   * A container with the address 172.17.0.5 behind this host, which forwards for it.
   *
   * <pre>
   *   container eth0 172.17.0.5/24 --- docker0 172.17.0.1/24 host eth0 10.99.0.x/24
   * </pre>
   */
  NetworkNamespace container(int host) throws Exception {
    NetworkNamespace container = keep(NetworkNamespace.create("container"));
    setting(host, "net/ipv4/ip_forward", "1");
    network.on(
        host,
        () -> {
          try (Netlink netlink = Netlink.open()) {
            netlink.addVeth("docker0", "eth0", container);
            int index = netlink.indexOf("docker0");
            netlink.putAddress(index, IpPrefix.parseAddress("172.17.0.1"), 24);
            netlink.setUp(index, true);
          }
          return null;
        });
    container.call(
        () -> {
          try (Netlink netlink = Netlink.open()) {
            int index = netlink.indexOf("eth0");
            netlink.putAddress(index, IpPrefix.parseAddress("172.17.0.5"), 24);
            netlink.setUp(index, true);
            netlink.putRoute(IpPrefix.parse("10.99.0.0/24"), index);
          }
          return null;
        });
    // The container takes all of the network to be on its link, and the host answers for it.
    setting(host, "net/ipv4/neigh/docker0/proxy_delay", "0");
    setting(host, "net/ipv4/conf/docker0/proxy_arp", "1");
    return container;
  }

  /** What is to be closed with the hosts, the last one first. */
  <T extends AutoCloseable> T keep(T resource) {
    open.push(resource);
    return resource;
  }

  @Override
  public void close() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }
}
