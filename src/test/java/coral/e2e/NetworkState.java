package coral.e2e;

import coral.linux.Netlink;
import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;

/** Links, addresses and routes of a network namespace, in words, so that a difference is plain. */
record NetworkState(Set<String> parts) {

  /** Of the calling thread's namespace. */
  static NetworkState now() throws IOException {
    Set<String> parts = new TreeSet<>();
    try (Netlink netlink = Netlink.open()) {
      for (Netlink.Link link : netlink.links()) {
        String name = link.name();
        parts.add(name + " is " + (link.up() ? "up" : "down") + " with MTU " + link.mtu());
        netlink.addresses(link.index()).forEach(address -> parts.add(name + " has " + address));
        netlink.routes(link.index()).forEach(route -> parts.add(name + " carries " + route));
      }
    }
    return new NetworkState(parts);
  }

  boolean hasLink(String name) {
    return parts.stream().anyMatch(part -> part.startsWith(name + " "));
  }
}
