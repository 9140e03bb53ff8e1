package coral.agent;

import coral.model.Addresses;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import coral.wireguard.DeviceEvent;
import coral.wireguard.KeyPair;
import coral.wireguard.Peer;
import coral.wireguard.PeerStatistics;
import coral.wireguard.WireGuardDevice;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Writes down what is asked of it. */
final class RecordingDevice implements WireGuardDevice {
  private final List<String> calls;
  private final KeyPair keys;
  private volatile Set<Peer> peers = Set.of();

  /** Who hears of its failure. */
  final List<Consumer<DeviceEvent>> listeners = new CopyOnWriteArrayList<>();

  /** Addresses that do not answer. */
  final Set<String> silent = ConcurrentHashMap.newKeySet();

  /**
   * @param calls where everything is written down
   */
  RecordingDevice(List<String> calls, KeyPair keys) {
    this.calls = calls;
    this.keys = keys;
  }

  Set<Peer> peers() {
    return peers;
  }

  @Override
  public String name() {
    return "coral0";
  }

  @Override
  public int listenPort() {
    return 41820;
  }

  @Override
  public WireGuardKey publicKey() {
    return keys.publicKey();
  }

  @Override
  public int mtu() {
    return 1420;
  }

  @Override
  public void assign(MeshAddresses own, MeshSubnet subnet) {
    calls.add("assign " + own.ipv4Text() + " " + own.ipv6Text());
  }

  @Override
  public void apply(Set<Peer> wanted) {
    peers = wanted;
    wanted.forEach(peer -> calls.add("peer " + peer.endpoint().orElseThrow().getPort()));
  }

  @Override
  public void put(Peer peer) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void remove(WireGuardKey peer) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void initiate(WireGuardKey peer) {
    calls.add("initiate");
  }

  @Override
  public Optional<PeerStatistics> statistics(WireGuardKey peer) {
    return Optional.of(
        new PeerStatistics(peer, Optional.empty(), Optional.of(FakeColony.START), 42, 43));
  }

  @Override
  public List<PeerStatistics> statistics() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<Duration> echo(InetAddress target, Duration timeout) {
    String text = Addresses.text(target);
    calls.add("echo " + text);
    return silent.contains(text) ? Optional.empty() : Optional.of(Duration.ofMillis(1));
  }

  @Override
  public void onEvent(Consumer<DeviceEvent> listener) {
    listeners.add(listener);
  }

  @Override
  public boolean isUp() {
    return true;
  }

  @Override
  public void close() {
    calls.add("close interface");
  }
}
