package coral.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.Inet4Address;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MeshSubnetTest {
  private static final MeshSubnet DEFAULT = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  /** RFD 005, "Connection Flow": 10.42.0.15 / fd42::f. */
  @ParameterizedTest
  @CsvSource({
    "1, 10.42.0.1, fd42::1",
    "15, 10.42.0.15, fd42::f",
    "100, 10.42.0.100, fd42::64",
    "256, 10.42.1.0, fd42::100",
    "65534, 10.42.255.254, fd42::fffe"
  })
  void oneHostNumberGivesBothAddresses(int hostNumber, String ipv4, String ipv6) {
    MeshAddresses addresses = DEFAULT.addresses(hostNumber);
    assertEquals(ipv4, addresses.ipv4Text());
    assertEquals(ipv6, addresses.ipv6Text());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 15, 256, 65534})
  void anAddressOfEitherFamilyTellsItsHostNumber(int hostNumber) {
    MeshAddresses addresses = DEFAULT.addresses(hostNumber);
    assertEquals(OptionalInt.of(hostNumber), DEFAULT.hostNumber(addresses.ipv4()));
    assertEquals(OptionalInt.of(hostNumber), DEFAULT.hostNumber(addresses.ipv6()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.42.0.0",
        "10.42.255.255",
        "10.43.0.1",
        "fd42::",
        "fd42::ffff",
        "fd42::1:0:0:f",
        "fd42::1:f",
        "fd43::f"
      })
  void anAddressThatNoMemberHasTellsNone(String address) {
    assertEquals(OptionalInt.empty(), DEFAULT.hostNumber(IpPrefix.parseAddress(address)));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 65535, 65536})
  void networkAndBroadcastAreNotHosts(int hostNumber) {
    assertThrows(IllegalArgumentException.class, () -> DEFAULT.addresses(hostNumber));
    assertFalse(DEFAULT.isAgentHostNumber(hostNumber));
  }

  @Test
  void theColonysOwnAddressIsNotAnAgents() {
    assertFalse(DEFAULT.isAgentHostNumber(MeshSubnet.COLONY_HOST_NUMBER));
    assertTrue(DEFAULT.isAgentHostNumber(MeshSubnet.FIRST_AGENT_HOST_NUMBER));
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.0/8, 16777213", "10.42.0.0/16, 65533", "10.42.0.0/28, 13", "10.42.0.0/30, 1"})
  void capacityLeavesOutNetworkColonyAndBroadcast(String ipv4, int capacity) {
    assertEquals(capacity, MeshSubnet.parse(ipv4, "fd42::/64").capacity());
  }

  @ParameterizedTest
  @CsvSource({
    "10.42.0.0/31, fd42::/64",
    "0.0.0.0/7, fd42::/64",
    "10.42.0.1/16, fd42::/64",
    "fd42::/64, fd42::/64",
    "10.42.0.0/16, 10.43.0.0/16",
    "10.42.0.0/16, fd42::/97",
    "10.42.0.0/16, fd42::/31",
    "10.42.0/16, fd42::/64",
    "localhost/16, fd42::/64",
    "'', fd42::/64"
  })
  void aSubnetOutOfBoundsIsRefused(String ipv4, String ipv6) {
    assertThrows(IllegalArgumentException.class, () -> MeshSubnet.parse(ipv4, ipv6));
  }

  @Test
  void everyAddressOfASmallSubnetLiesWithinIt() {
    MeshSubnet subnet = MeshSubnet.parse("192.168.7.16/28", "fd43:1:2:3::/64");
    for (int host = 1; host <= subnet.lastAgentHostNumber(); host++) {
      MeshAddresses addresses = subnet.addresses(host);
      assertTrue(subnet.ipv4().contains(addresses.ipv4()));
      assertTrue(subnet.ipv6().contains(addresses.ipv6()));
    }
    assertEquals("192.168.7.30", subnet.addresses(14).ipv4Text());
    assertEquals("fd43:1:2:3::e", subnet.addresses(14).ipv6Text());
  }

  @Test
  void anIpv6PrefixThatIsAnIpv4MappedAddressIsNotIpv6() {
    assertTrue(IpPrefix.parseAddress("::ffff:10.42.0.1") instanceof Inet4Address);
    assertThrows(
        IllegalArgumentException.class, () -> MeshSubnet.parse("10.42.0.0/16", "::ffff:0:0/96"));
  }
}
