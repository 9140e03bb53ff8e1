package coral.model;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.OptionalInt;

/**
 * The two address ranges of one mesh, RFD 005's dual stack. A member is a host number in both:
 * number 15 of 10.42.0.0/16 and fd42::/64 is 10.42.0.15 and fd42::f.
 *
 * <p>Number 0 (the network), the last number (the broadcast address) and number 1 (the colony) are
 * never given to an agent.
 *
 * @param ipv4 a prefix of /8 to /30
 * @param ipv6 a prefix of /32 to /96, so that every IPv4 host number fits behind it
 */
public record MeshSubnet(IpPrefix ipv4, IpPrefix ipv6) {
  /** The host number of the colony itself (RFD 005: 10.42.0.1 and fd42::1). */
  public static final int COLONY_HOST_NUMBER = 1;

  /** The first host number that an agent may hold. */
  public static final int FIRST_AGENT_HOST_NUMBER = 2;

  /**
   * @throws IllegalArgumentException if a prefix is of the wrong family or out of bounds
   */
  public MeshSubnet {
    if (!(ipv4.address() instanceof Inet4Address) || ipv4.length() < 8 || ipv4.length() > 30) {
      throw new IllegalArgumentException(
          "a mesh's IPv4 subnet is a prefix of /8 to /30, not " + ipv4);
    }
    if (!(ipv6.address() instanceof Inet6Address) || ipv6.length() < 32 || ipv6.length() > 96) {
      throw new IllegalArgumentException(
          "a mesh's IPv6 subnet is a prefix of /32 to /96, not " + ipv6);
    }
  }

  /**
   * Reads both ranges.
   *
   * @param ipv4 such as {@code 10.42.0.0/16}
   * @param ipv6 such as {@code fd42::/64}
   * @throws IllegalArgumentException if either is not a prefix within the bounds
   */
  public static MeshSubnet parse(String ipv4, String ipv6) {
    return new MeshSubnet(IpPrefix.parse(ipv4), IpPrefix.parse(ipv6));
  }

  /** The last host number that an agent may hold: the one before the broadcast address. */
  public int lastAgentHostNumber() {
    return (1 << (32 - ipv4.length())) - 2;
  }

  /** How many agents can hold an address: 65,533 in a /16, one in a /30. */
  public int capacity() {
    return lastAgentHostNumber() - FIRST_AGENT_HOST_NUMBER + 1;
  }

  /** Whether an agent may hold this host number. */
  public boolean isAgentHostNumber(int hostNumber) {
    return hostNumber >= FIRST_AGENT_HOST_NUMBER && hostNumber <= lastAgentHostNumber();
  }

  /** The colony's own addresses. */
  public MeshAddresses colony() {
    return addresses(COLONY_HOST_NUMBER);
  }

  /**
   * The addresses of a host number.
   *
   * @throws IllegalArgumentException if the number is not a host of the IPv4 subnet
   */
  public MeshAddresses addresses(int hostNumber) {
    if (hostNumber < COLONY_HOST_NUMBER || hostNumber > lastAgentHostNumber()) {
      throw new IllegalArgumentException(hostNumber + " is not a host number of " + ipv4);
    }
    ByteBuffer four = ByteBuffer.wrap(ipv4.address().getAddress());
    four.putInt(0, four.getInt(0) | hostNumber);
    ByteBuffer sixteen = ByteBuffer.wrap(ipv6.address().getAddress());
    sixteen.putInt(12, sixteen.getInt(12) | hostNumber);
    try {
      return new MeshAddresses(
          hostNumber,
          (Inet4Address) InetAddress.getByAddress(four.array()),
          (Inet6Address) Inet6Address.getByAddress(null, sixteen.array(), -1));
    } catch (UnknownHostException e) {
      throw new AssertionError("4 and 16 bytes are addresses", e);
    }
  }

  /**
   * The host number that an address has in its range: the other way of {@link #addresses}.
   *
   * @return empty if it is in neither range, or no host's
   */
  public OptionalInt hostNumber(InetAddress address) {
    IpPrefix range = address instanceof Inet4Address ? ipv4 : ipv6;
    if (!range.contains(address)) {
      return OptionalInt.empty();
    }
    byte[] bytes = address.getAddress();
    int last = ByteBuffer.wrap(bytes).getInt(bytes.length - Integer.BYTES);
    int number = last & ((1 << (32 - ipv4.length())) - 1);
    boolean isHost = number >= COLONY_HOST_NUMBER && number <= lastAgentHostNumber();
    return isHost && addresses(number).has(address) ? OptionalInt.of(number) : OptionalInt.empty();
  }

  @Override
  public String toString() {
    return ipv4 + " and " + ipv6;
  }
}
