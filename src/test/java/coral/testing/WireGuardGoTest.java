package coral.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.linux.IcmpEcho;
import coral.model.IpPrefix;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The fixture by itself: what it shows of other implementations rests on this. */
class WireGuardGoTest {
  private static final IpPrefix IPV4 = IpPrefix.parse("10.42.0.0/16");
  private static final IpPrefix IPV6 = IpPrefix.parse("fd42::/64");

  @BeforeEach
  void wireGuardGoIsInstalled() {
    WireGuardGo.assumeInstalled();
  }

  @Test
  void twoOfThemReachEachOtherInBothFamilies() throws Exception {
    KeyPair first = KeyPair.generate();
    KeyPair second = KeyPair.generate();
    Path socket;
    try (NetworkTopology network = NetworkTopology.create(2)) {
      try (WireGuardGo left = WireGuardGo.start(network.host(0), first, 51820);
          WireGuardGo right = WireGuardGo.start(network.host(1), second, 51820)) {
        socket = Path.of("/var/run/wireguard", left.interfaceName() + ".sock");
        left.assign(IpPrefix.parseAddress("10.42.0.1"), IPV4);
        left.assign(IpPrefix.parseAddress("fd42::1"), IPV6);
        right.assign(IpPrefix.parseAddress("10.42.0.2"), IPV4);
        right.assign(IpPrefix.parseAddress("fd42::2"), IPV6);
        left.putPeer(
            second.publicKey(),
            Optional.of(new InetSocketAddress(network.ipv6(1), 51820)),
            List.of(IpPrefix.parse("10.42.0.2/32"), IpPrefix.parse("fd42::2/128")));
        right.putPeer(
            first.publicKey(),
            Optional.empty(),
            List.of(IpPrefix.parse("10.42.0.1/32"), IpPrefix.parse("fd42::1/128")));

        for (String target : List.of("10.42.0.2", "fd42::2")) {
          InetAddress address = IpPrefix.parseAddress(target);
          assertTrue(
              network.on(0, () -> IcmpEcho.ping(address, Duration.ofSeconds(10))).isPresent(),
              target);
        }
        assertTrue(right.peerFigure(first.publicKey(), "rx_bytes").orElseThrow() > 0);
        assertTrue(
            right.peerFigure(first.publicKey(), "last_handshake_time_sec").orElseThrow() > 0);

        right.removePeer(first.publicKey());
        assertEquals(Optional.empty(), right.peerFigure(first.publicKey(), "rx_bytes"));
        InetAddress removed = IpPrefix.parseAddress("10.42.0.2");
        assertEquals(
            Optional.empty(), network.on(0, () -> IcmpEcho.ping(removed, Duration.ofMillis(300))));
        assertThrows(IOException.class, () -> left.set("listen_port=99999\n"));
      }
    }
    assertFalse(Files.exists(socket));
  }
}
