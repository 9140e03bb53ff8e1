package coral.certificate;

import coral.model.AgentId;

/**
 * Something that ended an agent's right to what it has open. Durable when it is told.
 *
 * @param reason for people
 */
public record CertificateChange(AgentId agentId, Kind kind, String reason) {
  /** What changed. */
  public enum Kind {
    /** The identity has ended: close its sessions, remove its WireGuard peer. */
    REVOKED,
    /** The identity is contested and refused until somebody decides: as if revoked. */
    FROZEN,
    /** A newer certificate has taken over: close the sessions of older ones. */
    SUPERSEDED
  }
}
