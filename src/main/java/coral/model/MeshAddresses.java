package coral.model;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;

/**
 * The two addresses of one mesh member. Both come from one host number (RFD 005: 10.42.0.15 and
 * fd42::f).
 *
 * @param hostNumber the offset from the first address of either subnet
 */
public record MeshAddresses(int hostNumber, Inet4Address ipv4, Inet6Address ipv6) {
  /** Whether it is one of the two. */
  public boolean has(InetAddress address) {
    return ipv4.equals(address) || ipv6.equals(address);
  }

  /** The IPv4 address in dotted decimal. */
  public String ipv4Text() {
    return Addresses.text(ipv4);
  }

  /** The IPv6 address in the form of RFC 5952. */
  public String ipv6Text() {
    return Addresses.text(ipv6);
  }
}
