package coral.wireguard.embedded;

import coral.model.MeshAddresses;
import coral.wireguard.DeviceSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From datagrams to packets: the work of the thread that reads the socket. */
final class Receiver {
  private static final Logger LOG = LoggerFactory.getLogger(Receiver.class);

  private final UdpSocket socket;
  private final PeerTable peers;
  private final Handshakes handshakes;
  private final Transmitter transmitter;
  private final ControlLoop control;
  private final DeviceClock clock;
  private final Drops drops;
  private final PacketEnd end;
  private final boolean forwarding;
  private final Workspace workspace;
  private volatile @Nullable OwnAddresses own;
  private final byte[] datagram = new byte[Constants.MAX_DATAGRAM];
  private final byte[] packet = new byte[Constants.MAX_DATAGRAM];

  /** In the order of the network, to compare with packets. */
  @SuppressWarnings("ArrayRecordComponent") // never compared or shown itself
  private record OwnAddresses(byte[] ipv4, byte[] ipv6) {}

  Receiver(
      UdpSocket socket,
      PeerTable peers,
      Handshakes handshakes,
      Transmitter transmitter,
      ControlLoop control,
      DeviceClock clock,
      Drops drops,
      PacketEnd end,
      DeviceSettings settings,
      Workspace workspace) {
    this.socket = socket;
    this.peers = peers;
    this.handshakes = handshakes;
    this.transmitter = transmitter;
    this.control = control;
    this.clock = clock;
    this.drops = drops;
    this.end = end;
    this.forwarding = settings.forwarding();
    this.workspace = workspace;
  }

  /** From now on packets to these addresses are delivered, and to no others. */
  void assign(MeshAddresses addresses) {
    own = new OwnAddresses(addresses.ipv4().getAddress(), addresses.ipv6().getAddress());
  }

  /** Receives until the socket is closed or fails. */
  void run() throws IOException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(Constants.MAX_DATAGRAM);
    while (socket.isOpen()) {
      buffer.clear();
      InetSocketAddress from = socket.receive(buffer);
      if (from != null) {
        buffer.flip();
        int length = buffer.remaining();
        buffer.get(datagram, 0, length);
        receive(length, from);
      }
    }
  }

  private void receive(int length, InetSocketAddress from) {
    try {
      int type = Messages.type(datagram, length);
      if (type == Messages.TRANSPORT) {
        onTransport(length, from);
      } else if (type == 0) {
        drops.count(Drops.Reason.MALFORMED);
      } else {
        handshakes.receive(Arrays.copyOf(datagram, length), type, from);
      }
    } catch (RuntimeException e) {
      drops.count(Drops.Reason.DEFECT);
      if (Long.bitCount(drops.get(Drops.Reason.DEFECT)) == 1) { // a flood does not fill the log
        LOG.error("A datagram could not be handled: this is a defect", e);
      }
    }
  }

  private void onTransport(int length, InetSocketAddress from) {
    Indices.Target target = peers.indices().find(Messages.getInt(datagram, 4));
    Session session = target == null ? null : target.session();
    if (target == null || session == null) {
      drops.count(Drops.Reason.UNKNOWN_SESSION);
      return;
    }
    long now = clock.now();
    if (session.isExpired(now)) {
      drops.count(Drops.Reason.SESSION_EXPIRED);
      return;
    }
    long counter = Messages.counter(datagram);
    if (!session.window().isAcceptable(counter)) {
      drops.count(Drops.Reason.REPLAYED);
      return;
    }
    int opened =
        workspace
            .cipher()
            .open(
                session.keys().receive(),
                counter,
                datagram,
                Messages.TRANSPORT_HEADER,
                length - Messages.TRANSPORT_HEADER,
                packet,
                0);
    if (opened < 0) {
      drops.count(Drops.Reason.NOT_AUTHENTIC);
      return;
    }
    session.window().accept(counter);
    PeerState peer = target.peer();
    int packetLength = opened == 0 ? 0 : checked(peer, opened);
    PeerState.Change change =
        peer.received(session, from, length, packetLength > 0, now, clock.instant());
    control.schedule(peer);
    if (!change.isNone()) {
      control.offer(() -> handshakes.announce(peer.key(), change, from));
      if (change.completed().isPresent()) {
        transmitter.flush(peer, workspace);
      }
    }
    if (packetLength > 0) {
      pass(packetLength);
    }
  }

  /** The length of an opened packet without its padding; -1 if the peer may not send it. */
  private int checked(PeerState peer, int available) {
    int length = IpPacket.length(packet, 0, available);
    if (length < 0) {
      drops.count(Drops.Reason.MALFORMED);
      return -1;
    }
    int source = IpPacket.sourceOffset(packet, 0);
    if (peers.owner(packet, source, IpPacket.isIpv6(packet, 0)) != peer) {
      drops.count(Drops.Reason.SOURCE_NOT_ALLOWED);
      return -1;
    }
    return length;
  }

  private void pass(int length) {
    PeerState next = forwarding ? otherPeer() : null;
    if (next == null) {
      if (isOwn()) {
        end.deliver(packet, length, workspace);
      } else {
        drops.count(Drops.Reason.NOT_OWN_DESTINATION);
      }
    } else if (IpPacket.decrementHops(packet, 0)) {
      transmitter.send(next, packet, 0, length, workspace);
    } else {
      drops.count(Drops.Reason.HOPS_EXCEEDED);
    }
  }

  /** The kernel behind a TUN device would route what is not its own wherever its routes lead. */
  private boolean isOwn() {
    OwnAddresses addresses = own;
    if (addresses == null) {
      return false;
    }
    byte[] address = IpPacket.isIpv6(packet, 0) ? addresses.ipv6() : addresses.ipv4();
    int offset = IpPacket.destinationOffset(packet, 0);
    return Arrays.equals(packet, offset, offset + address.length, address, 0, address.length);
  }

  private @Nullable PeerState otherPeer() {
    return peers.owner(packet, IpPacket.destinationOffset(packet, 0), IpPacket.isIpv6(packet, 0));
  }
}
