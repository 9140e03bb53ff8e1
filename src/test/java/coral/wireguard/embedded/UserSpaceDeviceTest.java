package coral.wireguard.embedded;

import static coral.wireguard.embedded.UserSpaceNetwork.SHORT;
import static coral.wireguard.embedded.UserSpaceNetwork.TIMEOUT;
import static coral.wireguard.embedded.UserSpaceNetwork.at;
import static coral.wireguard.embedded.UserSpaceNetwork.ipv4;
import static coral.wireguard.embedded.UserSpaceNetwork.ipv6;
import static coral.wireguard.embedded.UserSpaceNetwork.loopback;
import static coral.wireguard.embedded.UserSpaceNetwork.peer;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.IpPrefix;
import coral.wireguard.DeviceEvent;
import coral.wireguard.KeyPair;
import coral.wireguard.Peer;
import coral.wireguard.PresharedKey;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Two devices, 2 the client and 1 the server, with a network between them that misbehaves. */
class UserSpaceDeviceTest {
  private final UserSpaceNetwork network = new UserSpaceNetwork();
  private final KeyPair serverKeys = KeyPair.generate();
  private EmbeddedDevice server;
  private EmbeddedDevice client;
  private UdpRelay relay;
  private DeviceEvents serverEvents;
  private DeviceEvents clientEvents;

  @BeforeEach
  void connect() throws Exception {
    server = network.device(1, serverKeys, 0, false);
    client = network.device(2, false);
    relay = network.relayTo(server);
    serverEvents = DeviceEvents.of(server);
    clientEvents = DeviceEvents.of(client);
    server.put(peer(client, 2));
    client.put(at(peer(server, 1), relay.endpoint()));
  }

  @AfterEach
  void close() throws Exception {
    network.close();
  }

  @Test
  void anEchoOfEitherFamilyIsAnsweredInBothDirections() throws Exception {
    assertAnswers(client, ipv4(1));
    assertAnswers(client, ipv6(1));
    assertAnswers(server, ipv4(2));
    assertAnswers(server, ipv6(2));
  }

  @Test
  void aHandshakeIsAnnouncedOnBothSides() throws Exception {
    client.initiate(server.publicKey());
    DeviceEvent.HandshakeCompleted atClient =
        clientEvents.await(DeviceEvent.HandshakeCompleted.class);
    DeviceEvent.HandshakeCompleted atServer =
        serverEvents.await(DeviceEvent.HandshakeCompleted.class);
    assertEquals(server.publicKey(), atClient.peer());
    assertEquals(relay.endpoint(), atClient.endpoint());
    assertEquals(client.publicKey(), atServer.peer());
    assertEquals(relay.clientSeenFrom(), atServer.endpoint());
    assertEquals(
        Optional.of(network.time.instant()),
        server.statistics(client.publicKey()).orElseThrow().lastHandshake());
  }

  /** The kernel behind a TUN device would route it on. */
  @Test
  void aPacketToAnAddressThatTheDeviceDoesNotHaveIsNotDelivered() throws Exception {
    client.put(
        new Peer(
            server.publicKey(),
            Optional.of(relay.endpoint()),
            Set.of(UserSpaceNetwork.SUBNET.ipv4(), UserSpaceNetwork.SUBNET.ipv6()),
            Optional.empty()));
    assertAnswers(client, ipv4(1));
    assertEquals(Optional.empty(), client.echo(ipv4(7), SHORT));
    assertEquals(Optional.empty(), client.echo(ipv6(7), SHORT));
    assertAnswers(client, ipv4(1));
    assertEquals(2, server.dropped(Drops.Reason.NOT_OWN_DESTINATION));
  }

  @Test
  void aThreadThatEndsByAnErrorIsAFailureOfTheDevice() throws Exception {
    assertTrue(server.isUp());
    assertTrue(
        server.offer(
            () -> {
              throw new StackOverflowError("as a defect might");
            }));
    DeviceEvent.DeviceFailed failed = serverEvents.await(DeviceEvent.DeviceFailed.class);
    assertTrue(failed.cause().contains("control"), failed.cause());
    assertFalse(server.isUp());
  }

  @Test
  void packetsThatComeBeforeTheHandshakeWaitForIt() throws Exception {
    assertEquals(0, client.indicesInUse());
    assertAnswers(client, ipv4(1));
    assertEquals(1, relay.recorded(Messages.INITIATION).size());
  }

  /** Section 5.4.6: counters are not accepted twice. */
  @Test
  void aReplayedDatagramIsCountedAndIgnored() throws Exception {
    assertAnswers(client, ipv4(1));
    for (byte[] datagram : relay.recorded(Messages.TRANSPORT)) {
      relay.sendToServer(datagram);
    }
    assertAnswers(client, ipv4(1));
    assertEquals(
        relay.recorded(Messages.TRANSPORT).size() - 1, server.dropped(Drops.Reason.REPLAYED));
  }

  @Test
  void aTamperedDatagramIsCountedAndTheGenuineOneOfItsCounterStillTaken() throws Exception {
    assertAnswers(client, ipv4(1));
    relay.replaceToServer(
        genuine -> {
          byte[] forged = genuine.get(0).clone();
          forged[forged.length - 1] ^= 1;
          return List.of(forged, forged, genuine.get(0));
        });
    assertAnswers(client, ipv4(1));
    assertEquals(2, server.dropped(Drops.Reason.NOT_AUTHENTIC));
    assertEquals(0, server.dropped(Drops.Reason.DEFECT));
  }

  /** Section 5.1: an initiation is not answered twice. */
  @Test
  void aReplayedInitiationIsCountedAndNotAnswered() throws Exception {
    assertAnswers(client, ipv4(1));
    network.time.advance(Duration.ofSeconds(1));
    relay.sendToServer(relay.recorded(Messages.INITIATION).get(0));
    KeyPair stranger = KeyPair.generate();
    relay.sendToServer(initiationOf(stranger));
    assertAnswers(client, ipv4(1));
    client.initiate(server.publicKey());
    network.time.advance(Duration.ofSeconds(5));
    clientEvents.await(DeviceEvent.HandshakeCompleted.class);
    clientEvents.await(DeviceEvent.HandshakeCompleted.class); // the control thread is in order
    assertEquals(1, server.dropped(Drops.Reason.INITIATION_REPLAYED));
    assertEquals(1, server.dropped(Drops.Reason.UNKNOWN_PEER));
  }

  private byte[] initiationOf(KeyPair keys) {
    return InitiatorHandshake.begin(
            new LocalIdentity(keys),
            RemoteIdentity.of(server.publicKey(), Optional.empty()),
            1,
            new Tai64n(network.time).next())
        .orElseThrow()
        .message();
  }

  /** Section 2.1: the endpoint is where the last authentic datagram came from. */
  @Test
  void aPeerThatComesFromAnotherAddressIsAnsweredThere() throws Exception {
    assertAnswers(client, ipv4(1));
    serverEvents.clear();
    relay.rebind();
    assertAnswers(client, ipv4(1));
    assertEquals(
        relay.clientSeenFrom(), serverEvents.await(DeviceEvent.EndpointChanged.class).endpoint());
    assertAnswers(server, ipv4(2));
    assertEquals(1, relay.recorded(Messages.INITIATION).size());
  }

  @Test
  void aForgedDatagramDoesNotMoveThePeer() throws Exception {
    assertAnswers(client, ipv4(1));
    byte[] forged = relay.recorded(Messages.TRANSPORT).get(0).clone();
    forged[8] = 99; // a counter that was not seen
    try (UdpRelay elsewhere = new UdpRelay(loopback(server))) {
      elsewhere.sendToServer(forged);
      elsewhere.sendToServer(relay.recorded(Messages.INITIATION).get(0));
    }
    assertAnswers(server, ipv4(2));
    assertEquals(1, server.dropped(Drops.Reason.NOT_AUTHENTIC));
    assertEquals(
        Optional.of(relay.clientSeenFrom()),
        server.statistics(client.publicKey()).orElseThrow().endpoint());
  }

  /** Section 6.2: the initiator renews a session that is older than Rekey-After-Time. */
  @Test
  void theInitiatorRekeysWhenItSendsAfterTwoMinutes() throws Exception {
    handshake();
    network.time.advance(Duration.ofSeconds(119));
    assertAnswers(server, ipv4(2));
    assertAnswers(client, ipv4(1));
    assertEquals(1, relay.recorded(Messages.INITIATION).size());
    network.time.advance(Duration.ofSeconds(1));
    assertAnswers(server, ipv4(2)); // the client answers, hence sends
    clientEvents.await(DeviceEvent.HandshakeCompleted.class);
    assertEquals(2, relay.recorded(Messages.INITIATION).size());
    assertAnswers(server, ipv4(2));
  }

  /** Section 6.1: nothing is carried by a session older than Reject-After-Time. */
  @Test
  void anOldSessionIsNeitherUsedNorAccepted() throws Exception {
    handshake();
    byte[] old = relay.recorded(Messages.TRANSPORT).get(0).clone();
    old[8] = 99;
    network.time.advance(Duration.ofMinutes(3));
    relay.sendToServer(old);
    assertAnswers(client, ipv4(1));
    clientEvents.await(DeviceEvent.HandshakeCompleted.class);
    assertEquals(1, server.dropped(Drops.Reason.SESSION_EXPIRED));
  }

  /** Section 6.3: keys without a successor are forgotten after three times Reject-After-Time. */
  @Test
  void keysAreForgottenAfterNineMinutes() throws Exception {
    handshake();
    assertEquals(1, server.indicesInUse());
    network.time.advance(Duration.ofMinutes(9).minusNanos(1));
    ControlTurn.await(server);
    assertEquals(1, server.indicesInUse());
    network.time.advance(Duration.ofNanos(1));
    ControlTurn.await(server);
    assertEquals(0, server.indicesInUse());
  }

  /** Section 6.5: a restarted peer knows no session; silence tells, and a handshake heals. */
  @Test
  void aRestartedPeerIsReachedAgainWithinFifteenSeconds() throws Exception {
    handshake();
    int port = server.listenPort();
    server.close();
    EmbeddedDevice restarted = network.device(1, serverKeys, port, false);
    restarted.put(peer(client, 2));
    network.time.advance(Duration.ofSeconds(20));
    assertTrue(client.echo(ipv4(1), SHORT).isEmpty());
    assertEquals(1, restarted.dropped(Drops.Reason.UNKNOWN_SESSION));
    network.time.advance(Duration.ofSeconds(16));
    clientEvents.await(DeviceEvent.HandshakeCompleted.class);
    assertAnswers(client, ipv4(1));
    assertAnswers(restarted, ipv6(2));
  }

  /** Section 6.4: an initiation that is lost is sent again after Rekey-Timeout. */
  @Test
  void aLostInitiationIsRepeated() throws Exception {
    relay.replaceToServer(lost -> List.of());
    assertTrue(client.echo(ipv4(1), SHORT).isEmpty());
    assertEquals(1, relay.recorded(Messages.INITIATION).size());
    relay.replaceToServer(genuine -> genuine);
    network.time.advance(Duration.ofSeconds(6));
    clientEvents.await(DeviceEvent.HandshakeCompleted.class);
    assertEquals(2, relay.recorded(Messages.INITIATION).size());
  }

  @Test
  void aRemovedPeerIsNotHeardAndGetsNothing() throws Exception {
    assertAnswers(client, ipv4(1));
    server.remove(client.publicKey());
    assertEquals(0, server.indicesInUse());
    assertEquals(Optional.empty(), server.statistics(client.publicKey()));
    assertTrue(client.echo(ipv4(1), SHORT).isEmpty());
    assertEquals(1, server.dropped(Drops.Reason.UNKNOWN_SESSION));
    assertTrue(server.echo(ipv4(2), SHORT).isEmpty());
    assertEquals(1, server.dropped(Drops.Reason.NO_PEER_FOR_DESTINATION));
  }

  /** Section 2: a packet from an address that is not the peer's is dropped. */
  @Test
  void aPacketFromAnAddressThatIsNotThePeersIsDropped() throws Exception {
    assertAnswers(client, ipv4(1));
    server.put(
        new Peer(
            client.publicKey(),
            Optional.empty(),
            Set.of(IpPrefix.host(ipv6(2))),
            Optional.empty()));
    assertTrue(client.echo(ipv4(1), SHORT).isEmpty());
    assertAnswers(client, ipv6(1));
    assertEquals(1, server.dropped(Drops.Reason.SOURCE_NOT_ALLOWED));
  }

  @Test
  void aChangedPeerKeepsItsSessionAndItsEndpoint() throws Exception {
    assertAnswers(client, ipv4(1));
    server.apply(
        Set.of(
            new Peer(
                client.publicKey(),
                Optional.empty(),
                Set.of(IpPrefix.host(ipv4(2)), IpPrefix.host(ipv4(7))),
                Optional.empty())));
    assertAnswers(server, ipv4(2));
    assertEquals(1, relay.recorded(Messages.INITIATION).size());
  }

  @Test
  void aPeerMovesToTheEndpointThatItIsGiven() throws Exception {
    assertAnswers(client, ipv4(1));
    try (UdpRelay other = new UdpRelay(loopback(server))) {
      client.put(at(peer(server, 1), other.endpoint()));
      assertAnswers(client, ipv4(1));
      assertEquals(1, other.recorded(Messages.TRANSPORT).size());
    }
  }

  @Test
  void aPresharedKeyMustBeTheSameOnBothSides() throws Exception {
    PresharedKey shared = PresharedKey.of(KeyPair.generate().privateKeyBytes());
    client.put(withPresharedKey(at(peer(server, 1), relay.endpoint()), shared));
    assertTrue(client.echo(ipv4(1), SHORT).isEmpty());
    assertEquals(1, client.dropped(Drops.Reason.HANDSHAKE_REFUSED));
    server.put(withPresharedKey(peer(client, 2), shared));
    network.time.advance(Duration.ofSeconds(6));
    clientEvents.await(DeviceEvent.HandshakeCompleted.class);
    assertAnswers(client, ipv4(1));
  }

  private static Peer withPresharedKey(Peer peer, PresharedKey key) {
    return new Peer(
        peer.publicKey(),
        peer.endpoint(),
        peer.allowedIps(),
        peer.persistentKeepalive(),
        Optional.of(key));
  }

  /** Section 6.5: a persistent keepalive begins at once and needs no packet. */
  @Test
  void aPersistentKeepaliveConnectsByItself() throws Exception {
    Peer plain = at(peer(server, 1), relay.endpoint());
    client.put(
        new Peer(
            plain.publicKey(),
            plain.endpoint(),
            plain.allowedIps(),
            Optional.of(Duration.ofSeconds(25))));
    serverEvents.await(DeviceEvent.HandshakeCompleted.class);
    long received = server.statistics(client.publicKey()).orElseThrow().receivedBytes();
    assertEquals(Messages.INITIATION_LENGTH + Messages.KEEPALIVE_LENGTH, received);
  }

  @Test
  void bothSidesCountTheSameBytes() throws Exception {
    assertAnswers(client, ipv4(1));
    assertAnswers(client, ipv6(1));
    ControlTurn.await(client);
    ControlTurn.await(server);
    var atClient = client.statistics(server.publicKey()).orElseThrow();
    var atServer = server.statistics(client.publicKey()).orElseThrow();
    assertEquals(atClient.sentBytes(), atServer.receivedBytes());
    assertEquals(atServer.sentBytes(), atClient.receivedBytes());
    assertTrue(atServer.sentBytes() > Messages.RESPONSE_LENGTH);
  }

  /** A session that no data has used, so that no timer waits for an answer to any. */
  private void handshake() throws InterruptedException {
    client.initiate(server.publicKey());
    clientEvents.await(DeviceEvent.HandshakeCompleted.class);
    serverEvents.await(DeviceEvent.HandshakeCompleted.class);
  }

  private static void assertAnswers(EmbeddedDevice from, InetAddress target) throws Exception {
    assertTrue(from.echo(target, TIMEOUT).isPresent(), () -> "no answer from " + target);
  }
}
