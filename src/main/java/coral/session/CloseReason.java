package coral.session;

/** Why the colony ended a session. */
public enum CloseReason {
  /** A newer session of the same agent took over. */
  SUPERSEDED,
  /** The agent's address was released. */
  DEREGISTERED,
  /** The agent did not read what it was sent, or was silent for ten intervals: it starts again. */
  RESYNC,
  /** The colony stops; its agents come back when it does. */
  COLONY_STOPPING,
  /** The agent's identity was revoked or frozen; coming back is of no use. */
  REVOKED,
  /** The certificate it was opened with is good no longer; the agent may have a newer one. */
  CERTIFICATE_SUPERSEDED
}
