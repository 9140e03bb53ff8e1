package coral.wireguard.embedded;

import coral.testing.NetworkTopology;
import coral.wireguard.DeviceSettings;
import coral.wireguard.WireGuardDevice;
import coral.wireguard.WireGuardDeviceContract;
import java.net.InetAddress;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The contract with TUN devices, each in a network namespace of its own; IPv6 outside. */
class TunContractTest extends WireGuardDeviceContract {
  private static NetworkTopology topology;

  @BeforeAll
  static void buildNetwork() throws Exception {
    NetworkTopology.assumePossible();
    topology = NetworkTopology.create(3);
  }

  @AfterAll
  static void removeNetwork() {
    if (topology != null) {
      topology.close();
    }
  }

  @Override
  protected WireGuardDevice open(int host, DeviceSettings settings) throws Exception {
    return topology.on(host - 1, () -> EmbeddedDevice.onTun(settings, InstantSource.system()));
  }

  @Override
  protected InetAddress outside(int host) {
    return topology.ipv6(host - 1);
  }
}
