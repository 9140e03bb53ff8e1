package coral.certificate;

import coral.model.AgentId;
import java.util.Optional;

/**
 * Something that ended somebody's right to what it has open. Durable when it is told.
 *
 * @param agentId whose; empty for a certificate that is not in the journal, of which the number is
 *     all that is known
 * @param reason for people
 */
public record CertificateChange(Optional<AgentId> agentId, Kind kind, String reason) {
  /** What changed. */
  public enum Kind {
    /**
     * The identity has ended: close its sessions, remove its WireGuard peer. Without an agent id:
     * one certificate has ended, close what was opened with it.
     */
    REVOKED,
    /** The identity is contested and refused until somebody decides: as if revoked. */
    FROZEN,
    /** A newer certificate has taken over: close the sessions of older ones. */
    SUPERSEDED
  }

  /**
   * What has just changed for an identity.
   *
   * @param why it is not active, if it is not
   */
  static CertificateChange of(AgentIdentity identity, String why) {
    Optional<AgentId> agentId = Optional.of(identity.agentId());
    return switch (identity.state()) {
      case REVOKED -> new CertificateChange(agentId, Kind.REVOKED, why);
      case FROZEN -> new CertificateChange(agentId, Kind.FROZEN, why);
      case ACTIVE ->
          new CertificateChange(
              agentId,
              Kind.SUPERSEDED,
              "a newer certificate of '" + identity.agentId() + "' was used");
    };
  }
}
