package coral.rpc;

import coral.model.IpPrefix;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a request comes from, if its connection comes from a proxy that is trusted to say so in
 * {@code X-Forwarded-For}: each proxy appends the address that it was called from, so that the last
 * address that is none of the trusted ones is the client's. What stands before it the client may
 * have written itself. From anybody else the header says nothing.
 */
final class TrustedProxies {
  static final String HEADER = "x-forwarded-for";

  private final List<IpPrefix> prefixes;

  /**
   * Trusts proxies.
   *
   * @param prefixes of their addresses; empty trusts nobody
   */
  TrustedProxies(List<IpPrefix> prefixes) {
    this.prefixes = List.copyOf(prefixes);
  }

  /**
   * Where a request comes from.
   *
   * @param peer of the connection
   * @param headers the values of {@link #HEADER} in their order
   * @return the peer unless it is a trusted proxy; with port 0 if it is not the peer
   */
  InetSocketAddress client(InetSocketAddress peer, Iterable<String> headers) {
    if (peer.getAddress() == null || !trusts(peer.getAddress())) {
      return peer;
    }
    List<String> path = new ArrayList<>();
    headers.forEach(value -> path.addAll(List.of(value.split(",", -1))));
    InetAddress nearest = peer.getAddress();
    for (int i = path.size() - 1; i >= 0 && trusts(nearest); i--) {
      try {
        nearest = IpPrefix.parseAddress(path.get(i).strip());
      } catch (IllegalArgumentException e) {
        break; // nobody knows what is before it: the proxy that let it through stands for it
      }
    }
    return nearest.equals(peer.getAddress()) ? peer : new InetSocketAddress(nearest, 0);
  }

  private boolean trusts(InetAddress address) {
    return prefixes.stream().anyMatch(prefix -> prefix.contains(address));
  }
}
