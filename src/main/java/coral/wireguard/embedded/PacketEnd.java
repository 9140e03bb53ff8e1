package coral.wireguard.embedded;

import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;

/** Where the tunnel ends: at a TUN device, or in this process. */
interface PacketEnd extends AutoCloseable {
  /** Takes these addresses in place of those before. */
  void assign(MeshAddresses own, MeshSubnet subnet) throws IOException;

  /** Takes a packet from a peer, on the thread that reads the socket. */
  void deliver(byte[] packet, int length, Workspace workspace);

  /** As {@link coral.wireguard.WireGuardDevice#echo}. */
  Optional<Duration> echo(InetAddress target, Duration timeout) throws IOException;

  /** Hands over packets for the peers until it is closed; returns at once if it has no own. */
  void run() throws IOException;

  @Override
  void close();
}
