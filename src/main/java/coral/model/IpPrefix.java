package coral.model;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;

/**
 * An IPv4 or IPv6 prefix in CIDR notation (RFC 4632, RFC 4291 section 2.3), such as {@code
 * 10.42.0.0/16}.
 *
 * @param address its first address: the bits after {@code length} are zero
 * @param length 0 to 32 for IPv4, 0 to 128 for IPv6
 */
public record IpPrefix(InetAddress address, int length) {
  private static final Pattern LITERAL = Pattern.compile("[0-9a-fA-F:.]+");

  /**
   * @throws IllegalArgumentException if the length does not fit the family or host bits are set
   */
  public IpPrefix {
    byte[] bytes = address.getAddress();
    if (length < 0 || length > bytes.length * 8) {
      throw new IllegalArgumentException("prefix length " + length + " does not fit " + address);
    }
    for (int bit = length; bit < bytes.length * 8; bit++) {
      if ((bytes[bit / 8] & (0x80 >> (bit % 8))) != 0) {
        throw new IllegalArgumentException(
            address.getHostAddress() + "/" + length + " has bits set after its prefix");
      }
    }
  }

  /**
   * Reads a prefix.
   *
   * @param cidr an address literal, a slash and a length; a literal alone is one host
   * @throws IllegalArgumentException for anything else; names are never resolved
   */
  public static IpPrefix parse(String cidr) {
    int slash = cidr.indexOf('/');
    InetAddress address = parseAddress(slash < 0 ? cidr : cidr.substring(0, slash));
    try {
      return slash < 0
          ? host(address)
          : new IpPrefix(address, Integer.parseInt(cidr.substring(slash + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not a prefix in CIDR notation: " + cidr, e);
    }
  }

  /** The prefix that holds just this address. */
  public static IpPrefix host(InetAddress address) {
    return new IpPrefix(address, address.getAddress().length * 8);
  }

  /**
   * Reads an address.
   *
   * @param literal an IPv4 or IPv6 address
   * @throws IllegalArgumentException for anything else; names are never resolved
   */
  public static InetAddress parseAddress(String literal) {
    boolean looksNumeric =
        LITERAL.matcher(literal).matches()
            && (literal.indexOf(':') >= 0 || literal.split("\\.", -1).length == 4);
    if (!looksNumeric) {
      throw new IllegalArgumentException("not an IP address: " + literal);
    }
    try {
      return InetAddress.getByName(literal);
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("not an IP address: " + literal, e);
    }
  }

  /** Whether the address is of the same family and within this prefix. */
  public boolean contains(InetAddress candidate) {
    byte[] mine = address.getAddress();
    byte[] theirs = candidate.getAddress();
    if (mine.length != theirs.length) {
      return false;
    }
    for (int bit = 0; bit < length; bit++) {
      int mask = 0x80 >> (bit % 8);
      if ((mine[bit / 8] & mask) != (theirs[bit / 8] & mask)) {
        return false;
      }
    }
    return true;
  }

  /** CIDR notation; IPv6 in the canonical form of RFC 5952. */
  @Override
  public String toString() {
    return Addresses.text(address) + "/" + length;
  }
}
