package coral.agent;

import coral.model.Endpoint;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.util.List;

/**
 * What the colony answered to a registration.
 *
 * @param own the agent's permanent addresses
 * @param colony the colony's addresses in the mesh
 * @param colonyEndpoints of its WireGuard socket, best first; never empty
 * @param mtu largest packet inside the tunnel, bytes; 0 if the colony does not say
 */
record Membership(
    MeshAddresses own,
    MeshSubnet subnet,
    MeshAddresses colony,
    WireGuardKey colonyKey,
    List<Endpoint> colonyEndpoints,
    Duration heartbeatInterval,
    int mtu) {
  Membership {
    colonyEndpoints = List.copyOf(colonyEndpoints);
    if (colonyEndpoints.isEmpty()) {
      throw new IllegalArgumentException("the colony names no WireGuard endpoint");
    }
  }

  /**
   * Where the colony's WireGuard socket is sought.
   *
   * @param silences how often nobody has answered: another endpoint is taken after each time
   */
  Endpoint colonyEndpoint(int silences) {
    return colonyEndpoints.get(silences % colonyEndpoints.size());
  }

  /** The same membership of a colony that has moved or changed its key. */
  Membership withColony(WireGuardKey key, List<Endpoint> endpoints) {
    return new Membership(own, subnet, colony, key, endpoints, heartbeatInterval, mtu);
  }
}
