package coral.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.testing.NetworkTopology;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** ICMP echo across network namespaces that a bridge joins. */
class NetworkTopologyTest {
  private static final Duration LONG = Duration.ofSeconds(5);
  private static final Duration SHORT = Duration.ofMillis(100);

  @BeforeEach
  void networksCanBeBuilt() {
    NetworkTopology.assumePossible();
  }

  @Test
  void hostsAnswerEachOtherInBothFamilies() throws Exception {
    try (NetworkTopology network = NetworkTopology.create(3)) {
      for (int from = 0; from < 3; from++) {
        for (int to = 0; to < 3; to++) {
          for (InetAddress target : List.of(network.ipv4(to), network.ipv6(to))) {
            Duration took = network.on(from, () -> IcmpEcho.ping(target, LONG)).orElseThrow();
            assertTrue(took.compareTo(LONG) < 0 && !took.isNegative(), took.toString());
          }
        }
      }
    }
  }

  @Test
  void aHostWhoseCableIsPulledDoesNotAnswer() throws Exception {
    try (NetworkTopology network = NetworkTopology.create(2)) {
      network.setConnected(1, false);
      for (InetAddress target : List.of(network.ipv4(1), network.ipv6(1))) {
        assertEquals(Optional.empty(), network.on(0, () -> IcmpEcho.ping(target, SHORT)));
      }
      network.setConnected(1, true);
      boolean answered = false;
      for (int attempt = 0; attempt < 50 && !answered; attempt++) {
        answered = network.on(0, () -> IcmpEcho.ping(network.ipv4(1), SHORT)).isPresent();
      }
      assertTrue(answered);
    }
  }

  @Test
  void aRoamedHostAnswersUnderItsNewAddressOnly() throws Exception {
    try (NetworkTopology network = NetworkTopology.create(2)) {
      InetAddress roamed = InetAddress.getByName("10.99.0.77");
      network.readdress(1, network.ipv4(1), roamed);
      assertTrue(network.on(0, () -> IcmpEcho.ping(roamed, LONG)).isPresent());
      assertEquals(Optional.empty(), network.on(0, () -> IcmpEcho.ping(network.ipv4(1), SHORT)));
    }
  }

  /** net.ipv4.ping_group_range decides which kind of socket is used. */
  @Test
  void echoWorksThroughDatagramAndRawSockets() throws Exception {
    try (NetworkTopology network = NetworkTopology.create(2)) {
      Path range = Path.of("/proc/sys/net/ipv4/ping_group_range");
      for (String groups : List.of("1 0", "0 2147483647")) {
        boolean raw = groups.equals("1 0");
        network.on(0, () -> Files.writeString(range, groups));
        for (InetAddress target : List.of(network.ipv4(1), network.ipv6(1))) {
          try (IcmpEcho echo =
              network.on(0, () -> IcmpEcho.open(NamespaceAssertions.family(target)))) {
            assertEquals(raw, echo.isRaw());
            for (int i = 0; i < 3; i++) {
              assertTrue(echo.send(target, LONG).isPresent(), echo + " to " + target);
            }
          }
        }
      }
    }
  }

  /** The instance belongs to the host that opened it, whichever thread uses it. */
  @Test
  void anOpenEchoStaysInItsNamespace() throws Exception {
    try (NetworkTopology network = NetworkTopology.create(2);
        IcmpEcho echo =
            network.on(0, () -> IcmpEcho.open(NamespaceAssertions.family(network.ipv4(1))))) {
      assertTrue(echo.send(network.ipv4(1), LONG).isPresent());
    }
  }

  @Test
  void echoWorksInAProcessStartedOnAHost() throws Exception {
    try (NetworkTopology network = NetworkTopology.create(2)) {
      String target = network.ipv6(1).getHostAddress();
      Process process =
          network.on(
              0, () -> NamespaceAssertions.java(NamespaceAssertions.Ping.class, target).start());
      String output = NamespaceAssertions.outputOf(process);
      assertEquals("answered", output);
    }
  }

  @Test
  void nothingIsLeftBehind() throws Exception {
    List<Netlink.Link> before = NamespaceAssertions.links();
    int descriptorsBefore = NamespaceAssertions.openDescriptors();
    NetworkNamespace host;
    try (NetworkTopology network = NetworkTopology.create(2)) {
      host = network.host(0);
      network.on(0, () -> IcmpEcho.ping(network.ipv4(1), LONG));
    }
    assertEquals(before, NamespaceAssertions.links());
    assertEquals(descriptorsBefore, NamespaceAssertions.openDescriptors());
    assertThrows(IllegalStateException.class, () -> host.call(() -> 1));
    assertFalse(
        Thread.getAllStackTraces().keySet().stream()
            .anyMatch(t -> t.getName().equals("host-0") && !NamespaceAssertions.ended(t)));
  }
}
