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
  COLONY_STOPPING
}
