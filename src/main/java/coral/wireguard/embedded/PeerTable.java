package coral.wireguard.embedded;

import coral.model.IpPrefix;
import coral.model.WireGuardKey;
import coral.wireguard.Peer;
import coral.wireguard.PeerStatistics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * All peers, found by key, by address and by index. Changes hold the lock of this object; the
 * packet threads look up without it.
 */
final class PeerTable {
  private final WireGuardKey own;
  private final DeviceClock clock;
  private final ControlLoop control;
  private final LongSupplier jitter;
  private final Map<WireGuardKey, PeerState> peers = new ConcurrentHashMap<>();
  private final AllowedIps<PeerState> allowedIps = new AllowedIps<>();
  private final Indices indices = new Indices();
  private final Semaphore staging = new Semaphore(Constants.STAGED_PACKETS);
  private long lastNumber;
  private boolean closed;

  PeerTable(WireGuardKey own, DeviceClock clock, ControlLoop control, LongSupplier jitter) {
    this.own = own;
    this.clock = clock;
    this.control = control;
    this.jitter = jitter;
  }

  @Nullable PeerState find(WireGuardKey key) {
    return peers.get(key);
  }

  /** Who has the address at this offset of a packet. */
  @Nullable PeerState owner(byte[] packet, int offset, boolean isIpv6) {
    return allowedIps.find(packet, offset, isIpv6);
  }

  Indices indices() {
    return indices;
  }

  List<PeerStatistics> statistics() {
    List<PeerStatistics> all = new ArrayList<>(peers.size());
    for (PeerState peer : peers.values()) {
      all.add(peer.statistics());
    }
    return all;
  }

  synchronized void put(Peer peer) {
    if (peer.publicKey().equals(own)) {
      throw new IllegalArgumentException("a device is not a peer of itself: " + own);
    }
    if (closed) {
      return;
    }
    PeerState state = peers.get(peer.publicKey());
    Set<IpPrefix> before = Set.of();
    if (state == null) {
      state = new PeerState(++lastNumber, peer, indices, staging, jitter);
      peers.put(peer.publicKey(), state);
    } else {
      before = state.desired().allowedIps();
    }
    state.configure(peer, clock.now());
    for (IpPrefix prefix : before) {
      if (!peer.allowedIps().contains(prefix)) {
        allowedIps.remove(prefix, state);
      }
    }
    for (IpPrefix prefix : peer.allowedIps()) {
      allowedIps.put(prefix, state);
    }
    control.schedule(state);
  }

  synchronized void remove(WireGuardKey key) {
    PeerState state = peers.remove(key);
    if (state != null) {
      for (IpPrefix prefix : state.desired().allowedIps()) {
        allowedIps.remove(prefix, state);
      }
      state.remove();
      control.cancel(state);
    }
  }

  synchronized void apply(Set<Peer> desired) {
    Map<WireGuardKey, Peer> byKey = new HashMap<>();
    Set<IpPrefix> prefixes = new HashSet<>();
    for (Peer peer : desired) {
      if (peer.publicKey().equals(own) || byKey.put(peer.publicKey(), peer) != null) {
        throw new IllegalArgumentException(
            "a peer is desired twice, or is the device itself: " + peer.publicKey());
      }
      for (IpPrefix prefix : peer.allowedIps()) {
        if (!prefixes.add(prefix)) {
          throw new IllegalArgumentException("two peers are desired to have " + prefix);
        }
      }
    }
    for (WireGuardKey key : List.copyOf(peers.keySet())) {
      if (!byKey.containsKey(key)) {
        remove(key);
      }
    }
    for (Peer peer : desired) {
      if (!Optional.ofNullable(peers.get(peer.publicKey()))
          .map(PeerState::desired)
          .equals(Optional.of(peer))) {
        put(peer);
      }
    }
  }

  /** Forgets everything, and takes nothing more. */
  synchronized void close() {
    closed = true;
    for (WireGuardKey key : List.copyOf(peers.keySet())) {
      remove(key);
    }
  }
}
