package coral.colony;

import coral.model.AuditEvent.Kind;
import coral.model.AuditSink;
import coral.model.Refused;
import coral.rpc.Caller;
import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import java.util.Set;

/**
 * Tells the audit who used a role, and who was refused for want of one, for every rpc of the
 * colony: as the table decides. What members do for themselves, what everybody may do, and asking
 * what there is to call is no use of a role; what comes of it is recorded elsewhere.
 */
final class RoleUse implements RpcAuthorization.Listener {
  private final RpcAuthorization table;
  private final AuditSink sink;

  RoleUse(RpcAuthorization table, AuditSink sink) {
    this.table = table;
    this.sink = sink;
  }

  @Override
  public void admitted(String rpc, Caller caller) {
    if (isUse(rpc, caller.role())) {
      sink.record(AuditMapping.by(caller, Kind.ROLE_USED).detail("calls " + rpc));
    }
  }

  private boolean isUse(String rpc, Role role) {
    Set<Role> allowed = table.allowed(rpc);
    return role != Role.AGENT
        && !allowed.contains(Role.ANYONE)
        && !rpc.equals(RpcServer.REFLECTION);
  }

  @Override
  public void refused(String rpc, Caller caller, Refused why) {
    sink.record(AuditMapping.by(caller, Kind.CALL_REFUSED).detail(why.message()));
  }
}
