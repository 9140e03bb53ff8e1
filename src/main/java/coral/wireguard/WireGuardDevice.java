package coral.wireguard;

import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A WireGuard device whose peers are desired state. Opened, it listens; assigned, it carries
 * packets. All methods may be called from any thread; after {@link #close} they change nothing.
 */
public interface WireGuardDevice extends AutoCloseable {
  /** The name of its interface. */
  String name();

  /** The UDP port it listens on, also if the system chose it. */
  int listenPort();

  WireGuardKey publicKey();

  /** The greatest packet inside the tunnel, in bytes. */
  int mtu();

  /**
   * Gives the device its addresses, in place of those it had, brings its link up and routes both
   * subnets to it. Doing it again with the same values changes nothing.
   *
   * @throws IOException if the system refuses; the message says what
   */
  void assign(MeshAddresses own, MeshSubnet subnet) throws IOException;

  /**
   * Makes these the peers: adds, changes and removes. A peer that stays keeps its session and,
   * unless its configured endpoint changes, the endpoint it was last heard from.
   *
   * @throws IllegalArgumentException if a key or an allowed prefix appears twice, or the own key is
   *     among them; nothing is changed then
   */
  void apply(Set<Peer> peers);

  /**
   * Adds or changes one peer, in a time that does not depend on how many there are. A prefix that
   * another peer held moves to this one.
   *
   * @throws IllegalArgumentException if the key is the device's own
   */
  void put(Peer peer);

  /** Removes one peer and forgets its keys; nothing happens if there is none. */
  void remove(WireGuardKey peer);

  /**
   * Starts a handshake with a peer that has an endpoint, unless one was started within the last 5 s
   * (whitepaper, section 6.1). {@link DeviceEvent.HandshakeCompleted} tells its end.
   */
  void initiate(WireGuardKey peer);

  /** What is known of one peer; empty if there is none. */
  Optional<PeerStatistics> statistics(WireGuardKey peer);

  /** What is known of all peers, in no order. */
  List<PeerStatistics> statistics();

  /**
   * Sends one ICMP or ICMPv6 echo request through the tunnel and waits for its answer. Blocks.
   *
   * @return the round trip; empty if no answer came in time
   * @throws IOException if the request could not be sent
   */
  Optional<Duration> echo(InetAddress target, Duration timeout) throws IOException;

  /**
   * Adds a listener, called from a thread of the device, one event at a time; it must not block.
   */
  void onEvent(Consumer<DeviceEvent> listener);

  /** Whether it has addresses, runs and has not failed. */
  boolean isUp();

  /** Stops the device and removes its interface. Closing again changes nothing. */
  @Override
  void close();
}
