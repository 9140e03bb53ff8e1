package coral.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.IpPrefix;
import coral.testing.NetworkTopology;
import coral.testing.Nftables;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Datagrams of one network namespace to itself. */
class ConnectionTrackingTableTest {
  private NetworkNamespace namespace;

  @BeforeEach
  void createNamespace() throws Exception {
    NetworkTopology.assumePossible();
    Nftables.require();
    namespace = NetworkNamespace.create("tracking");
  }

  @AfterEach
  void closeNamespace() {
    if (namespace != null) {
      namespace.close();
    }
  }

  private List<TrackedFlow> read() throws Exception {
    List<TrackedFlow> flows = new ArrayList<>();
    assertTrue(namespace.call(() -> ConnectionTrackingTable.read(1_000, flows::add)));
    return flows;
  }

  private static TrackedFlow.Way way(InetAddress address, int source, int destination, long bytes) {
    return new TrackedFlow.Way(address, source, address, destination, bytes);
  }

  /** Sends from a port of this namespace to another, and back if asked to. */
  private void send(InetAddress address, int from, int to, boolean answer) throws Exception {
    ByteBuffer empty = ByteBuffer.allocate(0);
    try (DatagramChannel asking = namespace.call(DatagramChannel::open);
        DatagramChannel answering = namespace.call(DatagramChannel::open)) {
      asking.bind(new InetSocketAddress(address, from));
      answering.bind(new InetSocketAddress(address, to));
      asking.send(empty, answering.getLocalAddress());
      if (answer) {
        answering.send(empty, answering.receive(ByteBuffer.allocate(1)));
      }
    }
  }

  @Test
  void whatIsTrackedIsToldOfBothFamilies() throws Exception {
    InetAddress four = IpPrefix.parseAddress("127.0.0.1");
    InetAddress six = IpPrefix.parseAddress("::1");
    namespace.call(
        () -> {
          Files.writeString(Path.of("/proc/sys/net/netfilter/nf_conntrack_acct"), "1");
          Nftables.add(Nftables.TRACK);
          return null;
        });
    assertEquals(List.of(), read());
    send(four, 40_000, 53, true);
    send(six, 65_535, 1, false);
    // Headers of IPv4 have 20 bytes, of IPv6 40, of UDP 8.
    assertEquals(
        Set.of(
            new TrackedFlow(
                TrackedFlow.UDP, true, false, way(four, 40_000, 53, 28), way(four, 53, 40_000, 28)),
            new TrackedFlow(
                TrackedFlow.UDP, false, false, way(six, 65_535, 1, 48), way(six, 1, 65_535, 0))),
        new HashSet<>(read()));
  }

  @Test
  void noMoreThanTheBoundIsRead() throws Exception {
    InetAddress address = IpPrefix.parseAddress("127.0.0.1");
    namespace.call(
        () -> {
          Nftables.add(Nftables.TRACK);
          return null;
        });
    for (int port = 1_001; port <= 1_300; port++) {
      send(address, 1_000, port, false);
    }
    assertEquals(300, read().size());
    List<TrackedFlow> some = new ArrayList<>();
    assertFalse(namespace.call(() -> ConnectionTrackingTable.read(299, some::add)));
    assertEquals(299, some.size());
    assertTrue(namespace.call(() -> ConnectionTrackingTable.read(300, flow -> {})));
  }

  @Test
  void aFailureOfTheTakerIsTheCallersAndLeavesNothingOpen() throws Exception {
    namespace.call(
        () -> {
          Nftables.add(Nftables.TRACK);
          return null;
        });
    send(IpPrefix.parseAddress("127.0.0.1"), 1_000, 1_001, false);
    int before = NamespaceAssertions.openDescriptors();
    assertThrows(
        IllegalStateException.class,
        () ->
            namespace.call(
                () ->
                    ConnectionTrackingTable.read(
                        10,
                        flow -> {
                          throw new IllegalStateException("enough");
                        })));
    assertEquals(before, NamespaceAssertions.openDescriptors());
  }
}
