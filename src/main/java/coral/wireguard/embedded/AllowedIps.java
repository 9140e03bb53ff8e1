package coral.wireguard.embedded;

import coral.model.IpPrefix;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Whose addresses are whose, of both families (section 2, "Cryptokey Routing"). The packet threads
 * read it without locks; a change replaces the trie of its family, under the lock of this object.
 *
 * @param <V> whoever a prefix belongs to
 */
final class AllowedIps<V> {
  private volatile PrefixTrie<V> ipv4 = PrefixTrie.empty();
  private volatile PrefixTrie<V> ipv6 = PrefixTrie.empty();

  /** Gives a prefix to its only owner. */
  synchronized void put(IpPrefix prefix, V owner) {
    byte[] address = prefix.address().getAddress();
    if (address.length == 4) {
      ipv4 = ipv4.with(word4(address, 0), 0, prefix.length(), owner);
    } else {
      ipv6 = ipv6.with(word(address, 0), word(address, 8), prefix.length(), owner);
    }
  }

  /** Takes a prefix from its owner; nothing happens if it belongs to another by now. */
  synchronized void remove(IpPrefix prefix, V owner) {
    byte[] address = prefix.address().getAddress();
    if (address.length == 4) {
      ipv4 = ipv4.without(word4(address, 0), 0, prefix.length(), owner);
    } else {
      ipv6 = ipv6.without(word(address, 0), word(address, 8), prefix.length(), owner);
    }
  }

  /** The owner of the longest prefix of the address at this offset of a packet. */
  @Nullable V find(byte[] packet, int offset, boolean isIpv6) {
    return isIpv6
        ? ipv6.find(word(packet, offset), word(packet, offset + 8))
        : ipv4.find(word4(packet, offset), 0);
  }

  private static long word(byte[] bytes, int offset) {
    return ByteBuffer.wrap(bytes).getLong(offset);
  }

  private static long word4(byte[] bytes, int offset) {
    return (long) ByteBuffer.wrap(bytes).getInt(offset) << Integer.SIZE;
  }
}
