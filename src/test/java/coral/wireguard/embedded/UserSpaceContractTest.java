package coral.wireguard.embedded;

import coral.wireguard.DeviceSettings;
import coral.wireguard.WireGuardDevice;
import coral.wireguard.WireGuardDeviceContract;
import java.net.InetAddress;
import java.time.InstantSource;

/** The contract with tunnels that end in this process; all hosts are the loopback address. */
class UserSpaceContractTest extends WireGuardDeviceContract {
  @Override
  protected WireGuardDevice open(int host, DeviceSettings settings) throws Exception {
    return EmbeddedDevice.inUserSpace(settings, InstantSource.system());
  }

  @Override
  protected InetAddress outside(int host) {
    return InetAddress.getLoopbackAddress();
  }
}
