package coral.model;

/**
 * Why a request was refused: the whole taxonomy. {@code rpc.FailureStatus} maps each to a status.
 */
public enum Failure {
  /** A field of the request is malformed or out of bounds. */
  INVALID_ARGUMENT,
  /** The caller has not proved who it is. */
  UNAUTHENTICATED,
  /** The caller is known and may not do this. */
  PERMISSION_DENIED,
  NOT_FOUND,
  /** The agent id is bound to another key. */
  AGENT_ID_TAKEN,
  /** The WireGuard public key belongs to another agent. */
  WIREGUARD_KEY_TAKEN,
  /** The mesh id belongs to another owner. */
  MESH_ID_TAKEN,
  /** The request id was used before, with another key. */
  REQUEST_ID_REUSED,
  /** Every address of the subnet is held. */
  POOL_EXHAUSTED,
  /** A limit on how much is kept or queued is reached; trying again later may help. */
  LIMIT_REACHED,
  /** The state of the colony does not allow the request. */
  FAILED_PRECONDITION,
  /** The database could not be read or written; nothing was changed, or the outcome is unknown. */
  STORE_UNAVAILABLE,
  /** The service is starting or stopping. */
  NOT_READY,
  /** A defect: the message says nothing of its inside. */
  INTERNAL
}
