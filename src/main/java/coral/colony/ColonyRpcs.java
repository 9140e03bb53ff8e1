package coral.colony;

import static coral.rpc.Role.ADMINISTRATOR;
import static coral.rpc.Role.AGENT;
import static coral.rpc.Role.ANYONE;
import static coral.rpc.Role.OPERATOR;
import static coral.rpc.Role.PROXY;
import static coral.rpc.Role.VIEWER;

import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Who may call what on the colony's port. What is not here nobody may call. */
public final class ColonyRpcs {
  private static final String MESH = "coral.mesh.v1.MeshService/";
  private static final String COLONY = "coral.colony.v1.ColonyService/";
  private static final String CERTIFICATES = "coral.colony.v1.CertificateService/";
  private static final String INVITATIONS = "coral.colony.v1.InvitationService/";
  private static final String AUDIT = "coral.colony.v1.AuditService/";
  private static final String SECRET = "coral.colony.v1.SecretService/";

  static final String REGISTER = MESH + "Register";
  static final String REQUEST_CERTIFICATE = COLONY + "RequestCertificate";
  static final String GET_CA_CERTIFICATE = COLONY + "GetCACertificate";

  private static final Set<Role> EVERYBODY = Set.of(Role.values());

  private static final Set<Role> KNOWN = Set.of(AGENT, PROXY, VIEWER, OPERATOR, ADMINISTRATOR);

  /** For itself alone: the edge takes the name from the certificate. */
  private static final Set<Role> MEMBERS = Set.of(AGENT, PROXY);

  private static final Set<Role> READERS = Set.of(PROXY, VIEWER, OPERATOR, ADMINISTRATOR);
  private static final Set<Role> OPERATORS = Set.of(OPERATOR, ADMINISTRATOR);
  private static final Set<Role> ADMINISTRATORS = Set.of(ADMINISTRATOR);

  private static final Map<String, Set<Role>> TABLE =
      Map.ofEntries(
          // A stranger pays, a member renews: Issuance sees to it.
          Map.entry(REQUEST_CERTIFICATE, EVERYBODY),
          Map.entry(GET_CA_CERTIFICATE, EVERYBODY),
          Map.entry(REGISTER, MEMBERS),
          Map.entry(MESH + "Session", MEMBERS),
          // A member for itself: MeshEdge sees to it.
          Map.entry(MESH + "Deregister", Set.of(AGENT, PROXY, ADMINISTRATOR)),
          Map.entry(COLONY + "GetStatus", READERS),
          Map.entry(COLONY + "ListAgents", READERS),
          Map.entry(COLONY + "GetTopology", READERS),
          Map.entry(COLONY + "ListAllocations", READERS),
          Map.entry(COLONY + "WatchAgents", READERS),
          Map.entry(COLONY + "PingAgent", READERS),
          Map.entry(COLONY + "ReserveAddress", OPERATORS),
          // An operator no administrator: Revocation sees to it.
          Map.entry(COLONY + "RevokeCertificate", OPERATORS),
          Map.entry(CERTIFICATES + "ListCertificates", READERS),
          Map.entry(CERTIFICATES + "GetCertificateStatus", READERS),
          Map.entry(CERTIFICATES + "GetAuthorityStatus", READERS),
          Map.entry(CERTIFICATES + "AllowRebind", ADMINISTRATORS),
          Map.entry(CERTIFICATES + "RotateAuthority", ADMINISTRATORS),
          Map.entry(INVITATIONS + "CreateInvitation", OPERATORS),
          Map.entry(INVITATIONS + "ListInvitations", READERS),
          Map.entry(INVITATIONS + "RevokeInvitation", OPERATORS),
          Map.entry(AUDIT + "ListAuditRecords", OPERATORS),
          Map.entry(AUDIT + "ListAuditRoots", OPERATORS),
          Map.entry(SECRET + "RotateSecret", ADMINISTRATORS),
          Map.entry(RpcServer.REFLECTION, KNOWN));

  static final RpcAuthorization AUTHORIZATION = RpcAuthorization.of(TABLE);

  private ColonyRpcs() {}

  /** Whether a role may make a call, so that nobody asks in vain. */
  public static boolean mayCall(Role role, String rpc) {
    return AUTHORIZATION.allowed(rpc).contains(role);
  }

  /** The table of a colony that takes what agents had before they had certificates. */
  static RpcAuthorization withStrangersRegistering() {
    Map<String, Set<Role>> table = new HashMap<>(TABLE);
    table.put(REGISTER, Set.of(AGENT, PROXY, ANYONE));
    return RpcAuthorization.of(table);
  }
}
