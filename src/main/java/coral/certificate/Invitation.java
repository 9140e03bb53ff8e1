package coral.certificate;

import coral.model.AgentId;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * An invitation as the ledger knows it: without its secret.
 *
 * @param invitationId 16 lower-case hexadecimal digits; not secret
 * @param agentId the only id that it may be used for; empty if the guest chooses a free one
 * @param role of whoever uses it
 * @param uses how often it could be used
 * @param usesLeft how often it can still be used
 * @param createdBy who made it, as its certificate says
 */
public record Invitation(
    String invitationId,
    Optional<AgentId> agentId,
    CertificateRole role,
    Instant createdAt,
    Instant expiresAt,
    int uses,
    int usesLeft,
    String createdBy,
    boolean revoked) {
  /** What has become of an invitation. */
  public enum Status {
    OPEN,
    USED,
    EXPIRED,
    REVOKED;

    /** The name in the protocol. */
    public String wireName() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Whether, and if not why not, it can be used at this time. */
  public Status status(Instant now) {
    if (revoked) {
      return Status.REVOKED;
    }
    if (usesLeft == 0) {
      return Status.USED;
    }
    return now.isBefore(expiresAt) ? Status.OPEN : Status.EXPIRED;
  }
}
