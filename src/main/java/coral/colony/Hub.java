package coral.colony;

import coral.address.Allocation;
import coral.address.AllocationChange;
import coral.address.AllocationEvent;
import coral.model.AgentId;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import coral.wireguard.DeviceEvent;
import coral.wireguard.DeviceSettings;
import coral.wireguard.Peer;
import coral.wireguard.WireGuardDevice;
import coral.wireguard.embedded.DeviceMode;
import coral.wireguard.embedded.EmbeddedDevice;
import java.io.IOException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The colony's device and its peers: one for every allocation. It hears of each change when it is
 * durable and before it is answered, in the order of the journal, so that an agent that has its
 * answer can shake hands, and two registrations of one agent end with the later key.
 */
final class Hub implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Hub.class);

  /** Whoever holds an agent's certificate can replace its key. */
  private static final Logger audit = LoggerFactory.getLogger("coral.audit");

  private record Member(int hostNumber, WireGuardKey key) {}

  private final WireGuardDevice device;
  private final MeshSubnet subnet;
  private final Map<AgentId, Member> members = new HashMap<>();

  /** Hears of each change behind the device. */
  private volatile Consumer<AgentId> listener = agentId -> {};

  /** Who holds an address and must not be a peer. */
  private Predicate<AgentId> barred = agent -> false;

  private Hub(WireGuardDevice device, MeshSubnet subnet) {
    this.device = device;
    this.subnet = subnet;
  }

  /**
   * Opens the device and gives it the colony's addresses; it has no peers yet.
   *
   * @throws IOException if the device cannot be made; the message says why
   */
  static Hub open(DeviceMode mode, DeviceSettings settings, MeshSubnet subnet, InstantSource clock)
      throws IOException {
    WireGuardDevice device = EmbeddedDevice.open(mode, settings, clock);
    try {
      device.onEvent(Hub::onEvent);
      device.assign(subnet.colony(), subnet);
      return new Hub(device, subnet);
    } catch (IOException | RuntimeException e) {
      device.close();
      throw e;
    }
  }

  private static void onEvent(DeviceEvent event) {
    if (event instanceof DeviceEvent.DeviceFailed failed) {
      log.error("The WireGuard device has failed: {}", failed.cause());
    } else {
      log.debug("{}", event);
    }
  }

  /**
   * Makes the holders of these addresses the peers, and nobody else.
   *
   * @param barred who must not be a peer in spite of its address; asked from now on, must not block
   */
  synchronized void restore(List<Allocation> allocations, Predicate<AgentId> barred) {
    this.barred = barred;
    Set<Peer> peers = new HashSet<>();
    members.clear();
    for (Allocation allocation : allocations) {
      Member member = new Member(allocation.hostNumber(), allocation.wireGuardKey());
      members.put(allocation.agentId(), member);
      if (!barred.test(allocation.agentId())) {
        peers.add(peer(member));
      }
    }
    device.apply(peers);
  }

  /**
   * Follows one durable change. Called in the middle of the allocator's work, which must go on
   * whatever becomes of the device: {@code /ready} and the agent's own probes tell of that.
   */
  synchronized void follow(AllocationChange change) {
    try {
      change(change);
      listener.accept(change.event().agentId());
    } catch (RuntimeException e) {
      log.error("The peer of agent {} is not as it should be", change.event().agentId(), e);
    }
  }

  /** Has somebody hear of each member that changes; must not block. */
  void onChange(Consumer<AgentId> told) {
    listener = told;
  }

  private void change(AllocationChange change) {
    AllocationEvent event = change.event();
    if (event instanceof AllocationEvent.Allocated allocated) {
      put(allocated.agentId(), new Member(allocated.hostNumber(), allocated.wireGuardKey()));
    } else if (event instanceof AllocationEvent.KeyReplaced replaced) {
      Member before = members.get(replaced.agentId());
      if (before != null) {
        audit.warn(
            "WireGuard key replaced agent={} before={} now={}",
            replaced.agentId(),
            before.key(),
            replaced.wireGuardKey());
        device.remove(before.key());
        put(replaced.agentId(), new Member(before.hostNumber(), replaced.wireGuardKey()));
      }
    } else if (event instanceof AllocationEvent.Released) {
      Member before = members.remove(event.agentId());
      if (before != null) {
        device.remove(before.key());
      }
    }
  }

  private void put(AgentId agentId, Member member) {
    members.put(agentId, member);
    if (!barred.test(agentId)) {
      device.put(peer(member));
    }
  }

  /** An agent that holds an address is no peer any more; the address stays its own. */
  synchronized void remove(AgentId agentId) {
    Member member = members.get(agentId);
    if (member != null) {
      try {
        device.remove(member.key());
      } catch (RuntimeException e) {
        log.error("The peer of agent {} is not gone", agentId, e);
      }
    }
  }

  /** An agent that has just registered is a peer, also one that was none for a while. */
  synchronized void admit(AgentId agentId) {
    Member member = members.get(agentId);
    if (member != null && !barred.test(agentId) && device.statistics(member.key()).isEmpty()) {
      device.put(peer(member));
    }
  }

  /** The host number of a member; empty for who is none. */
  synchronized OptionalInt hostNumber(AgentId agentId) {
    Member member = members.get(agentId);
    return member == null ? OptionalInt.empty() : OptionalInt.of(member.hostNumber());
  }

  private Peer peer(Member member) {
    MeshAddresses addresses = subnet.addresses(member.hostNumber());
    return new Peer(
        member.key(),
        Optional.empty(),
        Set.of(IpPrefix.host(addresses.ipv4()), IpPrefix.host(addresses.ipv6())),
        Optional.empty());
  }

  WireGuardDevice device() {
    return device;
  }

  @Override
  public void close() {
    device.close();
  }
}
