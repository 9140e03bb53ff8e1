package coral.linux;

import coral.model.IpPrefix;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Configures links, addresses and routes ({@code rtnetlink(7)}) of the network namespace of the
 * thread that opened it; every thread may then use it.
 *
 * <p>What is called {@code put} brings a state about and may be repeated; {@code remove} of what is
 * not there is no error. A request that the kernel refuses throws {@link LinuxException} with the
 * kernel's explanation.
 */
public final class Netlink implements AutoCloseable {
  private static final int RTM_NEWLINK = 16;
  private static final int RTM_DELLINK = 17;
  private static final int RTM_GETLINK = 18;
  private static final int RTM_SETLINK = 19;
  private static final int RTM_NEWADDR = 20;
  private static final int RTM_DELADDR = 21;
  private static final int RTM_GETADDR = 22;
  private static final int RTM_NEWROUTE = 24;
  private static final int RTM_DELROUTE = 25;
  private static final int RTM_GETROUTE = 26;

  private static final int IFINFOMSG_SIZE = 16;
  private static final int IFF_UP = 1;
  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_MTU = 4;
  private static final int IFLA_MASTER = 10;
  private static final int IFLA_LINKINFO = 18;
  private static final int IFLA_AF_SPEC = 26;
  private static final int IFLA_NET_NS_FD = 28;
  private static final int IFLA_INFO_KIND = 1;
  private static final int IFLA_INFO_DATA = 2;
  private static final int VETH_INFO_PEER = 1;
  private static final int IFLA_BR_MCAST_SNOOPING = 23;
  private static final int IFLA_INET6_ADDR_GEN_MODE = 8;
  private static final int ADDR_GEN_MODE_NONE = 1;

  private static final int IFADDRMSG_SIZE = 8;
  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;

  /** No duplicate address detection, which would take a second. */
  private static final int IFA_F_NODAD = 2;

  private static final int RTMSG_SIZE = 12;
  private static final int RTA_DST = 1;
  private static final int RTA_OIF = 4;
  private static final int RTA_GATEWAY = 5;
  private static final int RT_TABLE_MAIN = 254;
  private static final int RTPROT_STATIC = 4;
  private static final int RT_SCOPE_UNIVERSE = 0;
  private static final int RT_SCOPE_LINK = 253;
  private static final int RTN_UNICAST = 1;

  /** The loopback link's index, in every network namespace. */
  private static final int LOOPBACK_INDEX = 1;

  private final NetlinkSocket socket;

  private Netlink(NetlinkSocket socket) {
    this.socket = socket;
  }

  /**
   * A network interface.
   *
   * @param mtu bytes
   * @param up whether it is administratively up
   */
  public record Link(int index, String name, int mtu, boolean up) {}

  /** An interface's own address with the length of the prefix that is on its link. */
  public record Address(InetAddress address, int prefixLength) {}

  /** A unicast route of the main table, without a gateway where the destination is on the link. */
  public record Route(IpPrefix destination, Optional<InetAddress> gateway) {}

  /** For the calling thread's network namespace. */
  public static Netlink open() throws IOException {
    return new Netlink(new NetlinkSocket(NetlinkSocket.ROUTE));
  }

  /** Whether the kernel lets this process configure the namespace (CAP_NET_ADMIN). */
  boolean mayConfigure() throws IOException {
    try {
      // Changes no flag of the loopback link; privilege is checked before anything else.
      socket.change("probe", RTM_SETLINK, 0, m -> m.link(LOOPBACK_INDEX, 0, 0));
      return true;
    } catch (LinuxException e) {
      if (e.errno() == Libc.EPERM) {
        return false;
      }
      throw e;
    }
  }

  /**
   * The index of a link.
   *
   * @throws LinuxException with errno ENODEV (19) if there is no such link
   */
  public int indexOf(String name) throws IOException {
    return link(name).index();
  }

  /**
   * The link of this name.
   *
   * @throws LinuxException with errno ENODEV (19) if there is no such link
   */
  public Link link(String name) throws IOException {
    return parseLink(
        socket.get(
            "find the link " + name, RTM_GETLINK, m -> m.link(0, 0, 0).text(IFLA_IFNAME, name)));
  }

  public List<Link> links() throws IOException {
    List<Link> links = new ArrayList<>();
    for (ByteBuffer message : socket.list("list links", RTM_GETLINK, m -> m.link(0, 0, 0))) {
      links.add(parseLink(message));
    }
    return links;
  }

  private static Link parseLink(ByteBuffer message) {
    Map<Integer, byte[]> attributes = NetlinkMessage.attributes(message, IFINFOMSG_SIZE);
    byte[] name = attributes.getOrDefault(IFLA_IFNAME, new byte[0]);
    return new Link(
        message.getInt(4),
        new String(name, StandardCharsets.UTF_8).replace("\0", ""),
        u32(attributes.get(IFLA_MTU)),
        (message.getInt(8) & IFF_UP) != 0);
  }

  /** Brings a link up or takes it down, which removes its IPv6 addresses and its routes. */
  public void setUp(int index, boolean up) throws IOException {
    socket.change(
        (up ? "bring up link " : "take down link ") + index,
        RTM_SETLINK,
        0,
        m -> m.link(index, up ? IFF_UP : 0, IFF_UP));
  }

  /**
   * Sets the largest packet that the link carries.
   *
   * @param mtu bytes, within the range of the link's kind
   */
  public void setMtu(int index, int mtu) throws IOException {
    socket.change(
        "set the MTU of link " + index + " to " + mtu,
        RTM_SETLINK,
        0,
        m -> m.link(index, 0, 0).u32(IFLA_MTU, mtu));
  }

  /** No link-local address and no router solicitations from now on; nothing without IPv6. */
  void disableAddressGeneration(int index) throws IOException {
    try {
      socket.change(
          "disable IPv6 address generation of link " + index,
          RTM_SETLINK,
          0,
          m -> {
            m.link(index, 0, 0);
            int families = m.begin(IFLA_AF_SPEC);
            int inet6 = m.begin(Libc.AF_INET6);
            m.u8(IFLA_INET6_ADDR_GEN_MODE, ADDR_GEN_MODE_NONE).end(inet6).end(families);
          });
    } catch (LinuxException e) {
      // The kernel was started with ipv6.disable=1: there is nothing to silence.
      if (e.errno() != Libc.EAFNOSUPPORT && e.errno() != Libc.EOPNOTSUPP) {
        throw e;
      }
    }
  }

  /**
   * Puts an address on a link, without duplicate address detection. The kernel makes an IPv6
   * address usable in the background, a moment after both the address is there and the link is up.
   *
   * @param prefixLength addresses within it are reached through this link once it is up; 32 or 128
   *     for none
   */
  public void putAddress(int index, InetAddress address, int prefixLength) throws IOException {
    socket.change(
        "put " + text(address, prefixLength) + " on link " + index,
        RTM_NEWADDR,
        NetlinkSocket.CREATE | NetlinkSocket.REPLACE,
        addressMessage(index, address, prefixLength));
  }

  public void removeAddress(int index, InetAddress address, int prefixLength) throws IOException {
    removeUnlessAbsent(
        "remove " + text(address, prefixLength) + " from link " + index,
        RTM_DELADDR,
        Libc.EADDRNOTAVAIL,
        addressMessage(index, address, prefixLength));
  }

  private static Consumer<NetlinkMessage> addressMessage(
      int index, InetAddress address, int prefixLength) {
    byte[] bytes = address.getAddress();
    int flags = bytes.length == 16 ? IFA_F_NODAD : 0;
    return m ->
        m.address(family(bytes), prefixLength, flags, index)
            .bytes(IFA_LOCAL, bytes)
            .bytes(IFA_ADDRESS, bytes);
  }

  /** The link's addresses of both families. */
  public List<Address> addresses(int index) throws IOException {
    List<Address> addresses = new ArrayList<>();
    String what = "list the addresses of link " + index;
    for (ByteBuffer message : socket.list(what, RTM_GETADDR, m -> m.address(0, 0, 0, 0))) {
      if (message.getInt(4) == index) {
        Map<Integer, byte[]> attributes = NetlinkMessage.attributes(message, IFADDRMSG_SIZE);
        byte[] own = attributes.getOrDefault(IFA_LOCAL, attributes.get(IFA_ADDRESS));
        if (own != null) {
          int length = Byte.toUnsignedInt(message.get(1));
          addresses.add(new Address(InetAddress.getByAddress(own), length));
        }
      }
    }
    return addresses;
  }

  /** Routes a prefix to whatever is on a link that is up, replacing the route that was there. */
  public void putRoute(IpPrefix destination, int index) throws IOException {
    putRoute(destination, index, null);
  }

  /** Routes a prefix through a gateway on a link that is up, replacing the route that was there. */
  public void putRouteThrough(IpPrefix destination, InetAddress gateway, int index)
      throws IOException {
    putRoute(destination, index, gateway);
  }

  private void putRoute(IpPrefix destination, int index, @Nullable InetAddress gateway)
      throws IOException {
    int scope =
        gateway == null && destination.address().getAddress().length == 4
            ? RT_SCOPE_LINK
            : RT_SCOPE_UNIVERSE;
    socket.change(
        "route " + destination + " to link " + index,
        RTM_NEWROUTE,
        NetlinkSocket.CREATE | NetlinkSocket.REPLACE,
        m -> {
          routeMessage(m, destination, RTPROT_STATIC, scope, RTN_UNICAST).u32(RTA_OIF, index);
          if (gateway != null) {
            m.bytes(RTA_GATEWAY, gateway.getAddress());
          }
        });
  }

  public void removeRoute(IpPrefix destination, int index) throws IOException {
    removeUnlessAbsent(
        "remove the route of " + destination + " to link " + index,
        RTM_DELROUTE,
        Libc.ESRCH,
        // 255 is RT_SCOPE_NOWHERE, and type 0 is unspecified: any.
        m -> routeMessage(m, destination, 0, 255, 0).u32(RTA_OIF, index));
  }

  private static NetlinkMessage routeMessage(
      NetlinkMessage m, IpPrefix destination, int protocol, int scope, int type) {
    byte[] bytes = destination.address().getAddress();
    return m.route(family(bytes), destination.length(), RT_TABLE_MAIN, protocol, scope, type)
        .bytes(RTA_DST, bytes);
  }

  /** The main table's unicast routes to a link, of both families. */
  public List<Route> routes(int index) throws IOException {
    List<Route> routes = new ArrayList<>();
    for (int family : new int[] {Libc.AF_INET, Libc.AF_INET6}) {
      String what = "list the routes to link " + index;
      for (ByteBuffer message :
          socket.list(what, RTM_GETROUTE, m -> m.route(family, 0, 0, 0, 0, 0))) {
        Map<Integer, byte[]> attributes = NetlinkMessage.attributes(message, RTMSG_SIZE);
        boolean main = Byte.toUnsignedInt(message.get(4)) == RT_TABLE_MAIN;
        if (main && message.get(7) == RTN_UNICAST && u32(attributes.get(RTA_OIF)) == index) {
          routes.add(parseRoute(family, Byte.toUnsignedInt(message.get(1)), attributes));
        }
      }
    }
    return routes;
  }

  private static Route parseRoute(int family, int length, Map<Integer, byte[]> attributes)
      throws IOException {
    byte[] any = new byte[family == Libc.AF_INET ? 4 : 16];
    InetAddress destination = InetAddress.getByAddress(attributes.getOrDefault(RTA_DST, any));
    byte[] gateway = attributes.get(RTA_GATEWAY);
    return new Route(
        new IpPrefix(destination, length),
        gateway == null ? Optional.empty() : Optional.of(InetAddress.getByAddress(gateway)));
  }

  /**
   * Creates two links joined back to back, both down: one here, its peer in the other namespace.
   */
  public void addVeth(String name, String peerName, NetworkNamespace peerNamespace)
      throws IOException {
    addLink(
        name,
        "veth",
        m -> {
          int data = m.begin(IFLA_INFO_DATA);
          int peer = m.begin(VETH_INFO_PEER);
          m.link(0, 0, 0).text(IFLA_IFNAME, peerName).u32(IFLA_NET_NS_FD, peerNamespace.fd());
          m.end(peer).end(data);
        });
  }

  /**
   * Creates a bridge, down. It forwards multicast to all its ports, so that IPv6 neighbour
   * discovery does not depend on multicast listener reports.
   */
  public void addBridge(String name) throws IOException {
    addLink(
        name,
        "bridge",
        m -> {
          int data = m.begin(IFLA_INFO_DATA);
          m.u8(IFLA_BR_MCAST_SNOOPING, 0).end(data);
        });
  }

  private void addLink(String name, String kind, Consumer<NetlinkMessage> data) throws IOException {
    socket.change(
        "create the " + kind + " " + name,
        RTM_NEWLINK,
        NetlinkSocket.CREATE | NetlinkSocket.EXCLUSIVE,
        m -> {
          m.link(0, 0, 0).text(IFLA_IFNAME, name);
          int information = m.begin(IFLA_LINKINFO);
          m.text(IFLA_INFO_KIND, kind);
          data.accept(m);
          m.end(information);
        });
  }

  /** Makes a link a port of a bridge. */
  public void enslave(int index, int bridgeIndex) throws IOException {
    socket.change(
        "make link " + index + " a port of bridge " + bridgeIndex,
        RTM_SETLINK,
        0,
        m -> m.link(index, 0, 0).u32(IFLA_MASTER, bridgeIndex));
  }

  /** Moves a link to another namespace, where it is down and without addresses. */
  public void move(int index, NetworkNamespace target) throws IOException {
    socket.change(
        "move link " + index + " to " + target,
        RTM_SETLINK,
        0,
        m -> m.link(index, 0, 0).u32(IFLA_NET_NS_FD, target.fd()));
  }

  /** Removes a link, and its peer if it has one; that there is none any more is no error. */
  public void removeLink(int index) throws IOException {
    removeUnlessAbsent("remove link " + index, RTM_DELLINK, Libc.ENODEV, m -> m.link(index, 0, 0));
  }

  private void removeUnlessAbsent(String what, int type, int absent, Consumer<NetlinkMessage> body)
      throws IOException {
    try {
      socket.change(what, type, 0, body);
    } catch (LinuxException e) {
      if (e.errno() != absent) {
        throw e;
      }
    }
  }

  private static int family(byte[] address) {
    return address.length == 4 ? Libc.AF_INET : Libc.AF_INET6;
  }

  private static int u32(byte @Nullable [] value) {
    return value == null ? 0 : ByteBuffer.wrap(value).order(ByteOrder.nativeOrder()).getInt();
  }

  private static String text(InetAddress address, int prefixLength) {
    return address.getHostAddress() + "/" + prefixLength;
  }

  @Override
  public void close() {
    socket.close();
  }
}
