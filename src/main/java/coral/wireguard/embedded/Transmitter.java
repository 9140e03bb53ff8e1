package coral.wireguard.embedded;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** From packets to datagrams: finds the peer, encrypts, sends. For any thread with a workspace. */
final class Transmitter {
  private static final byte[] NOTHING = {};

  private final PeerTable peers;
  private final UdpSocket socket;
  private final ControlLoop control;
  private final DeviceClock clock;
  private final Drops drops;
  private final int mtu;

  Transmitter(
      PeerTable peers,
      UdpSocket socket,
      ControlLoop control,
      DeviceClock clock,
      Drops drops,
      int mtu) {
    this.peers = peers;
    this.socket = socket;
    this.control = control;
    this.clock = clock;
    this.drops = drops;
    this.mtu = mtu;
  }

  /** Sends an IP packet to the peer that has its destination. */
  void route(byte[] packet, int offset, int available, Workspace workspace) {
    int length = IpPacket.length(packet, offset, available);
    if (length < 0) {
      drops.count(Drops.Reason.MALFORMED);
      return;
    }
    PeerState peer =
        peers.owner(
            packet, IpPacket.destinationOffset(packet, offset), IpPacket.isIpv6(packet, offset));
    if (peer == null) {
      drops.count(Drops.Reason.NO_PEER_FOR_DESTINATION);
      return;
    }
    send(peer, packet, offset, length, workspace);
  }

  /** Sends a packet to a peer, or keeps it until there is a session. */
  void send(PeerState peer, byte[] packet, int offset, int length, Workspace workspace) {
    int padded = Messages.paddedLength(length, mtu);
    if (padded > Constants.MAX_DATAGRAM - Messages.KEEPALIVE_LENGTH) {
      drops.count(Drops.Reason.MALFORMED);
      return;
    }
    PeerState.Outgoing leave =
        peer.send(packet, offset, length, Messages.KEEPALIVE_LENGTH + padded, clock.now(), drops);
    control.schedule(peer);
    if (leave != null) {
      send(workspace.seal(leave.session(), leave.counter(), packet, offset, length, padded), leave);
    }
  }

  /** Sends an empty packet, or asks for a handshake if there is no session. */
  void keepalive(PeerState peer, Workspace workspace) {
    send(peer, NOTHING, 0, 0, workspace);
  }

  /** Sends what waited for a session; returns whether that was anything. */
  boolean flush(PeerState peer, Workspace workspace) {
    List<byte[]> waited = peer.takeStaged();
    for (byte[] packet : waited) {
      send(peer, packet, 0, packet.length, workspace);
    }
    return !waited.isEmpty();
  }

  private void send(ByteBuffer datagram, PeerState.Outgoing leave) {
    try {
      socket.send(datagram, leave.endpoint());
    } catch (IOException e) { // such as: no route to that host just now
      drops.count(Drops.Reason.SEND_FAILED);
    }
  }
}
