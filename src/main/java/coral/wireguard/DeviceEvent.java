package coral.wireguard;

import coral.model.WireGuardKey;
import java.net.InetSocketAddress;
import java.time.Duration;

/** Something a device tells; a hint, for the state is in the statistics. */
public sealed interface DeviceEvent {
  /**
   * A session with a peer is confirmed: packets can go both ways.
   *
   * @param took from the first initiation of this attempt to the confirmation
   */
  record HandshakeCompleted(WireGuardKey peer, InetSocketAddress endpoint, Duration took)
      implements DeviceEvent {}

  /** A peer was heard from another address than before, and is answered there from now on. */
  record EndpointChanged(WireGuardKey peer, InetSocketAddress endpoint) implements DeviceEvent {}

  /** The device has stopped and will not recover: close it. */
  record DeviceFailed(String cause) implements DeviceEvent {}
}
