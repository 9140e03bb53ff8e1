package coral.wireguard.embedded;

import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import coral.wireguard.DeviceEvent;
import coral.wireguard.DeviceSettings;
import coral.wireguard.Peer;
import coral.wireguard.PeerStatistics;
import coral.wireguard.WireGuardDevice;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A WireGuard device in this process. */
public final class EmbeddedDevice implements WireGuardDevice {
  private static final String UNFINISHED = "the embedded device is not built yet";

  private EmbeddedDevice() {}

  /**
   * Opens a device whose tunnel ends in a TUN device: needs root or CAP_NET_ADMIN.
   *
   * @param clock for timestamps in handshakes and statistics; its timers run on monotonic time
   * @throws IOException if the interface cannot be made or the port is taken; the message says so
   */
  public static EmbeddedDevice onTun(DeviceSettings settings, InstantSource clock)
      throws IOException {
    throw new IOException(UNFINISHED);
  }

  /**
   * Opens a device whose tunnel ends in this process: it answers ICMP echo requests and can send
   * them, and drops all else.
   *
   * @param clock for timestamps in handshakes and statistics; its timers run on monotonic time
   * @throws IOException if the port is taken
   */
  public static EmbeddedDevice inUserSpace(DeviceSettings settings, InstantSource clock)
      throws IOException {
    throw new IOException(UNFINISHED);
  }

  /** Runs one handshake in memory, so that the first real one does not wait for class loading. */
  public static void warmUp() {}

  @Override
  public String name() {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public int listenPort() {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public WireGuardKey publicKey() {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public int mtu() {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public void assign(MeshAddresses own, MeshSubnet subnet) throws IOException {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public void apply(Set<Peer> peers) {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public void put(Peer peer) {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public void remove(WireGuardKey peer) {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public void initiate(WireGuardKey peer) {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public Optional<PeerStatistics> statistics(WireGuardKey peer) {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public List<PeerStatistics> statistics() {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public Optional<Duration> echo(InetAddress target, Duration timeout) throws IOException {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public void onEvent(Consumer<DeviceEvent> listener) {
    throw new UnsupportedOperationException(UNFINISHED);
  }

  @Override
  public boolean isUp() {
    return false;
  }

  @Override
  public void close() {}
}
