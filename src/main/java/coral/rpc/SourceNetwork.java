package coral.rpc;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Arrays;

/**
 * What counts as one place that calls come from: an address of IPv4, a /64 of IPv6. A subscriber
 * has at least a /64 (RFC 6177), so that limits on single addresses of IPv6 would limit nobody.
 *
 * @param prefix the bytes of the address or of the /64, as text
 * @param loopback whether it is this host
 */
public record SourceNetwork(String prefix, boolean loopback) {
  private static final int IPV6_NETWORK_BYTES = 8;

  /** The network that an address is in. */
  public static SourceNetwork of(InetAddress address) {
    byte[] bytes = address.getAddress();
    return new SourceNetwork(
        Arrays.toString(
            address instanceof Inet6Address ? Arrays.copyOf(bytes, IPV6_NETWORK_BYTES) : bytes),
        address.isLoopbackAddress());
  }
}
