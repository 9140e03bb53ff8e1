package coral.colony;

import static org.junit.jupiter.api.Assertions.assertNotEquals;

import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.IpPrefix;
import coral.model.MeshSubnet;
import coral.wireguard.DeviceSettings;
import coral.wireguard.KeyPair;
import coral.wireguard.Peer;
import coral.wireguard.WireGuardDevice;
import coral.wireguard.embedded.EmbeddedDevice;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;

/** The agents' ends of tunnels, in user space. */
final class Tunnels {
  private Tunnels() {}

  /** A device with the addresses that a registration gave. */
  static WireGuardDevice open(KeyPair keys, RegisterAgentResponse answer) throws IOException {
    MeshSubnet subnet = MeshSubnet.parse(answer.getMeshSubnetIpv4(), answer.getMeshSubnetIpv6());
    WireGuardDevice device =
        EmbeddedDevice.inUserSpace(
            new DeviceSettings("coral0", keys, 0, answer.getMtu(), false), InstantSource.system());
    int hostNumber = Integer.parseInt(answer.getAssignedIp().replaceFirst(".*\\.", ""));
    assertNotEquals(MeshSubnet.COLONY_HOST_NUMBER, hostNumber);
    device.assign(subnet.addresses(hostNumber), subnet);
    return device;
  }

  static void connect(WireGuardDevice device, TestColony colony) {
    WireGuardDevice hub = colony.process().device();
    device.put(
        new Peer(
            hub.publicKey(),
            Optional.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), hub.listenPort())),
            Set.of(IpPrefix.parse("10.42.0.0/16"), IpPrefix.parse("fd42::/64")),
            Optional.empty()));
    device.initiate(hub.publicKey());
  }

  /** The first packet after a restart finds a session that the colony has forgotten. */
  static boolean ping(WireGuardDevice device, String target) throws IOException {
    InetAddress address = IpPrefix.parseAddress(target);
    for (int attempt = 0; attempt < 20; attempt++) {
      if (device.echo(address, Duration.ofSeconds(2)).isPresent()) {
        return true;
      }
    }
    return false;
  }
}
