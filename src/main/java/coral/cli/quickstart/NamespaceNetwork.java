package coral.cli.quickstart;

import coral.linux.Netlink;
import coral.model.Endpoint;
import coral.model.IpPrefix;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A network namespace for every agent and one for the hub, joined by a bridge in the hub's. The
 * host's own namespace gets no interface, address or route:
 *
 * <pre>
 *   host          hub: discovery, colony         agent-1 ... agent-n
 *                 bridge 198.18.0.1/24
 *   relay ------> 127.0.0.1:9000                 198.18.0.10 ...
 *   127.0.0.1     |  fd00:198:18::1/64           fd00:198:18::a ...
 *                 +-- veth --------------------- uplink
 * </pre>
 */
final class NamespaceNetwork implements Network {
  /** Of 198.18.0.0/15, which is for tests between networks (RFC 2544) and routed nowhere. */
  private static final String IPV4 = "198.18.0.";

  private static final int IPV4_LENGTH = 24;

  /** A unique local prefix (RFC 4193) that exists in these namespaces only. */
  private static final String IPV6 = "fd00:198:18::";

  private static final int IPV6_LENGTH = 64;

  private static final int HUB_NUMBER = 1;

  /** Agent 1 is at 198.18.0.10. */
  private static final int AGENT_OFFSET = 9;

  private static final String BRIDGE = "bridge";
  private static final String UPLINK = "uplink";
  private static final Logger LOG = LoggerFactory.getLogger(NamespaceNetwork.class);

  /** The defaults: in a namespace of its own nothing else holds them. */
  private static final Ports PORTS = new Ports(8080, 9000, 41820, 7626, 7355);

  private final NamespacePlace hub;
  private final List<NamespacePlace> agents = new ArrayList<>();
  private @Nullable TcpRelay relay;

  private NamespaceNetwork(NamespacePlace hub) {
    this.hub = hub;
  }

  /** Makes the hub's namespace with its bridge. */
  static NamespaceNetwork create() throws IOException {
    NamespacePlace hub = NamespacePlace.create("hub");
    try {
      hub.configure(
          netlink -> {
            netlink.addBridge(BRIDGE);
            int bridge = netlink.indexOf(BRIDGE);
            netlink.setUp(bridge, true);
            putAddresses(netlink, bridge, HUB_NUMBER);
          });
      return new NamespaceNetwork(hub);
    } catch (IOException | RuntimeException e) {
      hub.close();
      throw e;
    }
  }

  @Override
  public String description() {
    return "in network namespaces, each agent with an interface of its own";
  }

  @Override
  public boolean hasInterfaces() {
    return true;
  }

  @Override
  public Place hub() {
    return hub;
  }

  @Override
  public synchronized NamespacePlace agent(int number) throws IOException {
    while (agents.size() < number) {
      agents.add(join(agents.size() + 1));
    }
    return agents.get(number - 1);
  }

  private NamespacePlace join(int number) throws IOException {
    NamespacePlace agent = NamespacePlace.create("agent-" + number);
    try {
      String port = "port" + number;
      hub.configure(
          netlink -> {
            netlink.addVeth(port, UPLINK, agent.namespace());
            int index = netlink.indexOf(port);
            netlink.enslave(index, netlink.indexOf(BRIDGE));
            netlink.setUp(index, true);
          });
      agent.configure(
          netlink -> {
            int uplink = netlink.indexOf(UPLINK);
            netlink.setUp(uplink, true);
            putAddresses(netlink, uplink, AGENT_OFFSET + number);
          });
      return agent;
    } catch (IOException | RuntimeException e) {
      agent.close();
      throw e;
    }
  }

  private static void putAddresses(Netlink netlink, int link, int number) throws IOException {
    netlink.putAddress(link, IpPrefix.parseAddress(IPV4 + number), IPV4_LENGTH);
    netlink.putAddress(
        link, IpPrefix.parseAddress(IPV6 + Integer.toHexString(number)), IPV6_LENGTH);
  }

  @Override
  public Ports ports() {
    return PORTS;
  }

  @Override
  public List<String> hubAddresses() {
    return List.of(IPV4 + HUB_NUMBER, IPV6 + HUB_NUMBER);
  }

  @Override
  public synchronized Endpoint exposed() throws IOException {
    if (relay == null) {
      InetSocketAddress colony =
          new InetSocketAddress(IpPrefix.parseAddress("127.0.0.1"), PORTS.colony());
      relay = TcpRelay.start(() -> hub.connect(colony));
    }
    return new Endpoint("127.0.0.1", relay.port());
  }

  @Override
  public synchronized void close() {
    if (relay != null) {
      relay.close();
    }
    agents.forEach(NamespaceNetwork::closeQuietly);
    closeQuietly(hub);
  }

  private static void closeQuietly(NamespacePlace place) {
    try {
      place.close();
    } catch (RuntimeException e) {
      // It goes with this process in any case.
      LOG.warn("A network namespace could not be removed: {}", e.toString());
    }
  }
}
