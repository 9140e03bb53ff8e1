package coral.colony;

import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import java.util.Map;
import java.util.Set;

/** Who may call what on the colony's port. What is not here nobody may call. */
final class ColonyRpcs {
  static final String REQUEST_CERTIFICATE = "coral.colony.v1.ColonyService/RequestCertificate";
  static final String GET_CA_CERTIFICATE = "coral.colony.v1.ColonyService/GetCACertificate";

  private static final Set<Role> ANYONE = Set.of(Role.ANYONE);
  private static final Set<Role> AGENT = Set.of(Role.AGENT);
  private static final Set<Role> ADMINISTRATOR = Set.of(Role.ADMINISTRATOR);

  static final RpcAuthorization AUTHORIZATION =
      RpcAuthorization.of(
          Map.ofEntries(
              Map.entry(REQUEST_CERTIFICATE, ANYONE),
              Map.entry(GET_CA_CERTIFICATE, ANYONE),
              Map.entry("coral.colony.v1.ColonyService/RevokeCertificate", Set.of()),
              Map.entry("coral.mesh.v1.MeshService/Register", AGENT),
              Map.entry("coral.mesh.v1.MeshService/Session", AGENT),
              // An agent for itself: MeshEdge sees to it.
              Map.entry(
                  "coral.mesh.v1.MeshService/Deregister", Set.of(Role.AGENT, Role.ADMINISTRATOR)),
              Map.entry("coral.colony.v1.ColonyService/GetStatus", ADMINISTRATOR),
              Map.entry("coral.colony.v1.ColonyService/ListAgents", ADMINISTRATOR),
              Map.entry("coral.colony.v1.ColonyService/GetTopology", ADMINISTRATOR),
              Map.entry("coral.colony.v1.ColonyService/ListAllocations", ADMINISTRATOR),
              Map.entry("coral.colony.v1.AuditService/ListAuditRecords", ADMINISTRATOR),
              Map.entry("coral.colony.v1.AuditService/ListAuditRoots", ADMINISTRATOR)));

  private ColonyRpcs() {}
}
