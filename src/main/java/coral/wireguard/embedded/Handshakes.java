package coral.wireguard.embedded;

import coral.model.WireGuardKey;
import coral.wireguard.DeviceEvent;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Both roles of the handshake, and what the timers demand. All methods but {@link #receive} run on
 * the control thread.
 */
final class Handshakes {
  private final LocalIdentity local;
  private final PeerTable peers;
  private final Transmitter transmitter;
  private final UdpSocket socket;
  private final ControlLoop control;
  private final DeviceClock clock;
  private final Tai64n timestamps;
  private final Drops drops;
  private final Workspace workspace;
  private final Consumer<DeviceEvent> events;

  Handshakes(
      LocalIdentity local,
      PeerTable peers,
      Transmitter transmitter,
      UdpSocket socket,
      ControlLoop control,
      DeviceClock clock,
      Drops drops,
      Workspace workspace,
      Consumer<DeviceEvent> events) {
    this.local = local;
    this.peers = peers;
    this.transmitter = transmitter;
    this.socket = socket;
    this.control = control;
    this.clock = clock;
    this.timestamps = new Tai64n(clock.wall());
    this.drops = drops;
    this.workspace = workspace;
    this.events = events;
  }

  /**
   * Takes a handshake message from the socket, on its thread. What does not know our public key
   * goes no further than one BLAKE2s; a proof of the sender's address (section 5.4.7, cookies)
   * belongs here too, once the queue is long.
   */
  void receive(byte[] message, int type, InetSocketAddress from) {
    if (type == Messages.COOKIE_REPLY || !Messages.isAuthentic(message, local.mac1Key())) {
      drops.count(Drops.Reason.HANDSHAKE_REFUSED);
      return;
    }
    Runnable work =
        type == Messages.INITIATION
            ? () -> onInitiation(message, from)
            : () -> onResponse(message, from);
    if (!control.offerHandshake(work)) {
      drops.count(Drops.Reason.HANDSHAKE_OVERLOAD);
    }
  }

  /** Does what a peer's timers demand, and waits for the next. */
  void due(PeerState peer) {
    Set<PeerTimers.Due> due = peer.due(clock.now());
    if (due.contains(PeerTimers.Due.INITIATE)) {
      initiate(peer);
    }
    if (due.contains(PeerTimers.Due.KEEPALIVE)) {
      transmitter.keepalive(peer, workspace);
    }
    control.schedule(peer);
  }

  private void initiate(PeerState peer) {
    InetSocketAddress endpoint = peer.beginInitiation(clock.now());
    if (endpoint == null) {
      return;
    }
    int index = peers.indices().reserve(peer);
    Optional<InitiatorHandshake> begun =
        InitiatorHandshake.begin(local, peer.remote(), index, timestamps.next());
    if (begun.isEmpty()) { // its key is a point of low order: nobody has the private half
      peers.indices().release(index);
      return;
    }
    peer.initiated(begun.get(), Messages.INITIATION_LENGTH, clock.now());
    send(begun.get().message(), endpoint);
  }

  private void onInitiation(byte[] message, InetSocketAddress from) {
    Optional<ResponderHandshake> opened = ResponderHandshake.open(local, message);
    if (opened.isEmpty()) {
      drops.count(Drops.Reason.HANDSHAKE_REFUSED);
      return;
    }
    ResponderHandshake handshake = opened.get();
    PeerState peer = peers.find(handshake.initiator());
    if (peer == null) {
      drops.count(Drops.Reason.UNKNOWN_PEER);
      return;
    }
    byte[] timestamp = handshake.readTimestamp();
    if (timestamp == null) {
      drops.count(Drops.Reason.HANDSHAKE_REFUSED);
      return;
    }
    if (!peer.acceptInitiation(timestamp, clock.now())) {
      drops.count(Drops.Reason.INITIATION_REPLAYED);
      return;
    }
    int index = peers.indices().reserve(peer);
    Optional<ResponderHandshake.Response> response = handshake.respond(peer.remote(), index);
    if (response.isEmpty()) {
      peers.indices().release(index);
      drops.count(Drops.Reason.HANDSHAKE_REFUSED);
      return;
    }
    PeerState.Change change = peer.responded(index, response.get().keys(), from, clock.now());
    if (change != null) {
      send(response.get().message(), from);
      announce(peer.key(), change, from);
      control.schedule(peer);
    }
  }

  private void onResponse(byte[] message, InetSocketAddress from) {
    Indices.Target target = peers.indices().find(Messages.getInt(message, 8));
    InitiatorHandshake handshake = target == null ? null : target.peer().handshake();
    Optional<SessionKeys> keys = handshake == null ? Optional.empty() : handshake.finish(message);
    if (target == null || handshake == null || keys.isEmpty()) {
      drops.count(Drops.Reason.HANDSHAKE_REFUSED);
      return;
    }
    PeerState peer = target.peer();
    PeerState.Change change =
        peer.answered(handshake, keys.get(), from, message.length, clock.now(), clock.instant());
    if (change != null) {
      // The responder may not send before it has heard from us on the new session (section 5.4.6).
      if (!transmitter.flush(peer, workspace)) {
        transmitter.keepalive(peer, workspace);
      }
      announce(peer.key(), change, from);
    }
  }

  /** Tells the listeners what an authentic message changed. */
  void announce(WireGuardKey peer, PeerState.Change change, InetSocketAddress from) {
    if (change.moved()) {
      events.accept(new DeviceEvent.EndpointChanged(peer, from));
    }
    change
        .completed()
        .ifPresent(took -> events.accept(new DeviceEvent.HandshakeCompleted(peer, from, took)));
  }

  private void send(byte[] message, InetSocketAddress target) {
    try {
      socket.send(ByteBuffer.wrap(message), target);
    } catch (IOException e) { // such as: no route to that host just now; it is sent again
      drops.count(Drops.Reason.SEND_FAILED);
    }
  }
}
