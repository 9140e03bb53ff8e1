package coral.linux;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;

/**
 * One {@code sockaddr_in} or {@code sockaddr_in6} in native memory, with its length as the kernel
 * reads and writes it. Not thread-safe.
 */
final class SocketAddressMemory {
  private static final int IPV4_SIZE = 16;
  private static final int IPV4_ADDRESS = 4;
  private static final int IPV6_SIZE = 28;
  private static final int IPV6_ADDRESS = 8;
  private static final int IPV6_SCOPE = 24;

  final ByteBuffer address = Libc.allocate(IPV6_SIZE);
  final ByteBuffer length = Libc.allocate(Integer.BYTES);

  /** Holds an address with port 0. */
  SocketAddressMemory put(InetAddress target) {
    byte[] bytes = target.getAddress();
    boolean ipv4 = bytes.length == 4;
    address.put(0, new byte[IPV6_SIZE]);
    address.putShort(0, (short) (ipv4 ? Libc.AF_INET : Libc.AF_INET6));
    address.put(ipv4 ? IPV4_ADDRESS : IPV6_ADDRESS, bytes);
    if (target instanceof Inet6Address scoped) {
      address.putInt(IPV6_SCOPE, scoped.getScopeId());
    }
    length.putInt(0, ipv4 ? IPV4_SIZE : IPV6_SIZE);
    return this;
  }

  /** To be called before the kernel writes an address. */
  SocketAddressMemory clear() {
    length.putInt(0, IPV6_SIZE);
    return this;
  }

  int size() {
    return length.getInt(0);
  }

  /** The port, or for an ICMP datagram socket its identifier. */
  int port() {
    return Byte.toUnsignedInt(address.get(2)) << 8 | Byte.toUnsignedInt(address.get(3));
  }

  InetAddress get() throws UnknownHostException {
    boolean ipv4 = address.getShort(0) == Libc.AF_INET;
    byte[] bytes = new byte[ipv4 ? 4 : 16];
    address.get(ipv4 ? IPV4_ADDRESS : IPV6_ADDRESS, bytes);
    return InetAddress.getByAddress(bytes);
  }
}
