package coral.agent.observation;

import static coral.agent.observation.TrackedHosts.CLIENT;
import static coral.agent.observation.TrackedHosts.SERVER;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.linux.NetworkNamespace;
import coral.model.IpPrefix;
import coral.testing.Eventually;
import coral.testing.NetworkTopology;
import coral.testing.Nftables;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the kernel of this machine says of real connections between two hosts. */
class KernelConnectionTrackingTest {
  @TempDir Path sockets;

  private TrackedHosts hosts;

  @BeforeEach
  void joinTwoHosts() throws Exception {
    NetworkTopology.assumePossible();
    Nftables.require();
    hosts = new TrackedHosts(sockets);
  }

  @AfterEach
  void separateThem() throws Exception {
    if (hosts != null) {
      hosts.close();
    }
  }

  private void track() throws Exception {
    hosts.rules(CLIENT, Nftables.TRACK);
    hosts.rules(SERVER, Nftables.TRACK);
  }

  /** Connections without their bytes, in no order. */
  private static Set<ObservedConnection> kinds(Observation observation) {
    return observation.connections().stream()
        .map(
            one ->
                new ObservedConnection(
                    one.remote(), one.port(), one.outgoing(), one.protocol(), one.count(), 0, 0))
        .collect(Collectors.toSet());
  }

  /** The same kind of connection with both addresses of the other host. */
  private Set<ObservedConnection> withBothAddresses(
      int other, int port, boolean outgoing, String protocol, int count) {
    return hosts.addresses(other).stream()
        .map(remote -> new ObservedConnection(remote, port, outgoing, protocol, count, 0, 0))
        .collect(Collectors.toSet());
  }

  private void assertObserved(int host, String evidence, Set<ObservedConnection> expected)
      throws Exception {
    Observation observation = hosts.observe(host);
    assertEquals(expected, kinds(observation), hosts.table(host));
    assertEquals(evidence, observation.evidence());
    Observation overNetlink = hosts.observeOverNetlink(host);
    assertEquals(expected, kinds(overNetlink), hosts.table(host));
    assertEquals(evidence, overNetlink.evidence());
  }

  /** One connection from the client to each address of the server, and bytes both ways. */
  private void connectToBoth(ServerSocketChannel listener, int port, int there, int back)
      throws Exception {
    for (InetAddress address : hosts.addresses(SERVER)) {
      SocketChannel asking = hosts.connect(CLIENT, address, port);
      SocketChannel answering = hosts.accept(listener);
      TrackedHosts.transfer(asking, answering, there);
      TrackedHosts.transfer(answering, asking, back);
    }
  }

  @Test
  void bothEndsOfAConnectionSeeWhoOpenedItAndItsBytes() throws Exception {
    track();
    ServerSocketChannel listener = hosts.listen(SERVER, 5432);
    connectToBoth(listener, 5432, 1_000, 50_000);
    connectToBoth(listener, 5432, 1_000, 50_000);
    assertObserved(CLIENT, "conntrack", withBothAddresses(SERVER, 5432, true, "tcp", 2));
    assertObserved(SERVER, "conntrack", withBothAddresses(CLIENT, 5432, false, "tcp", 2));
    for (ObservedConnection seen : hosts.observe(CLIENT).connections()) {
      assertTrue(seen.sentBytes() > 2_000 && seen.sentBytes() < 50_000, seen.toString());
      assertTrue(seen.receivedBytes() > 100_000, seen.toString());
    }
    for (ObservedConnection seen : hosts.observe(SERVER).connections()) {
      assertTrue(seen.sentBytes() > 100_000, seen.toString());
      assertTrue(seen.receivedBytes() > 2_000 && seen.receivedBytes() < 50_000, seen.toString());
    }
  }

  @Test
  void bytesAreTheSameByBothWaysOfAskingTheKernel() throws Exception {
    track();
    connectToBoth(hosts.listen(SERVER, 5432), 5432, 1_000, 50_000);
    for (int host : List.of(CLIENT, SERVER)) {
      // An acknowledgement may be under way for some 40 ms.
      Eventually.holds(() -> assertEquals(hosts.observe(host), hosts.observeOverNetlink(host)));
      assertTrue(hosts.observe(host).connections().get(0).sentBytes() > 1_000);
    }
  }

  @Test
  void bytesThatTheKernelDoesNotCountAreNone() throws Exception {
    hosts.setting(CLIENT, "net/netfilter/nf_conntrack_acct", "0");
    track();
    connectToBoth(hosts.listen(SERVER, 5432), 5432, 10, 10);
    assertEquals(2, hosts.observe(CLIENT).connections().size());
    for (ObservedConnection seen : hosts.observe(CLIENT).connections()) {
      assertEquals(0, seen.sentBytes() + seen.receivedBytes());
    }
    assertTrue(hosts.observe(SERVER).connections().get(0).sentBytes() > 0);
  }

  @Test
  void datagramsAreAConnectionOnceTheyAreAnswered() throws Exception {
    track();
    DatagramChannel answering = hosts.datagrams(SERVER, 53);
    hosts.datagrams(SERVER, 54); // takes them and says nothing
    for (InetAddress address : hosts.addresses(SERVER)) {
      DatagramChannel asking = hosts.datagrams(CLIENT, 0);
      ByteBuffer question = ByteBuffer.wrap(new byte[] {1, 2, 3});
      asking.send(question.duplicate(), new InetSocketAddress(address, 54));
      asking.send(question.duplicate(), new InetSocketAddress(address, 53));
      ByteBuffer taken = ByteBuffer.allocate(10);
      answering.send(question.duplicate(), answering.receive(taken));
      asking.receive(ByteBuffer.allocate(10));
    }
    assertTrue(hosts.table(CLIENT).contains("dport=54 packets=1"), hosts.table(CLIENT));
    assertObserved(CLIENT, "conntrack", withBothAddresses(SERVER, 53, true, "udp", 1));
    assertObserved(SERVER, "conntrack", withBothAddresses(CLIENT, 53, false, "udp", 1));
  }

  @Test
  void whatIsAskedForOrClosedIsNoConnection() throws Exception {
    track();
    ServerSocketChannel listener = hosts.listen(SERVER, 5432);
    for (InetAddress address : hosts.addresses(SERVER)) {
      SocketChannel closing = hosts.connect(CLIENT, address, 5432);
      SocketChannel closed = hosts.accept(listener);
      closing.close();
      closed.close();
    }
    hosts.knock(CLIENT, IpPrefix.parseAddress("10.99.0.77"), 5432);
    hosts.knock(CLIENT, IpPrefix.parseAddress("fd99::77"), 5432);
    Eventually.holds(
        () -> {
          String table = hosts.table(CLIENT);
          assertEquals(3, table.split("TIME_WAIT", -1).length, table);
          assertEquals(3, table.split("SYN_SENT .*\\[UNREPLIED\\]", -1).length, table);
        });
    assertObserved(CLIENT, "tcp-table", Set.of());
    assertObserved(SERVER, "tcp-table", Set.of());
  }

  @Test
  void connectionsOfAContainerAreTheHostsOwn() throws Exception {
    NetworkNamespace container = hosts.container(CLIENT);
    hosts.rules(
        CLIENT,
        """
        table ip nat {
          chain prerouting {
            type nat hook prerouting priority dstnat
            ip daddr 10.99.0.1 tcp dport 8080 dnat to 172.17.0.5:80
          }
          chain postrouting {
            type nat hook postrouting priority srcnat
            ip saddr 172.17.0.0/24 masquerade
          }
        }
        """);
    hosts.rules(SERVER, Nftables.TRACK);
    InetAddress server = hosts.addresses(SERVER).get(0);
    InetAddress client = hosts.addresses(CLIENT).get(0);
    ServerSocketChannel database = hosts.listen(SERVER, 5432);
    hosts.keep(container.call(() -> SocketChannel.open(new InetSocketAddress(server, 5432))));
    hosts.accept(database);
    ServerSocketChannel published =
        hosts.keep(
            container.call(() -> ServerSocketChannel.open().bind(new InetSocketAddress(80))));
    hosts.connect(SERVER, client, 8080);
    hosts.accept(published);
    assertTrue(hosts.table(CLIENT).contains("src=172.17.0.5 dst=10.99.0.2"), hosts.table(CLIENT));
    assertObserved(
        CLIENT,
        "conntrack",
        Set.of(
            new ObservedConnection(server, 5432, true, "tcp", 1, 0, 0),
            new ObservedConnection(server, 8080, false, "tcp", 1, 0, 0)));
    assertObserved(
        SERVER,
        "conntrack",
        Set.of(
            new ObservedConnection(client, 5432, false, "tcp", 1, 0, 0),
            new ObservedConnection(client, 8080, true, "tcp", 1, 0, 0)));
  }

  @Test
  void aPortThatIsRedirectedIsTheOneThatWasAskedFor() throws Exception {
    hosts.rules(
        SERVER,
        """
        table inet nat {
          chain prerouting {
            type nat hook prerouting priority dstnat
            tcp dport 80 redirect to :8080
          }
        }
        """);
    connectToBoth(hosts.listen(SERVER, 8080), 80, 10, 10);
    assertObserved(SERVER, "conntrack", withBothAddresses(CLIENT, 80, false, "tcp", 1));
    assertObserved(CLIENT, "tcp-table", withBothAddresses(SERVER, 80, true, "tcp", 1));
  }

  @Test
  void whereNothingTracksTheTableOfSocketsCounts() throws Exception {
    connectToBoth(hosts.listen(SERVER, 5432), 5432, 10, 10);
    assertEquals("", hosts.table(CLIENT));
    assertObserved(CLIENT, "tcp-table", withBothAddresses(SERVER, 5432, true, "tcp", 1));
    assertObserved(SERVER, "tcp-table", withBothAddresses(CLIENT, 5432, false, "tcp", 1));
  }

  /** As with Docker, whose rules translate addresses of IPv4 alone. */
  @Test
  void aFamilyThatIsNotTrackedIsNotForgotten() throws Exception {
    for (int host : List.of(CLIENT, SERVER)) {
      hosts.rules(host, Nftables.TRACK.replace("table inet", "table ip"));
    }
    connectToBoth(hosts.listen(SERVER, 5432), 5432, 10, 10);
    assertTrue(hosts.table(CLIENT).lines().allMatch(line -> line.startsWith("ipv4")));
    assertObserved(CLIENT, "conntrack", withBothAddresses(SERVER, 5432, true, "tcp", 1));
    assertObserved(SERVER, "conntrack", withBothAddresses(CLIENT, 5432, false, "tcp", 1));
  }

  /** A firewall that is loaded later takes whoever spoke first since then for the opener. */
  @Test
  void aConnectionThatIsOlderThanItsTrackingKeepsItsOpener() throws Exception {
    ServerSocketChannel listener = hosts.listen(SERVER, 5432);
    for (InetAddress address : hosts.addresses(SERVER)) {
      SocketChannel asking = hosts.connect(CLIENT, address, 5432);
      SocketChannel answering = hosts.accept(listener);
      if (address instanceof Inet4Address) {
        track();
        TrackedHosts.transfer(answering, asking, 100);
        TrackedHosts.transfer(asking, answering, 100);
      }
    }
    assertTrue(hosts.table(CLIENT).contains("sport=5432 dport="), hosts.table(CLIENT));
    assertObserved(CLIENT, "conntrack", withBothAddresses(SERVER, 5432, true, "tcp", 1));
    assertObserved(SERVER, "conntrack", withBothAddresses(CLIENT, 5432, false, "tcp", 1));
  }

  /** The kernel then sees no packet of what it tracked, and keeps it as it was for five days. */
  @Test
  void whatIsClosedAfterItsTrackingEndedIsNoConnection() throws Exception {
    track();
    ServerSocketChannel listener = hosts.listen(SERVER, 5432);
    SocketChannel closing = hosts.connect(CLIENT, hosts.addresses(SERVER).get(0), 5432);
    SocketChannel closed = hosts.accept(listener);
    hosts.connect(CLIENT, hosts.addresses(SERVER).get(1), 5432);
    hosts.accept(listener);
    for (int host : List.of(CLIENT, SERVER)) {
      hosts.rules(host, "flush ruleset");
    }
    closing.close();
    closed.close();
    Eventually.holds(
        () -> {
          assertTrue(hosts.table(CLIENT).contains("ESTABLISHED src=10.99"), hosts.table(CLIENT));
          assertEquals(1, hosts.observe(CLIENT).connections().size());
          assertEquals(1, hosts.observe(SERVER).connections().size());
        });
  }
}
