package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import coral.model.IpPrefix;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.Test;

final class TrustedProxiesTest {
  private static final TrustedProxies PROXIES =
      new TrustedProxies(List.of(IpPrefix.parse("10.1.0.0/16"), IpPrefix.parse("2001:db8:1::/48")));

  private static InetSocketAddress peer(String address) {
    return new InetSocketAddress(IpPrefix.parseAddress(address), 4711);
  }

  private static String client(String peer, String... headers) {
    return PROXIES.client(peer(peer), List.of(headers)).getAddress().getHostAddress();
  }

  @Test
  void whatAnybodyElseSaysIsNotRead() {
    InetSocketAddress stranger = peer("198.51.100.1");
    assertSame(stranger, PROXIES.client(stranger, List.of("192.0.2.1")));
    InetSocketAddress unknown = new InetSocketAddress(0);
    assertEquals(unknown, PROXIES.client(unknown, List.of("192.0.2.1")));
    assertSame(stranger, new TrustedProxies(List.of()).client(stranger, List.of("192.0.2.1")));
  }

  @Test
  void theLastAddressThatIsNoTrustedProxyIsTheClient() {
    assertEquals("192.0.2.1", client("10.1.0.1", "192.0.2.1"));
    assertEquals("192.0.2.1", client("10.1.0.1", "192.0.2.1, 10.1.2.3"));
    assertEquals("192.0.2.1", client("10.1.0.1", "192.0.2.1,10.1.2.3 , 10.1.2.4"));
    assertEquals("2001:db8:2:0:0:0:0:7", client("2001:db8:1::1", "2001:db8:2::7"));
    assertEquals("192.0.2.1", client("10.1.0.1", "::ffff:192.0.2.1"));
  }

  @Test
  void whatTheClientWroteItselfIsNotRead() {
    assertEquals("192.0.2.1", client("10.1.0.1", "203.0.113.9, 192.0.2.1"));
    assertEquals("192.0.2.1", client("10.1.0.1", "10.1.9.9, 192.0.2.1, 10.1.2.3"));
    assertEquals("192.0.2.1", client("10.1.0.1", "not an address, 192.0.2.1"));
  }

  @Test
  void severalHeadersAreOneList() {
    assertEquals("192.0.2.1", client("10.1.0.1", "203.0.113.9", "192.0.2.1", "10.1.2.3"));
  }

  @Test
  void whatIsNoAddressIsTheBusinessOfTheProxyThatLetItThrough() {
    assertEquals("10.1.2.3", client("10.1.0.1", "192.0.2.1, unknown, 10.1.2.3"));
    for (String none : List.of("", " ", "unknown", "localhost", "192.0.2.1:80", "1", ",")) {
      assertEquals("10.1.0.1", client("10.1.0.1", none), none);
    }
    assertEquals("10.1.0.1", client("10.1.0.1"));
  }

  @Test
  void aRequestOfAProxyItselfComesFromIt() {
    assertEquals("10.1.2.3", client("10.1.0.1", "10.1.2.3"));
    assertEquals(4711, PROXIES.client(peer("10.1.0.1"), List.of()).getPort());
    assertEquals(0, PROXIES.client(peer("10.1.0.1"), List.of("192.0.2.1")).getPort());
  }
}
