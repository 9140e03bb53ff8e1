package coral.wireguard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * What every backend must do. A backend's test says how to open a device on one of three hosts, and
 * where the hosts reach each other outside the tunnel.
 */
public abstract class WireGuardDeviceContract {
  protected static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** How long to wait for an answer that must not come. */
  private static final Duration SHORT = Duration.ofMillis(150);

  private final List<WireGuardDevice> opened = new ArrayList<>();

  /** Opens a device on host 1, 2 or 3. */
  protected abstract WireGuardDevice open(int host, DeviceSettings settings) throws Exception;

  /** A host's address outside the tunnel. */
  protected abstract InetAddress outside(int host);

  @AfterEach
  void closeDevices() {
    opened.forEach(WireGuardDevice::close);
  }

  @Test
  void echoesOfBothFamiliesGoBothWays() throws Exception {
    WireGuardDevice one = device(1);
    WireGuardDevice two = device(2);
    one.put(peer(two, 2));
    two.put(peerAt(one, 1));
    assertAnswers(two, 1);
    assertAnswers(one, 2);
  }

  @Test
  void aHandshakeOnDemandIsAnnounced() throws Exception {
    WireGuardDevice one = device(1);
    WireGuardDevice two = device(2);
    BlockingQueue<DeviceEvent> events = new LinkedBlockingQueue<>();
    two.onEvent(events::add);
    one.put(peer(two, 2));
    two.put(peerAt(one, 1));
    two.initiate(one.publicKey());
    DeviceEvent event = events.poll(TIMEOUT.toSeconds(), TimeUnit.SECONDS);
    assertTrue(event instanceof DeviceEvent.HandshakeCompleted, () -> "not completed: " + event);
    assertEquals(one.publicKey(), ((DeviceEvent.HandshakeCompleted) event).peer());
  }

  @Test
  void statisticsTellOfPeersThatWereHeardAndOthers() throws Exception {
    WireGuardDevice one = device(1);
    WireGuardDevice two = device(2);
    one.put(peer(two, 2));
    assertEquals(
        List.of(new PeerStatistics(two.publicKey(), Optional.empty(), Optional.empty(), 0, 0)),
        one.statistics());
    two.put(peerAt(one, 1));
    assertAnswers(two, 1);
    PeerStatistics heard = one.statistics(two.publicKey()).orElseThrow();
    assertEquals(
        Optional.of(new InetSocketAddress(outside(2), two.listenPort())), heard.endpoint());
    assertTrue(heard.lastHandshake().orElseThrow().isAfter(Instant.EPOCH));
    assertTrue(heard.receivedBytes() > 0 && heard.sentBytes() > 0, heard::toString);
    assertEquals(Optional.empty(), one.statistics(KeyPair.generate().publicKey()));
  }

  @Test
  void applyingTheSamePeersKeepsTheirSessions() throws Exception {
    WireGuardDevice one = device(1);
    WireGuardDevice two = device(2);
    one.apply(Set.of(peer(two, 2)));
    two.apply(Set.of(peerAt(one, 1)));
    assertAnswers(two, 1);
    Optional<Instant> handshake = two.statistics(one.publicKey()).orElseThrow().lastHandshake();
    one.apply(Set.of(peer(two, 2)));
    two.apply(Set.of(peerAt(one, 1)));
    assertAnswers(two, 1);
    assertAnswers(one, 2);
    assertEquals(handshake, two.statistics(one.publicKey()).orElseThrow().lastHandshake());
  }

  @Test
  void applyingOtherPeersRemovesTheRest() throws Exception {
    WireGuardDevice one = device(1);
    WireGuardDevice two = device(2);
    one.put(peer(two, 2));
    two.put(peerAt(one, 1));
    assertAnswers(two, 1);
    one.apply(Set.of());
    assertEquals(List.of(), one.statistics());
    assertTrue(two.echo(inside(1).ipv4(), SHORT).isEmpty());
    one.apply(Set.of(peer(two, 2)));
    assertEquals(1, one.statistics().size());
  }

  @Test
  void aRemovedPeerIsCutOff() throws Exception {
    WireGuardDevice one = device(1);
    WireGuardDevice two = device(2);
    one.put(peer(two, 2));
    two.put(peerAt(one, 1));
    assertAnswers(two, 1);
    one.remove(two.publicKey());
    one.remove(two.publicKey());
    assertTrue(two.echo(inside(1).ipv4(), SHORT).isEmpty());
  }

  @Test
  void impossiblePeersAreRefusedAndNothingChanges() throws Exception {
    WireGuardDevice one = device(1);
    Peer two = peer(KeyPair.generate(), 2);
    one.put(two);
    Peer thief = peer(KeyPair.generate(), 2);
    assertThrows(IllegalArgumentException.class, () -> one.apply(Set.of(two, thief)));
    assertThrows(
        IllegalArgumentException.class, () -> one.apply(Set.of(two, peer(one.publicKey(), 1))));
    assertThrows(IllegalArgumentException.class, () -> one.put(peer(one.publicKey(), 1)));
    assertEquals(
        List.of(two.publicKey()),
        one.statistics().stream().map(PeerStatistics::publicKey).toList());
  }

  /** The colony forwards between its peers inside its own device, both families. */
  @Test
  void aHubPassesPacketsBetweenItsPeers() throws Exception {
    WireGuardDevice hub = device(1, true);
    WireGuardDevice two = device(2);
    WireGuardDevice three = device(3);
    hub.apply(Set.of(peer(two, 2), peer(three, 3)));
    Peer mesh =
        new Peer(
            hub.publicKey(),
            Optional.of(endpoint(hub, 1)),
            Set.of(SUBNET.ipv4(), SUBNET.ipv6()),
            Optional.empty());
    two.put(mesh);
    three.put(mesh);
    assertAnswers(three, 1); // so that the hub knows where it is
    assertAnswers(two, 3);
    assertAnswers(three, 2);
  }

  @Test
  void aDeviceThatIsNoHubPassesNothing() throws Exception {
    WireGuardDevice notHub = device(1);
    WireGuardDevice two = device(2);
    WireGuardDevice three = device(3);
    notHub.apply(Set.of(peer(two, 2), peer(three, 3)));
    Peer mesh =
        new Peer(
            notHub.publicKey(),
            Optional.of(endpoint(notHub, 1)),
            Set.of(SUBNET.ipv4(), SUBNET.ipv6()),
            Optional.empty());
    two.put(mesh);
    three.put(mesh);
    assertAnswers(three, 1);
    assertAnswers(two, 1);
    assertTrue(two.echo(inside(3).ipv4(), SHORT).isEmpty());
    assertTrue(two.echo(inside(3).ipv6(), SHORT).isEmpty());
  }

  @Test
  void addressesCanBeAssignedAgainAndReplaced() throws Exception {
    WireGuardDevice one = device(1);
    WireGuardDevice two = device(2);
    one.put(peer(two, 2));
    two.put(peerAt(one, 1));
    two.assign(inside(2), SUBNET);
    assertAnswers(two, 1);
    two.assign(inside(9), SUBNET);
    one.put(peer(two, 9));
    assertAnswers(two, 1);
    assertAnswers(one, 9);
    assertTrue(one.echo(inside(2).ipv4(), SHORT).isEmpty());
  }

  @Test
  void aDeviceIsUpFromItsAssignmentUntilItsEnd() throws Exception {
    WireGuardDevice one = track(open(1, settings(1, 0, false)));
    assertFalse(one.isUp());
    one.assign(inside(1), SUBNET);
    assertTrue(one.isUp());
    one.close();
    assertFalse(one.isUp());
  }

  @Test
  void aPortThatIsTakenIsNamed() throws Exception {
    WireGuardDevice one = device(1);
    IOException refused =
        assertThrows(IOException.class, () -> track(open(1, settings(9, one.listenPort(), false))));
    assertTrue(
        String.valueOf(refused.getMessage()).contains(String.valueOf(one.listenPort())),
        refused::toString);
  }

  @Test
  void aClosedDeviceFreesItsNameAndPortAndTakesNothingMore() throws Exception {
    WireGuardDevice one = device(1);
    int port = one.listenPort();
    one.close();
    one.close();
    one.put(peer(KeyPair.generate(), 2));
    assertEquals(List.of(), one.statistics());
    WireGuardDevice again = track(open(1, settings(1, port, false)));
    assertEquals(port, again.listenPort());
  }

  private WireGuardDevice device(int host) throws Exception {
    return device(host, false);
  }

  private WireGuardDevice device(int host, boolean forwarding) throws Exception {
    WireGuardDevice device = track(open(host, settings(host, 0, forwarding)));
    device.assign(inside(host), SUBNET);
    return device;
  }

  private WireGuardDevice track(WireGuardDevice device) {
    opened.add(device);
    return device;
  }

  private static DeviceSettings settings(int host, int port, boolean forwarding) {
    return new DeviceSettings(
        "contract" + host, KeyPair.generate(), port, DeviceSettings.DEFAULT_MTU, forwarding);
  }

  private static MeshAddresses inside(int host) {
    return SUBNET.addresses(host);
  }

  private InetSocketAddress endpoint(WireGuardDevice device, int host) {
    return new InetSocketAddress(outside(host), device.listenPort());
  }

  private static Peer peer(WireGuardDevice device, int host) {
    return peer(device.publicKey(), host);
  }

  private static Peer peer(KeyPair keys, int host) {
    return peer(keys.publicKey(), host);
  }

  private static Peer peer(WireGuardKey key, int host) {
    return new Peer(
        key,
        Optional.empty(),
        Set.of(IpPrefix.host(inside(host).ipv4()), IpPrefix.host(inside(host).ipv6())),
        Optional.empty());
  }

  private Peer peerAt(WireGuardDevice device, int host) {
    Peer peer = peer(device, host);
    return new Peer(
        peer.publicKey(), Optional.of(endpoint(device, host)), peer.allowedIps(), Optional.empty());
  }

  private static void assertAnswers(WireGuardDevice from, int host) throws IOException {
    assertTrue(from.echo(inside(host).ipv4(), TIMEOUT).isPresent(), "no answer over IPv4");
    assertTrue(from.echo(inside(host).ipv6(), TIMEOUT).isPresent(), "no answer over IPv6");
  }
}
