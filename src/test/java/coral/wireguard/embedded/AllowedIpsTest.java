package coral.wireguard.embedded;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import coral.model.IpPrefix;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AllowedIpsTest {
  private static final List<String> OWNERS = List.of("a", "b", "c", "d", "e", "f", "g");

  /** Against a router that looks at every prefix; few distinct bits, so that prefixes nest. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void itRoutesLikeANaiveRouter(long seed) throws Exception {
    Random random = new Random(seed);
    AllowedIps<String> trie = new AllowedIps<>();
    Map<IpPrefix, String> naive = new HashMap<>();
    List<IpPrefix> known = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      String owner = OWNERS.get(random.nextInt(OWNERS.size()));
      IpPrefix prefix =
          known.isEmpty() || random.nextInt(3) > 0
              ? prefix(random)
              : known.get(random.nextInt(known.size()));
      known.add(prefix);
      if (random.nextInt(3) > 0) {
        trie.put(prefix, owner);
        naive.put(prefix, owner);
      } else {
        String holder = random.nextBoolean() ? naive.getOrDefault(prefix, owner) : owner;
        trie.remove(prefix, holder);
        naive.remove(prefix, holder);
      }
      InetAddress address = address(random);
      byte[] bytes = address.getAddress();
      assertEquals(
          route(naive, address),
          trie.find(bytes, 0, bytes.length == 16),
          "seed " + seed + ", step " + i + ", address " + address);
    }
    for (IpPrefix prefix : known) {
      if (naive.containsKey(prefix)) {
        trie.remove(prefix, naive.remove(prefix));
      }
    }
    assertNull(trie.find(address(random).getAddress(), 0, false));
  }

  private static @Nullable String route(Map<IpPrefix, String> prefixes, InetAddress address) {
    String best = null;
    int longest = -1;
    for (Map.Entry<IpPrefix, String> entry : prefixes.entrySet()) {
      if (entry.getKey().contains(address) && entry.getKey().length() > longest) {
        best = entry.getValue();
        longest = entry.getKey().length();
      }
    }
    return best;
  }

  private static IpPrefix prefix(Random random) throws UnknownHostException {
    byte[] bytes = address(random).getAddress();
    int length = random.nextInt(bytes.length * 8 + 1);
    for (int bit = length; bit < bytes.length * 8; bit++) {
      bytes[bit / 8] &= (byte) ~(0x80 >> bit % 8);
    }
    return new IpPrefix(InetAddress.getByAddress(bytes), length);
  }

  private static InetAddress address(Random random) throws UnknownHostException {
    byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) (random.nextInt(4) == 0 ? 1 << random.nextInt(8) : 0);
    }
    bytes[0] = 10; // not an IPv4-mapped address, which would change its family
    return InetAddress.getByAddress(bytes);
  }

  @Test
  void theDefaultRouteTakesWhatNoOtherPrefixDoes() {
    AllowedIps<String> trie = new AllowedIps<>();
    trie.put(IpPrefix.parse("0.0.0.0/0"), "default");
    trie.put(IpPrefix.parse("10.0.0.0/8"), "ten");
    assertEquals("ten", trie.find(new byte[] {10, 1, 2, 3}, 0, false));
    assertEquals("default", trie.find(new byte[] {11, 1, 2, 3}, 0, false));
    assertNull(trie.find(new byte[16], 0, true));
  }
}
