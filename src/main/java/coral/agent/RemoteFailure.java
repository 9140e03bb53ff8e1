package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.model.Failure;
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
          new JoinException(notWhoWeSay, notBelieved(notWhoWeSay, message), e);
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
      case LIMIT_REACHED -> tooMany("the colony", message, e);
      case STORE_UNAVAILABLE, NOT_READY, INTERNAL ->
          new JoinException(Kind.COLONY_NOT_READY, "the colony cannot answer now: " + message, e);
      case INVALID_ARGUMENT, NOT_FOUND, MESH_ID_TAKEN, REQUEST_ID_REUSED, FAILED_PRECONDITION ->
          new JoinException(Kind.REFUSED, "the colony refuses: " + message, e);
    };
  }

  /**
   * A request for a certificate that failed.
   *
   * @param refused {@link Payment#refused}
   */
  static JoinException ofPurchase(RpcException e, Kind refused) {
    if (e.reason() == RpcException.Reason.REFUSED && e.failure() == Failure.FAILED_PRECONDITION) {
      return new JoinException(
          Kind.IDENTITY_SUSPENDED,
          "the colony certifies no key of this agent: " + e.getMessage(),
          e);
    }
    return ofColony(e, refused);
  }

  /** A call that needs the agent's certificate, about its addresses. */
  static JoinException ofRegistration(RpcException e) {
    if (e.reason() == RpcException.Reason.REFUSED && e.failure() == Failure.FAILED_PRECONDITION) {
      return new JoinException(
          Kind.CONNECTED_ELSEWHERE, "the colony refuses: " + e.getMessage(), e);
    }
    return ofColony(e, Kind.CERTIFICATE_REFUSED);
  }

  /** A call that needs the certificate of an operator. */
  static JoinException ofInvitation(RpcException e) {
    boolean isRefused =
        e.reason() == RpcException.Reason.CERTIFICATE_REFUSED
            || (e.reason() == RpcException.Reason.REFUSED
                && (e.failure() == Failure.UNAUTHENTICATED
                    || e.failure() == Failure.PERMISSION_DENIED));
    return isRefused
        ? new JoinException(
            Kind.REFUSED,
            "the certificate of this colony's context may not invite a proxy ("
                + e.getMessage()
                + "); start the proxy with an invitation (coral invite --role proxy)",
            e)
        : ofColony(e, Kind.REFUSED);
  }

  /**
   * A call to discovery that failed, for another reason than that the colony is unknown.
   *
   * @param where to find it, for the message
   */
  static JoinException ofDiscovery(RpcException e, DiscoveryAddress where) {
    String message = String.valueOf(e.getMessage());
    return switch (e.reason()) {
      case PIN_MISMATCH ->
          new JoinException(Kind.WRONG_PIN, "not the discovery that is pinned: " + message, e);
      case REFUSED ->
          switch (e.failure()) {
            case UNAUTHENTICATED, PERMISSION_DENIED ->
                new JoinException(
                    Kind.WRONG_SECRET,
                    "discovery does not accept the colony secret ("
                        + message
                        + "); compare it with the one that coral init showed",
                    e);
            case LIMIT_REACHED -> tooMany("discovery", message, e);
            default -> useless(message, where, e);
          };
      default -> useless(message, where, e);
    };
  }

  private static JoinException useless(String message, DiscoveryAddress where, RpcException e) {
    return new JoinException(
        Kind.DISCOVERY_UNREACHABLE, "discovery at " + where + " is of no use: " + message, e);
  }

  private static JoinException tooMany(String who, String message, RpcException e) {
    return new JoinException(
        new JoinFailure(Kind.TOO_MANY_REQUESTS, who + " asks to wait: " + message, e.retryAfter()),
        e);
  }

  private static String notBelieved(Kind kind, String message) {
    return switch (kind) {
      case WRONG_SECRET ->
          "the colony does not accept the secret ("
              + message
              + "); compare it with the one that coral init showed";
      case TOKEN_REFUSED -> "the colony does not accept the registration token: " + message;
      case INVITATION_REFUSED -> "the colony does not accept the invitation: " + message;
      default -> certificateRefused(message);
    };
  }

  private static String certificateRefused(String message) {
    return "the colony refuses the agent's certificate ("
        + message
        + "); join with an invitation (coral invite), or with the colony secret"
        + " (--colony-secret-file), to get a new one";
  }
}
