package coral.colony;

import coral.model.Endpoint;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.util.List;

/**
 * What agents are told of the colony's side of the mesh.
 *
 * @param endpoints of the hub's UDP socket, best first
 * @param mtu bytes inside the tunnel
 */
record MeshView(
    MeshSubnet subnet,
    WireGuardKey wireGuardKey,
    List<Endpoint> endpoints,
    Duration heartbeatInterval,
    int mtu) {
  MeshView {
    endpoints = List.copyOf(endpoints);
  }

  List<String> endpointTexts() {
    return endpoints.stream().map(Endpoint::toString).toList();
  }
}
