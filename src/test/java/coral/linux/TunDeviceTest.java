package coral.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.IpPrefix;
import coral.testing.Eventually;
import coral.testing.NetworkTopology;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** TUN interfaces of the real kernel, each test in a network namespace of its own. */
class TunDeviceTest {
  private static final Duration LONG = Duration.ofSeconds(5);
  private static final int MTU = 1420;

  private NetworkNamespace namespace;

  @BeforeEach
  void createNamespace() throws IOException {
    NetworkTopology.assumePossible();
    namespace = NetworkNamespace.create("tun-test");
  }

  @AfterEach
  void closeNamespace() {
    if (namespace != null) {
      namespace.close();
    }
  }

  private TunDevice open(String name, int mtu) throws Exception {
    return namespace.call(() -> TunDevice.open(name, mtu));
  }

  /** Opened in the namespace, configured from outside: the device knows where it belongs. */
  private TunDevice openConfigured() throws Exception {
    TunDevice tun = open("coral0", MTU);
    tun.putAddress(IpPrefix.parseAddress("10.42.0.1"), 32);
    tun.putAddress(IpPrefix.parseAddress("fd42::1"), 128);
    tun.up();
    tun.putRoute(IpPrefix.parse("10.42.0.0/16"));
    tun.putRoute(IpPrefix.parse("fd42::/64"));
    return tun;
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.42.0.2", "fd42::2"})
  void theKernelsPingIsAnsweredThroughTheInterface(String target) throws Exception {
    InetAddress address = InetAddress.getByName(target);
    try (TunDevice tun = openConfigured()) {
      // An IPv6 address becomes usable a moment after the link is up, in the background.
      Optional<Duration> answer = Optional.empty();
      int length = 0;
      for (int attempt = 0; attempt < 25 && answer.isEmpty(); attempt++) {
        FutureTask<Integer> responder = start(() -> answerOneEcho(tun));
        answer = namespace.call(() -> IcmpEcho.ping(address, Duration.ofMillis(200)));
        length = get(responder);
      }
      assertTrue(answer.isPresent());
      assertEquals(address.getAddress().length == 4 ? 20 + 40 : 40 + 40, length);
    }
  }

  /** An echo with one flipped bit in its payload is not an answer. */
  @Test
  void anAnswerWithAnotherPayloadIsIgnored() throws Exception {
    try (TunDevice tun = openConfigured()) {
      FutureTask<Integer> responder =
          start(
              () -> {
                ByteBuffer packet = readEcho(tun);
                turnAround(packet);
                packet.put(packet.limit() - 1, (byte) ~packet.get(packet.limit() - 1));
                // Inverting a low byte changes the sum by a known amount: recompute it whole.
                fixChecksum(packet);
                tun.write(packet);
                return packet.limit();
              });
      InetAddress target = InetAddress.getByName("10.42.0.2");
      Optional<Duration> answer =
          namespace.call(() -> IcmpEcho.ping(target, Duration.ofMillis(200)));
      assertEquals(60, get(responder));
      assertEquals(Optional.empty(), answer);
    }
  }

  @Test
  void aBufferIsFilledAndDrainedFromItsPosition() throws Exception {
    try (TunDevice tun = openConfigured()) {
      FutureTask<Integer> responder =
          start(
              () -> {
                ByteBuffer packet = ByteBuffer.allocateDirect(MTU + 16).position(16);
                int length = tun.read(packet);
                while (packet.get(16) >> 4 == 6) {
                  length = tun.read(packet.position(16));
                }
                assertEquals(16 + length, packet.position());
                packet.flip().position(16);
                ByteBuffer view = packet.slice();
                turnAround(view);
                tun.write(packet);
                assertFalse(packet.hasRemaining());
                return length;
              });
      InetAddress target = InetAddress.getByName("10.42.0.2");
      assertTrue(namespace.call(() -> IcmpEcho.ping(target, LONG)).isPresent());
      assertEquals(60, get(responder));
    }
  }

  @Test
  void closingWakesABlockedReader() throws Exception {
    TunDevice tun = open("coral0", MTU);
    CompletableFuture<Thread> reader = new CompletableFuture<>();
    FutureTask<Integer> read =
        start(
            () -> {
              reader.complete(Thread.currentThread());
              return tun.read(ByteBuffer.allocateDirect(MTU));
            });
    awaitNativeCall(reader.get(5, TimeUnit.SECONDS));
    long start = System.nanoTime();
    tun.close();
    assertEquals(-1, get(read));
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    assertTrue(took.compareTo(Duration.ofSeconds(1)) < 0, took.toString());
    assertFalse(namespace.call(TunDeviceTest::linkNames).contains("coral0"));
  }

  @Test
  void aClosedDeviceReadsNothingAndRefusesToWrite() throws Exception {
    TunDevice tun = open("coral0", MTU);
    tun.close();
    tun.close();
    ByteBuffer packet = ByteBuffer.allocateDirect(MTU);
    assertEquals(-1, tun.read(packet));
    assertThrows(ClosedChannelException.class, () -> tun.write(packet));
    assertThrows(IOException.class, tun::up);
  }

  @Test
  void aReaderLearnsThatTheInterfaceWasRemoved() throws Exception {
    try (TunDevice tun = open("coral0", MTU)) {
      FutureTask<Integer> read = start(() -> tun.read(ByteBuffer.allocateDirect(MTU)));
      namespace.call(
          () -> {
            try (Netlink netlink = Netlink.open()) {
              netlink.removeLink(tun.index());
            }
            return null;
          });
      IOException failure = assertThrows(IOException.class, () -> get(read));
      assertTrue(
          NamespaceAssertions.message(failure).startsWith("read from coral0: "),
          NamespaceAssertions.message(failure));
    }
  }

  /** A router solicitation would be the first packet to arrive. */
  @Test
  void theInterfaceIsSilentUntilItIsUsed() throws Exception {
    try (TunDevice tun = open("coral0", MTU)) {
      tun.up();
      assertEquals(List.of(), tun.addresses());
      tun.putAddress(IpPrefix.parseAddress("10.42.0.1"), 32);
      tun.putRoute(IpPrefix.parse("10.42.0.0/16"));
      InetAddress target = InetAddress.getByName("10.42.0.2");
      namespace.call(() -> IcmpEcho.ping(target, Duration.ofMillis(1)));
      ByteBuffer first = ByteBuffer.allocateDirect(MTU);
      tun.read(first);
      assertEquals(4, first.get(0) >> 4);
      assertEquals(target, InetAddress.getByAddress(bytes(first, 16, 4)));
    }
  }

  @Test
  void addressesAndRoutesAreSetOnceHoweverOftenTheyAreAskedFor() throws Exception {
    try (TunDevice tun = openConfigured()) {
      tun.putAddress(IpPrefix.parseAddress("10.42.0.1"), 32);
      tun.putAddress(IpPrefix.parseAddress("fd42::1"), 128);
      tun.putRoute(IpPrefix.parse("10.42.0.0/16"));
      tun.putRoute(IpPrefix.parse("fd42::/64"));
      assertEquals(
          Set.of(
              new Netlink.Address(InetAddress.getByName("10.42.0.1"), 32),
              new Netlink.Address(InetAddress.getByName("fd42::1"), 128)),
          Set.copyOf(tun.addresses()));
      assertEquals(2, tun.addresses().size());
      Set<IpPrefix> routes = routes(tun);
      assertTrue(
          routes.containsAll(Set.of(IpPrefix.parse("10.42.0.0/16"), IpPrefix.parse("fd42::/64"))),
          routes.toString());

      for (int i = 0; i < 2; i++) {
        tun.removeRoute(IpPrefix.parse("10.42.0.0/16"));
        tun.removeRoute(IpPrefix.parse("fd42::/64"));
        tun.removeAddress(IpPrefix.parseAddress("10.42.0.1"), 32);
        tun.removeAddress(IpPrefix.parseAddress("fd42::1"), 128);
      }
      assertEquals(List.of(), tun.addresses());
      assertEquals(Set.of(), routes(tun));
    }
  }

  @Test
  void aRouteMovesToTheDeviceThatAskedLast() throws Exception {
    IpPrefix subnet = IpPrefix.parse("10.42.0.0/16");
    try (TunDevice first = open("coral0", MTU);
        TunDevice second = open("coral1", MTU)) {
      first.up();
      second.up();
      first.putRoute(subnet);
      second.putRoute(subnet);
      assertEquals(Set.of(), routes(first));
      assertEquals(Set.of(subnet), routes(second));
    }
  }

  @Test
  void theLinkHasTheMtuThatWasAskedFor() throws Exception {
    try (TunDevice tun = open("coral0", MTU)) {
      assertEquals(new Netlink.Link(tun.index(), "coral0", MTU, false), link(tun));
      tun.setMtu(1280);
      tun.up();
      assertEquals(new Netlink.Link(tun.index(), "coral0", 1280, true), link(tun));
      tun.down();
      assertFalse(link(tun).up());
    }
  }

  @Test
  void writingToALinkThatIsDownSaysSo() throws Exception {
    try (TunDevice tun = open("coral0", MTU)) {
      ByteBuffer packet = ByteBuffer.allocateDirect(20).put(0, (byte) 0x45);
      LinuxException refused = assertThrows(LinuxException.class, () -> tun.write(packet));
      assertEquals(
          "write to coral0: Input/output error (errno 5)", NamespaceAssertions.message(refused));
      assertEquals(0, packet.position());
    }
  }

  @Test
  void errorsNameTheCallAndTheKernelsReason() throws Exception {
    LinuxException tooLarge = assertThrows(LinuxException.class, () -> open("coral0", 70_000));
    assertEquals(22, tooLarge.errno());
    assertTrue(
        NamespaceAssertions.message(tooLarge).startsWith("set the MTU of link "),
        NamespaceAssertions.message(tooLarge));
    assertTrue(
        NamespaceAssertions.message(tooLarge).contains("mtu greater than device maximum"),
        NamespaceAssertions.message(tooLarge));
    assertFalse(namespace.call(TunDeviceTest::linkNames).contains("coral0"));

    try (TunDevice tun = open("coral0", MTU)) {
      LinuxException taken = assertThrows(LinuxException.class, () -> open("coral0", MTU));
      assertEquals(Libc.EBUSY, taken.errno());
      assertEquals(
          "create TUN interface coral0: Device or resource busy: another process has it; choose"
              + " another interface-name (errno 16)",
          NamespaceAssertions.message(taken));
      assertEquals(tun.index(), link(tun).index());
    }
  }

  @ParameterizedTest
  @CsvSource({"a-name-of-sixteen", "''", "a/b", "a:b", "tun%d", "..", "'a b'"})
  void namesThatNoInterfaceCanHaveAreRefused(String name) {
    IllegalArgumentException refused =
        assertThrows(IllegalArgumentException.class, () -> open(name, MTU));
    assertTrue(
        NamespaceAssertions.message(refused).endsWith(": " + name),
        NamespaceAssertions.message(refused));
  }

  @Test
  void heapBuffersAreRefused() throws Exception {
    try (TunDevice tun = openConfigured()) {
      assertThrows(IllegalArgumentException.class, () -> tun.read(ByteBuffer.allocate(MTU)));
      assertThrows(IllegalArgumentException.class, () -> tun.write(ByteBuffer.allocate(MTU)));
    }
  }

  // A host behind the interface.

  private static int answerOneEcho(TunDevice tun) throws IOException {
    ByteBuffer packet = readEcho(tun);
    turnAround(packet);
    tun.write(packet);
    return packet.limit();
  }

  /** Skips the multicast listener reports that the kernel sends for an IPv6 address (RFC 3810). */
  private static ByteBuffer readEcho(TunDevice tun) throws IOException {
    while (true) {
      ByteBuffer packet = ByteBuffer.allocateDirect(MTU);
      int length = tun.read(packet);
      packet.flip();
      assertEquals(length, packet.limit());
      if (isEchoRequest(packet)) {
        return packet;
      }
    }
  }

  private static boolean isEchoRequest(ByteBuffer packet) {
    return packet.get(0) >> 4 == 4
        ? packet.get(9) == 1 && packet.get(20) == 8
        : packet.get(6) == 58 && Byte.toUnsignedInt(packet.get(40)) == 128;
  }

  /** Makes an echo request the reply to it. */
  private static void turnAround(ByteBuffer packet) {
    boolean ipv4 = packet.get(0) >> 4 == 4;
    int size = ipv4 ? 4 : 16;
    int source = ipv4 ? 12 : 8;
    byte[] from = bytes(packet, source, size);
    packet.put(source, bytes(packet, source + size, size)).put(source + size, from);
    int icmp = ipv4 ? 20 : 40;
    int difference = ipv4 ? 8 << 8 : -(1 << 8);
    packet.put(icmp, (byte) (ipv4 ? 0 : 129));
    // RFC 1624: the checksum grows by what the summed words lose, in one's complement.
    int sum = Short.toUnsignedInt(packet.getShort(icmp + 2)) + difference;
    if (sum < 0) {
      sum += 0xffff;
    }
    packet.putShort(icmp + 2, (short) ((sum & 0xffff) + (sum >>> 16)));
  }

  private static void fixChecksum(ByteBuffer ipv4Packet) {
    ipv4Packet.putShort(22, (short) 0);
    ByteBuffer icmp = ByteBuffer.allocate(ipv4Packet.limit() - 20);
    icmp.put(bytes(ipv4Packet, 20, icmp.capacity()));
    ipv4Packet.putShort(22, (short) IcmpPacket.checksum(icmp));
  }

  private static byte[] bytes(ByteBuffer packet, int at, int length) {
    byte[] bytes = new byte[length];
    packet.get(at, bytes);
    return bytes;
  }

  // What the kernel says.

  private Netlink.Link link(TunDevice tun) throws Exception {
    return namespace.call(
        () -> {
          try (Netlink netlink = Netlink.open()) {
            return netlink.link(tun.name());
          }
        });
  }

  private Set<IpPrefix> routes(TunDevice tun) throws Exception {
    return namespace.call(
        () -> {
          try (Netlink netlink = Netlink.open()) {
            return netlink.routes(tun.index()).stream()
                .map(Netlink.Route::destination)
                .collect(Collectors.toSet());
          }
        });
  }

  private static Set<String> linkNames() throws IOException {
    return NamespaceAssertions.links().stream().map(Netlink.Link::name).collect(Collectors.toSet());
  }

  // Threads.

  private static FutureTask<Integer> start(Callable<Integer> task) {
    FutureTask<Integer> future = new FutureTask<>(task);
    Thread thread = new Thread(future, "tun-reader");
    thread.setDaemon(true);
    thread.start();
    return future;
  }

  private static int get(FutureTask<Integer> task) throws Exception {
    try {
      return task.get(10, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** Until the thread is inside poll: a read that begins after closing would prove nothing. */
  private static void awaitNativeCall(Thread thread) {
    Eventually.holds(() -> assertEquals("poll", thread.getStackTrace()[0].getMethodName()));
  }
}
