package coral.agent.observation;

import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import java.net.InetAddress;

/** Which connections are this host's own in the mesh. */
record OwnAddresses(MeshAddresses own, MeshSubnet subnet) {
  boolean isOwn(InetAddress address) {
    return address.equals(own.ipv4()) || address.equals(own.ipv6());
  }

  /** Whether the address may be another member's. */
  boolean isOther(InetAddress address) {
    return (subnet.ipv4().contains(address) || subnet.ipv6().contains(address)) && !isOwn(address);
  }
}
