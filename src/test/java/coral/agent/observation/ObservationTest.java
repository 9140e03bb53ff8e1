package coral.agent.observation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.linux.TrackedFlow;
import coral.model.IpPrefix;
import coral.model.MeshSubnet;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ObservationTest {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  private static final String TCP =
      "   2: 02002A0A:9C40 03002A0A:1538 01 00000000:00000000 02:0000075A 00000000  1000 0 1\n";

  private static final String TRACKED =
      "ipv4 2 tcp 6 99 ESTABLISHED src=10.42.0.2 dst=10.42.0.3 sport=40000 dport=5432 bytes=10"
          + " src=10.42.0.3 dst=10.42.0.2 sport=5432 dport=40000 bytes=20 mark=0\n";

  @TempDir Path tables;

  private static ObservedConnection seen(String remote, int port) {
    return new ObservedConnection(IpPrefix.parseAddress(remote), port, true, "tcp", 1, 5, 7);
  }

  private Optional<Observation> observe(int maxBytes) {
    return observe(maxBytes, maxBytes);
  }

  private Optional<Observation> observe(int maxSocketBytes, int maxTrackedBytes) {
    return new HostConnections(
            tables, maxSocketBytes, maxTrackedBytes, ObservationTest::withoutTracking)
        .observe(SUBNET.addresses(2), SUBNET);
  }

  /** One connection of a container with 10.42.0.3:5432, told of before the failure. */
  private static boolean failsInTheMidst(Consumer<TrackedFlow> taker) throws IOException {
    InetAddress container = IpPrefix.parseAddress("172.17.0.5");
    InetAddress own = IpPrefix.parseAddress("10.42.0.2");
    InetAddress other = IpPrefix.parseAddress("10.42.0.3");
    taker.accept(
        new TrackedFlow(
            TrackedFlow.TCP,
            true,
            true,
            new TrackedFlow.Way(container, 40_000, other, 5432, 0),
            new TrackedFlow.Way(other, 5432, own, 40_000, 0)));
    throw new IOException("interrupted");
  }

  private static boolean withoutTracking(Consumer<TrackedFlow> taker) throws IOException {
    throw new IOException("nothing is tracked");
  }

  private static Observation observation(String evidence, List<ObservedConnection> each) {
    ConnectionKinds kinds = new ConnectionKinds();
    each.forEach(kinds::add);
    return kinds.most(evidence, false);
  }

  private Observation observe() {
    return observe(1 << 20).orElseThrow();
  }

  @Test
  void connectionsOfAKindAreCountedAndTheMostComeFirst() {
    Observation observation =
        observation(
            "conntrack",
            List.of(seen("10.42.0.4", 80), seen("10.42.0.3", 443), seen("10.42.0.3", 443)));
    assertEquals(2, observation.connections().get(0).count());
    assertEquals(10, observation.connections().get(0).sentBytes());
    assertEquals(14, observation.connections().get(0).receivedBytes());
    assertEquals(80, observation.connections().get(1).port());
    assertFalse(observation.truncated());
  }

  @Test
  void noMoreThan256KindsAreTold() {
    List<ObservedConnection> many = new ArrayList<>();
    for (int port = 1; port <= 300; port++) {
      many.add(seen("10.42.0.3", port));
    }
    many.add(seen("10.42.0.3", 300));
    Observation observation = observation("tcp-table", many);
    assertEquals(256, observation.connections().size());
    assertEquals(300, observation.connections().get(0).port());
    assertTrue(observation.truncated());
  }

  @Test
  void aKindThatIsKnownIsCountedWhenThereIsNoRoomForAnother() {
    ConnectionKinds kinds = new ConnectionKinds();
    for (int i = 0; i < 2 * ConnectionKinds.MAX_KINDS; i++) {
      kinds.add(seen("10.42.0.3", 1 + i));
    }
    kinds.add(seen("10.42.0.3", 7));
    kinds.add(seen("10.42.0.3", ConnectionKinds.MAX_KINDS + 1));
    kinds.add(seen("10.42.0.3", ConnectionKinds.MAX_KINDS + 1));
    Observation most = kinds.most("conntrack", false);
    assertTrue(most.truncated());
    assertEquals(7, most.connections().get(0).port());
    assertEquals(2, most.connections().get(0).count());
    assertEquals(1, most.connections().get(1).count());
  }

  @Test
  void socketsSayWhatIsOpenAndTrackingSaysMoreOfIt() throws Exception {
    Assumptions.assumeTrue(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
    Path tcp = tables.resolve("tcp");
    Path tracked = tables.resolve("nf_conntrack");
    assertEquals(Optional.empty(), observe(1 << 20), "there are no tables at all");
    Files.writeString(tcp, TCP);
    assertEquals("tcp-table", observe().evidence());
    assertEquals(1, observe().connections().size());
    Files.writeString(tracked, "");
    assertEquals("tcp-table", observe().evidence());
    assertEquals(1, observe().connections().size());
    Files.writeString(tracked, TRACKED);
    assertEquals("conntrack", observe().evidence());
    assertEquals(1, observe().connections().get(0).count());
    assertEquals(20, observe().connections().get(0).receivedBytes());
    Files.writeString(tcp, "");
    assertEquals(List.of(), observe().connections(), "it has been closed");
    Files.delete(tcp);
    assertEquals(1, observe().connections().get(0).count(), "there is no other evidence");
    Files.delete(tracked);
    assertEquals(Optional.empty(), observe(1 << 20));
  }

  @Test
  void aTableThatFailsInTheMidstIsSaidToBeIncomplete() {
    Observation some =
        new HostConnections(tables, 1, 1, ObservationTest::failsInTheMidst)
            .observe(SUBNET.addresses(2), SUBNET)
            .orElseThrow();
    assertEquals(1, some.connections().size());
    assertEquals(5432, some.connections().get(0).port());
    assertTrue(some.truncated());
  }

  /** Of one zone for containers and one for the host. */
  @Test
  void aConnectionThatIsTrackedTwiceIsOne() throws Exception {
    Assumptions.assumeTrue(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
    Files.writeString(tables.resolve("tcp"), TCP);
    Files.writeString(
        tables.resolve("nf_conntrack"), TRACKED + TRACKED.replace("mark=0", "mark=0 zone=9"));
    assertEquals(1, observe().connections().get(0).count());
  }

  private static String sockets(int count) {
    StringBuilder table = new StringBuilder();
    for (int port = 40_000; port < 40_000 + count; port++) {
      table.append(TCP.replace("9C40", Integer.toHexString(port).toUpperCase(Locale.ROOT)));
    }
    return table.toString();
  }

  @Test
  void aTableIsReadToABoundAndWhatIsLeftOutIsSaid() throws Exception {
    Assumptions.assumeTrue(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
    Files.writeString(tables.resolve("tcp"), sockets(100));
    assertEquals(100, observe().connections().get(0).count());
    assertFalse(observe().truncated());
    Observation some = observe(10 * TCP.length()).orElseThrow();
    assertEquals(10, some.connections().get(0).count());
    assertTrue(some.truncated());
  }

  @Test
  void whatIsTrackedIsReadToABoundOfItsOwn() throws Exception {
    String ofContainer = TRACKED.replaceFirst("src=10.42.0.2", "src=172.17.0.5");
    Files.writeString(tables.resolve("tcp"), "");
    Files.writeString(tables.resolve("nf_conntrack"), ofContainer.repeat(100));
    int bound = 10 * ofContainer.length();
    Observation some = observe(1 << 20, bound).orElseThrow();
    assertEquals(10, some.connections().get(0).count());
    assertTrue(some.truncated());
  }

  /** What the other sockets are is not known: what is tracked counts. */
  @Test
  void socketsThatWereNotReadAreNotTakenToBeClosed() throws Exception {
    Assumptions.assumeTrue(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN);
    Files.writeString(tables.resolve("tcp"), sockets(3));
    Files.writeString(tables.resolve("nf_conntrack"), TRACKED.replace("=40000", "=40002"));
    Observation some = observe(2 * TCP.length(), 1 << 20).orElseThrow();
    assertEquals(3, some.connections().get(0).count());
    assertTrue(some.truncated());
  }

  @Test
  void theKernelOfThisHostIsUnderstood() {
    Assumptions.assumeTrue(Files.isReadable(Path.of("/proc/thread-self/net/tcp")));
    assertEquals(
        List.of(),
        new HostConnections().observe(SUBNET.addresses(2), SUBNET).orElseThrow().connections());
  }

  @Test
  void aChangeIsNewsAtOnceAndTheRestEveryFourthTime() {
    ObservationNews news = new ObservationNews();
    Observation nothing = observation("tcp-table", List.of());
    Observation one = observation("tcp-table", List.of(seen("10.42.0.3", 80)));
    Observation moreBytes =
        observation(
            "tcp-table",
            List.of(
                new ObservedConnection(
                    IpPrefix.parseAddress("10.42.0.3"), 80, true, "tcp", 1, 99, 99)));
    assertEquals(Optional.empty(), news.of(nothing));
    assertEquals(Optional.of(one), news.of(one));
    assertEquals(Optional.empty(), news.of(moreBytes));
    assertEquals(Optional.empty(), news.of(moreBytes));
    assertEquals(Optional.empty(), news.of(moreBytes));
    assertEquals(Optional.of(moreBytes), news.of(moreBytes));
    assertEquals(Optional.empty(), news.of(one));
    assertEquals(Optional.of(nothing), news.of(nothing));
    for (int i = 0; i < 10; i++) {
      assertEquals(Optional.empty(), news.of(nothing));
    }
    assertEquals(Optional.of(one), news.of(one));
  }
}
