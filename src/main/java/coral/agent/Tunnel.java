package coral.agent;

import coral.model.Endpoint;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import coral.wireguard.DeviceEvent;
import coral.wireguard.Peer;
import coral.wireguard.PeerStatistics;
import coral.wireguard.WireGuardDevice;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The agent's end of the mesh: one device with one peer, the colony. Owns the device. Its methods
 * may block and may be called from any thread.
 */
final class Tunnel implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Tunnel.class);

  /** Keeps the mapping of a NAT open (WireGuard's documentation: sensible for most firewalls). */
  private static final Duration KEEPALIVE = Duration.ofSeconds(25);

  /** Opens the device, without address or peer. */
  interface Opener {
    /** Waits for what would slow {@link #open} and the first handshake down: class loading. */
    default void prepare() {}

    WireGuardDevice open() throws IOException;
  }

  private final Opener opener;
  private final InstantSource clock;
  private @Nullable WireGuardDevice device;
  private volatile @Nullable Membership membership;
  private volatile @Nullable String yieldsTo;
  private volatile Consumer<String> failureListener = cause -> {};
  private boolean closed;

  Tunnel(Opener opener, InstantSource clock) {
    this.opener = opener;
    this.clock = clock;
  }

  /** To be called before time counts. */
  void prepare() {
    opener.prepare();
  }

  /** Creates the interface, unless there is one. */
  synchronized void open() throws IOException {
    if (closed) {
      throw new IOException("the agent is leaving");
    }
    if (device == null) {
      device = opener.open();
      device.onEvent(
          event -> {
            if (event instanceof DeviceEvent.DeviceFailed failed) {
              failureListener.accept(failed.cause());
            }
          });
    }
  }

  /**
   * Sets who is told, once, that the device has stopped and will not recover.
   *
   * @param listener is called from a thread of the device and must not block
   */
  void onFailure(Consumer<String> listener) {
    failureListener = listener;
  }

  /** The device's key. */
  WireGuardKey publicKey() throws IOException {
    return opened().publicKey();
  }

  /** Whether the agent leaves, and nothing may be opened any more. */
  synchronized boolean isClosed() {
    return closed;
  }

  /** The interface's name; empty before it is created. */
  String name() {
    WireGuardDevice current = current();
    return current == null ? "" : current.name();
  }

  /**
   * Gives the interface its addresses, and the mesh its route to there.
   *
   * @param yields whether to do without where another interface of the host is in that mesh: two
   *     routes to one subnet take each other's packets
   */
  void assign(Membership membership, boolean yields) throws IOException {
    WireGuardDevice current = opened();
    Optional<String> other =
        yields ? interfaceIn(membership.subnet(), current.name()) : Optional.empty();
    yieldsTo = other.orElse(null);
    if (other.isEmpty()) {
      current.assign(membership.own(), membership.subnet());
    }
  }

  /** The interface of the host that has the mesh's route in place of this one's. */
  Optional<String> yieldsTo() {
    return Optional.ofNullable(yieldsTo);
  }

  private static Optional<String> interfaceIn(MeshSubnet subnet, String own) throws IOException {
    return NetworkInterface.networkInterfaces()
        .filter(candidate -> !candidate.getName().equals(own))
        .filter(
            candidate ->
                candidate
                    .inetAddresses()
                    .anyMatch(
                        address ->
                            subnet.ipv4().contains(address) || subnet.ipv6().contains(address)))
        .map(NetworkInterface::getName)
        .findFirst();
  }

  /**
   * Makes the colony the only peer, and starts a handshake with it.
   *
   * @param endpoint a name is resolved
   */
  void connect(Membership colony, Endpoint endpoint) throws IOException {
    InetSocketAddress address =
        new InetSocketAddress(InetAddress.getByName(endpoint.host()), endpoint.port());
    WireGuardDevice current = opened();
    Set<IpPrefix> mesh = Set.of(colony.subnet().ipv4(), colony.subnet().ipv6());
    current.apply(
        Set.of(new Peer(colony.colonyKey(), Optional.of(address), mesh, Optional.of(KEEPALIVE))));
    membership = colony;
    current.initiate(colony.colonyKey());
  }

  /** Forgets the colony; nothing goes through the interface until it is connected again. */
  void disconnect() {
    membership = null;
    WireGuardDevice current = current();
    if (current != null) {
      current.apply(Set.of());
    }
  }

  /**
   * Probes the colony's mesh addresses, one after the other.
   *
   * @param timeout of each
   */
  ProbeResult probe(Duration timeout) throws IOException {
    WireGuardDevice current = opened();
    Membership known = membership;
    if (known == null) {
      throw new IOException("the colony is no peer yet");
    }
    MeshAddresses colony = known.colony();
    if (yieldsTo != null) { // an echo would go, and be answered, through the other interface
      return new ProbeResult(colony, Optional.empty(), Optional.empty(), handshakeAge());
    }
    Optional<Duration> ipv4 = echo(current, colony.ipv4(), timeout);
    Optional<Duration> ipv6 = echo(current, colony.ipv6(), timeout);
    return new ProbeResult(colony, ipv4, ipv6, handshakeAge());
  }

  /** What is known of the colony as a peer. */
  Optional<PeerStatistics> statistics() {
    WireGuardDevice current = current();
    Membership known = membership;
    return current == null || known == null
        ? Optional.empty()
        : current.statistics(known.colonyKey());
  }

  /** Removes the interface; it cannot be opened again. */
  @Override
  public synchronized void close() {
    closed = true;
    if (device != null) {
      device.close();
      device = null;
    }
  }

  private Optional<Duration> handshakeAge() {
    return statistics()
        .flatMap(PeerStatistics::lastHandshake)
        .map(at -> Duration.between(at, clock.instant()));
  }

  /** A family that the host cannot send is a family that is not answered. */
  private static Optional<Duration> echo(
      WireGuardDevice device, InetAddress target, Duration timeout) {
    try {
      return device.echo(target, timeout);
    } catch (IOException e) {
      LOG.warn("No echo could be sent to {}: {}", target.getHostAddress(), e.getMessage());
      return Optional.empty();
    }
  }

  private synchronized @Nullable WireGuardDevice current() {
    return device;
  }

  private WireGuardDevice opened() throws IOException {
    WireGuardDevice current = current();
    if (current == null) {
      throw new IOException("there is no interface");
    }
    return current;
  }
}
