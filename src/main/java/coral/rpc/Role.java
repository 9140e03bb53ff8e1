package coral.rpc;

/** In what capacity a caller calls; proved by its certificate alone. */
public enum Role {
  /** Whoever reaches the port: no certificate. In the table it means that everybody may call. */
  ANYONE,
  /** An agent of the colony: {@code spiffe://<colony-id>/agent/<agent-id>}. */
  AGENT,
  /** An administrator of the colony: {@code spiffe://<colony-id>/admin/<name>}. */
  ADMINISTRATOR
}
