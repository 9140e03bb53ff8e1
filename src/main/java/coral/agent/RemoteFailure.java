package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.rpc.RpcException;

/** What a failed call means for a join: the one map from rpc to {@link JoinFailure}. */
final class RemoteFailure {
  private RemoteFailure() {}

  /**
   * A call to the colony that failed.
   *
   * @param notWhoWeSay what it means that the colony does not believe the caller: the secret is
   *     wrong, or the certificate is refused
   */
  static JoinException ofColony(RpcException e, Kind notWhoWeSay) {
    String message = String.valueOf(e.getMessage());
    return switch (e.reason()) {
      case UNREACHABLE, TIMEOUT, PROTOCOL, SERVER_CERTIFICATE_EXPIRED ->
          new JoinException(Kind.COLONY_UNREACHABLE, "colony unreachable: " + message, e);
      case PIN_MISMATCH, SERVER_NOT_TRUSTED ->
          new JoinException(Kind.WRONG_PIN, "not the colony that is pinned: " + message, e);
      case CERTIFICATE_REFUSED ->
          new JoinException(Kind.CERTIFICATE_REFUSED, certificateRefused(message), e);
      case REFUSED -> refused(e, message, notWhoWeSay);
    };
  }

  private static JoinException refused(RpcException e, String message, Kind notWhoWeSay) {
    return switch (e.failure()) {
      case UNAUTHENTICATED, PERMISSION_DENIED ->
          new JoinException(
              notWhoWeSay,
              notWhoWeSay == Kind.WRONG_SECRET
                  ? "the colony does not accept the secret ("
                      + message
                      + "); compare it with the one that coral init showed"
                  : certificateRefused(message),
              e);
      case AGENT_ID_TAKEN ->
          new JoinException(
              Kind.AGENT_ID_TAKEN,
              "the agent id belongs to another key ("
                  + message
                  + "); choose another --agent-id, or restore this agent's files of its first join",
              e);
      case WIREGUARD_KEY_TAKEN ->
          new JoinException(
              Kind.WIREGUARD_KEY_TAKEN,
              "this WireGuard key belongs to another agent ("
                  + message
                  + "); was this host copied from another? Remove its wireguard.key",
              e);
      case POOL_EXHAUSTED ->
          new JoinException(
              Kind.POOL_EXHAUSTED,
              "the colony has no free address left (" + message + "); deregister agents",
              e);
      case STORE_UNAVAILABLE, NOT_READY, LIMIT_REACHED, INTERNAL ->
          new JoinException(Kind.COLONY_NOT_READY, "the colony cannot answer now: " + message, e);
      case INVALID_ARGUMENT, NOT_FOUND, MESH_ID_TAKEN, REQUEST_ID_REUSED, FAILED_PRECONDITION ->
          new JoinException(Kind.REFUSED, "the colony refuses: " + message, e);
    };
  }

  private static String certificateRefused(String message) {
    return "the colony refuses the agent's certificate ("
        + message
        + "); give the colony secret once (--colony-secret-file) to buy a new one";
  }
}
