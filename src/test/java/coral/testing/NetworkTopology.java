package coral.testing;

import coral.linux.IcmpEcho;
import coral.linux.Netlink;
import coral.linux.NetworkNamespace;
import coral.linux.TunDevice;
import coral.model.IpPrefix;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Hosts on one network, all in this process:
 *
 * <pre>
 *   namespace host-0       namespace host-1       namespace host-2
 *   eth0 10.99.0.1/24      eth0 10.99.0.2/24      eth0 10.99.0.3/24
 *        fd99::1/64             fd99::2/64             fd99::3/64
 *          |                      |                      |
 *   port0 -+-------------- port1 -+-------------- port2 -+    namespace hub
 *                 bridge br0 10.99.0.254/24, fd99::fe/64
 * </pre>
 *
 * Closing it removes everything, also what a test created inside the hosts.
 */
public final class NetworkTopology implements AutoCloseable {
  /** As many as the last byte of an address has room for below the hub's. */
  private static final int MAX_HOSTS = 250;

  private static final int HUB_NUMBER = 254;
  private static final Duration ECHO_TIMEOUT = Duration.ofMillis(100);

  /** Links become ready within milliseconds; loaded machines get five seconds. */
  private static final int ECHO_ATTEMPTS = 50;

  private final NetworkNamespace hub;
  private final List<NetworkNamespace> hosts = new ArrayList<>();

  private NetworkTopology(NetworkNamespace hub) {
    this.hub = hub;
  }

  /** Skips the calling test, with the reason, where networks cannot be built. */
  public static void assumePossible() {
    Requirements.TUN.check(TunDevice.isAvailable(), TunDevice.unavailableReason());
    try {
      // Namespaces need CAP_SYS_ADMIN, which is another question.
      NetworkNamespace.create("probe").close();
    } catch (IOException e) {
      Requirements.TUN.check(false, String.valueOf(e.getMessage()));
    }
  }

  /** Builds the network; it works for both families when this returns. */
  public static NetworkTopology create(int hosts) throws Exception {
    if (hosts < 1 || hosts > MAX_HOSTS) {
      throw new IllegalArgumentException("1 to " + MAX_HOSTS + " hosts, not " + hosts);
    }
    NetworkTopology topology = new NetworkTopology(NetworkNamespace.create("hub"));
    boolean created = false;
    try {
      topology.inHub(topology::createBridge);
      for (int host = 0; host < hosts; host++) {
        topology.addHost(host);
      }
      for (int host = 0; host < hosts; host++) {
        topology.awaitAnswer(topology.ipv4(host));
        topology.awaitAnswer(topology.ipv6(host));
      }
      created = true;
      return topology;
    } finally {
      if (!created) {
        topology.close();
      }
    }
  }

  private Void createBridge() throws IOException {
    try (Netlink netlink = Netlink.open()) {
      netlink.addBridge("br0");
      int bridge = netlink.indexOf("br0");
      netlink.putAddress(bridge, IpPrefix.parseAddress("10.99.0." + HUB_NUMBER), 24);
      netlink.putAddress(bridge, IpPrefix.parseAddress("fd99::fe"), 64);
      netlink.setUp(bridge, true);
    }
    return null;
  }

  private void addHost(int number) throws Exception {
    NetworkNamespace host = NetworkNamespace.create("host-" + number);
    hosts.add(host);
    String port = "port" + number;
    inHub(
        () -> {
          try (Netlink netlink = Netlink.open()) {
            netlink.addVeth(port, "eth0", host);
            int index = netlink.indexOf(port);
            netlink.enslave(index, netlink.indexOf("br0"));
            netlink.setUp(index, true);
          }
          return null;
        });
    host.call(
        () -> {
          try (Netlink netlink = Netlink.open()) {
            int index = netlink.indexOf("eth0");
            netlink.putAddress(index, ipv4(number), 24);
            netlink.putAddress(index, ipv6(number), 64);
            netlink.setUp(index, true);
          }
          return null;
        });
  }

  private void awaitAnswer(InetAddress address) throws Exception {
    for (int attempt = 0; attempt < ECHO_ATTEMPTS; attempt++) {
      if (inHub(() -> IcmpEcho.ping(address, ECHO_TIMEOUT)).isPresent()) {
        return;
      }
    }
    throw new IOException("no answer from " + address.getHostAddress() + " on the test network");
  }

  public int size() {
    return hosts.size();
  }

  public NetworkNamespace host(int number) {
    return hosts.get(number);
  }

  /** Runs a task on a host; what it creates stays there. */
  public <T> T on(int host, Callable<T> task) throws Exception {
    return hosts.get(host).call(task);
  }

  public <T> T inHub(Callable<T> task) throws Exception {
    return hub.call(task);
  }

  public InetAddress ipv4(int host) {
    return IpPrefix.parseAddress("10.99.0." + (host + 1));
  }

  public InetAddress ipv6(int host) {
    return IpPrefix.parseAddress("fd99::" + Integer.toHexString(host + 1));
  }

  /** Pulls or plugs the host's cable; its addresses stay. */
  public void setConnected(int host, boolean connected) throws Exception {
    inHub(
        () -> {
          try (Netlink netlink = Netlink.open()) {
            netlink.setUp(netlink.indexOf("port" + host), connected);
          }
          return null;
        });
  }

  /** Gives a host another address of the network, as a host that roams has. */
  public void readdress(int host, InetAddress from, InetAddress to) throws Exception {
    int length = from.getAddress().length == 4 ? 24 : 64;
    on(
        host,
        () -> {
          try (Netlink netlink = Netlink.open()) {
            int index = netlink.indexOf("eth0");
            // In this order: with the first address of a subnet the kernel drops the others too.
            netlink.removeAddress(index, from, length);
            netlink.putAddress(index, to, length);
          }
          return null;
        });
  }

  @Override
  public void close() {
    @Nullable RuntimeException failure = null;
    List<NetworkNamespace> all = new ArrayList<>(hosts);
    all.add(hub);
    for (NetworkNamespace namespace : all) {
      try {
        namespace.close();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
