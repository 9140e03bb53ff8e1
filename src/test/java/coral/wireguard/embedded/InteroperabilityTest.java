package coral.wireguard.embedded;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.linux.IcmpEcho;
import coral.model.Addresses;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.testing.NetworkTopology;
import coral.testing.WireGuardGo;
import coral.wireguard.DeviceEvent;
import coral.wireguard.DeviceSettings;
import coral.wireguard.KeyPair;
import coral.wireguard.Peer;
import coral.wireguard.PresharedKey;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The embedded device and Debian's wireguard-go:
 *
 * <pre>
 *   namespace host-0                      namespace host-1
 *   coral0 10.42.0.1, fd42::1             wg...   10.42.0.2, fd42::2
 *   EmbeddedDevice --- 10.99.0.0/24, fd99::/64 --- wireguard-go
 * </pre>
 */
class InteroperabilityTest {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");
  private static final MeshAddresses OURS = SUBNET.addresses(1);
  private static final MeshAddresses THEIRS = SUBNET.addresses(2);
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final int OUR_PORT = 51820;
  private static final int THEIR_PORT = 51821;

  /** Section 6.1's flood rule as wireguard-go has it. */
  private static final Duration INITIATION_SPACING_OF_THEIRS = Duration.ofMillis(60);

  private static final int TRANSFER = 4 << 20;

  private static NetworkTopology topology;

  private final KeyPair ourKeys = KeyPair.generate();
  private final KeyPair theirKeys = KeyPair.generate();
  private final PresharedKey presharedKey = PresharedKey.of(KeyPair.generate().privateKeyBytes());

  /** What tests add to the true monotonic time. */
  private final AtomicLong added = new AtomicLong();

  private EmbeddedDevice device;
  private DeviceEvents events;
  private WireGuardGo wireGuardGo;

  @BeforeAll
  static void buildNetwork() throws Exception {
    WireGuardGo.assumeInstalled();
    topology = NetworkTopology.create(2);
  }

  @AfterAll
  static void removeNetwork() {
    if (topology != null) {
      topology.close();
    }
  }

  @BeforeEach
  void openBothSides() throws Exception {
    DeviceSettings settings =
        new DeviceSettings("coral0", ourKeys, OUR_PORT, DeviceSettings.DEFAULT_MTU, false);
    DeviceClock clock =
        new DeviceClock(InstantSource.system(), () -> System.nanoTime() + added.get());
    device = topology.on(0, () -> EmbeddedDevice.onTun(settings, clock));
    events = DeviceEvents.of(device);
    device.assign(OURS, SUBNET);
    wireGuardGo = WireGuardGo.start(topology.host(1), theirKeys, THEIR_PORT);
    wireGuardGo.assign(THEIRS.ipv4(), SUBNET.ipv4());
    wireGuardGo.assign(THEIRS.ipv6(), SUBNET.ipv6());
    topology.on(
        1,
        () -> {
          int attempts = 0;
          while (IcmpEcho.ping(THEIRS.ipv6(), Duration.ofMillis(10)).isEmpty()) {
            // the kernel makes an IPv6 address usable some time after it was put
            assertTrue(++attempts < 500, "their address is not usable");
          }
          return null;
        });
  }

  @AfterEach
  void closeBothSides() throws Exception {
    if (device != null) {
      device.close();
    }
    if (wireGuardGo != null) {
      wireGuardGo.close();
    }
  }

  @ParameterizedTest(name = "over IPv6: {0}")
  @ValueSource(booleans = {false, true})
  void weInitiate(boolean overIpv6) throws Exception {
    addThem(Optional.of(new InetSocketAddress(outside(1, overIpv6), THEIR_PORT)));
    addUs("persistent_keepalive_interval=0");
    assertTrue(device.echo(THEIRS.ipv4(), TIMEOUT).isPresent(), "no answer over IPv4");
    assertTrue(device.echo(THEIRS.ipv6(), TIMEOUT).isPresent(), "no answer over IPv6");
    assertCarriesStreams();
    assertEquals(theirKeys.publicKey(), events.await(DeviceEvent.HandshakeCompleted.class).peer());
  }

  @ParameterizedTest(name = "over IPv6: {0}")
  @ValueSource(booleans = {false, true})
  void theyInitiate(boolean overIpv6) throws Exception {
    addThem(Optional.empty());
    addUs("endpoint=" + text(outside(0, overIpv6), OUR_PORT));
    assertTheyAreAnswered(OURS.ipv4());
    assertTheyAreAnswered(OURS.ipv6());
    assertCarriesStreams();
    assertEquals(
        new InetSocketAddress(outside(1, overIpv6), THEIR_PORT),
        events.await(DeviceEvent.EndpointChanged.class).endpoint());
  }

  /** Section 6.2. */
  @Test
  void weRekeyWhileTheyListen() throws Exception {
    addThem(Optional.of(new InetSocketAddress(topology.ipv4(1), THEIR_PORT)));
    addUs("persistent_keepalive_interval=0");
    for (int handshake = 0; handshake < 3; handshake++) {
      assertTrue(device.echo(THEIRS.ipv4(), TIMEOUT).isPresent(), "no answer");
      events.await(DeviceEvent.HandshakeCompleted.class);
      long completed = System.nanoTime();
      do { // at least until they may take the next initiation
        assertTrue(device.echo(THEIRS.ipv4(), TIMEOUT).isPresent(), "no answer");
      } while (System.nanoTime() - completed < INITIATION_SPACING_OF_THEIRS.toNanos());
      added.addAndGet(Duration.ofMinutes(2).toNanos());
      device.clockMoved();
    }
    assertCarriesStreams();
  }

  @Test
  void bothSidesCountTheSameBytes() throws Exception {
    addThem(Optional.of(new InetSocketAddress(topology.ipv4(1), THEIR_PORT)));
    addUs("persistent_keepalive_interval=0");
    device.initiate(theirKeys.publicKey());
    events.await(DeviceEvent.HandshakeCompleted.class);
    assertTheyAreAnswered(OURS.ipv4());
    var statistics = device.statistics(theirKeys.publicKey()).orElseThrow();
    assertEquals(theirs("rx_bytes"), statistics.sentBytes());
    assertEquals(theirs("tx_bytes"), statistics.receivedBytes());
  }

  /** Section 2.1. */
  @Test
  void theyComeFromAnotherPort() throws Exception {
    addThem(Optional.empty());
    addUs("endpoint=" + text(topology.ipv4(0), OUR_PORT));
    assertTheyAreAnswered(OURS.ipv4());
    wireGuardGo.set("listen_port=" + (THEIR_PORT + 1) + "\n");
    assertTheyAreAnswered(OURS.ipv4());
    assertEquals(
        new InetSocketAddress(topology.ipv4(1), THEIR_PORT + 1),
        device.statistics(theirKeys.publicKey()).orElseThrow().endpoint().orElseThrow());
    assertTrue(device.echo(THEIRS.ipv6(), TIMEOUT).isPresent(), "no answer");
  }

  private void addThem(Optional<InetSocketAddress> endpoint) {
    device.put(
        new Peer(
            theirKeys.publicKey(),
            endpoint,
            Set.of(IpPrefix.host(THEIRS.ipv4()), IpPrefix.host(THEIRS.ipv6())),
            Optional.empty(),
            Optional.of(presharedKey)));
  }

  private void addUs(String line) throws IOException {
    wireGuardGo.set(
        String.join(
            "\n",
            "public_key=" + hex(ourKeys.publicKey().toBytes()),
            "preshared_key=" + hex(presharedKey.toBytes()),
            line,
            "allowed_ip=" + IpPrefix.host(OURS.ipv4()),
            "allowed_ip=" + IpPrefix.host(OURS.ipv6()),
            ""));
  }

  private long theirs(String figure) throws IOException {
    return wireGuardGo.peerFigure(ourKeys.publicKey(), figure).orElseThrow();
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static void assertTheyAreAnswered(InetAddress target) throws Exception {
    assertTrue(
        topology.on(1, () -> IcmpEcho.ping(target, TIMEOUT)).isPresent(),
        () -> "no answer from " + target);
  }

  private static void assertCarriesStreams() throws Exception {
    assertCarriesStream(0, 1, THEIRS.ipv4());
    assertCarriesStream(0, 1, THEIRS.ipv6());
    assertCarriesStream(1, 0, OURS.ipv4());
    assertCarriesStream(1, 0, OURS.ipv6());
  }

  /** Some megabytes over TCP arrive unchanged. */
  private static void assertCarriesStream(int from, int to, InetAddress target) throws Exception {
    byte[] content = new byte[TRANSFER];
    new Random(TRANSFER).nextBytes(content);
    try (ServerSocket listening = topology.on(to, () -> new ServerSocket(0, 1, target));
        Socket sending = topology.on(from, () -> new Socket(target, listening.getLocalPort()))) {
      CompletableFuture<byte[]> received = CompletableFuture.supplyAsync(() -> receive(listening));
      try (OutputStream out = sending.getOutputStream()) {
        out.write(content);
      }
      assertArrayEquals(content, received.get(TIMEOUT.toSeconds(), TimeUnit.SECONDS));
    }
  }

  private static byte[] receive(ServerSocket listening) {
    try (Socket accepted = listening.accept();
        DataInputStream in = new DataInputStream(accepted.getInputStream())) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static InetAddress outside(int host, boolean ipv6) {
    return ipv6 ? topology.ipv6(host) : topology.ipv4(host);
  }

  private static String text(InetAddress address, int port) {
    String host = Addresses.text(address);
    return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
  }
}
