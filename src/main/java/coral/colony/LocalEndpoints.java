package coral.colony;

import coral.model.Addresses;
import coral.model.Endpoint;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** The addresses of this host, for a colony that was not told where agents reach it. */
final class LocalEndpoints {
  /** As many as discovery takes. */
  private static final int LIMIT = 16;

  private LocalEndpoints() {}

  /**
   * This host's addresses with a port, IPv4 first; loopback only if there is no other.
   *
   * @param except addresses that are inside the mesh itself
   * @throws IOException if the system does not tell
   */
  static List<Endpoint> of(int port, Set<? extends InetAddress> except) throws IOException {
    List<InetAddress> addresses = new ArrayList<>();
    for (NetworkInterface network : NetworkInterface.networkInterfaces().toList()) {
      if (network.isUp() && !network.isLoopback()) {
        network
            .inetAddresses()
            .filter(a -> !a.isLinkLocalAddress() && !a.isMulticastAddress() && !except.contains(a))
            .forEach(addresses::add);
      }
    }
    if (addresses.isEmpty()) {
      addresses.add(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}));
    }
    return addresses.stream()
        .sorted(Comparator.comparing(a -> a instanceof Inet6Address))
        .limit(LIMIT)
        .map(address -> new Endpoint(Addresses.text(address), port))
        .toList();
  }
}
