package coral.wireguard.embedded;

import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.wireguard.DeviceSettings;
import coral.wireguard.KeyPair;
import coral.wireguard.Peer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Devices that end in this process, on loopback, with a time that tests move. */
final class UserSpaceNetwork implements AutoCloseable {
  static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");
  static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** How long to wait for an answer that must not come. */
  static final Duration SHORT = Duration.ofMillis(150);

  final TestTime time = new TestTime();
  private final List<AutoCloseable> open = new ArrayList<>();

  /** A device with the addresses of a host number. */
  EmbeddedDevice device(int hostNumber, boolean forwarding) throws IOException {
    return device(hostNumber, KeyPair.generate(), 0, forwarding);
  }

  EmbeddedDevice device(int hostNumber, KeyPair keys, int port, boolean forwarding)
      throws IOException {
    DeviceSettings settings =
        new DeviceSettings("test" + hostNumber, keys, port, DeviceSettings.DEFAULT_MTU, forwarding);
    EmbeddedDevice device = time.follow(EmbeddedDevice.inUserSpace(settings, time.clock()));
    open.add(device);
    device.assign(SUBNET.addresses(hostNumber), SUBNET);
    return device;
  }

  UdpRelay relayTo(EmbeddedDevice server) throws IOException {
    UdpRelay relay = new UdpRelay(loopback(server));
    open.add(relay);
    return relay;
  }

  static InetSocketAddress loopback(EmbeddedDevice device) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), device.listenPort());
  }

  /** A host as a peer, known only by what it sends. */
  static Peer peer(EmbeddedDevice device, int hostNumber) {
    return new Peer(device.publicKey(), Optional.empty(), hosts(hostNumber), Optional.empty());
  }

  /** A peer at an endpoint. */
  static Peer at(Peer peer, InetSocketAddress endpoint) {
    return new Peer(
        peer.publicKey(), Optional.of(endpoint), peer.allowedIps(), peer.persistentKeepalive());
  }

  /** A hub as a peer, which has the whole mesh behind it. */
  static Peer hub(EmbeddedDevice device) {
    return new Peer(
        device.publicKey(),
        Optional.of(loopback(device)),
        Set.of(SUBNET.ipv4(), SUBNET.ipv6()),
        Optional.empty());
  }

  static Set<IpPrefix> hosts(int hostNumber) {
    MeshAddresses addresses = SUBNET.addresses(hostNumber);
    return Set.of(IpPrefix.host(addresses.ipv4()), IpPrefix.host(addresses.ipv6()));
  }

  static InetAddress ipv4(int hostNumber) {
    return SUBNET.addresses(hostNumber).ipv4();
  }

  static InetAddress ipv6(int hostNumber) {
    return SUBNET.addresses(hostNumber).ipv6();
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
  }
}
