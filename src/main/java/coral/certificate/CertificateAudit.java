package coral.certificate;

import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.Refused;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to identities in the words of the audit, whose log is computed from the journal.
 * Besides, there is a line for each, and for each refusal, by the logger {@code coral.audit}. Never
 * a secret, never what a request contained.
 */
public final class CertificateAudit {
  private static final Logger LOG = LoggerFactory.getLogger("coral.audit");

  /** Enough of a hash to find a key by, and short enough to read. */
  private static final int KEY_DIGITS = 16;

  /** What an event means. */
  public static AuditEvent of(CertificateEvent event) {
    if (event instanceof CertificateEvent.IssuedV1 issued) {
      return AuditEvent.of(Kind.CERTIFICATE_ISSUED)
          .by("agent/" + issued.agentId())
          .about(issued.agentId())
          .detail(
              "serial "
                  + issued.serial()
                  + ", key SHA-256 "
                  + issued.keyHash()
                  + ", until "
                  + issued.expiresAt());
    }
    if (event instanceof CertificateEvent.Issued issued) {
      return of(issued);
    }
    if (event instanceof CertificateEvent.TokenSpent spent) {
      return AuditEvent.of(Kind.TOKEN_SPENT)
          .by("agent/" + spent.agentId())
          .about(spent.agentId())
          .detail("token " + spent.tokenId() + ", key SHA-256 " + spent.keyHash());
    }
    if (event instanceof CertificateEvent.Promoted promoted) {
      return AuditEvent.of(Kind.CERTIFICATE_PROMOTED)
          .by("agent/" + promoted.agentId())
          .about(promoted.agentId())
          .detail("serial " + promoted.serial());
    }
    if (event instanceof CertificateEvent.Frozen frozen) {
      return from(Kind.IDENTITY_FROZEN, frozen.origin())
          .about(frozen.agentId())
          .detail(frozen.reason() + "; key SHA-256 " + frozen.keyHash());
    }
    if (event instanceof CertificateEvent.Revoked revoked) {
      return from(Kind.CERTIFICATE_REVOKED, revoked.origin())
          .about(revoked.agentId())
          .detail("all of the identity: " + revoked.reason());
    }
    if (event instanceof CertificateEvent.SerialRevoked revoked) {
      return from(Kind.CERTIFICATE_REVOKED, revoked.origin())
          .detail("serial " + revoked.serial() + ": " + revoked.reason());
    }
    if (event instanceof CertificateEvent.RebindAllowed allowed) {
      return from(Kind.REBIND_ALLOWED, allowed.origin())
          .about(allowed.agentId())
          .detail("until " + allowed.until() + ": " + allowed.reason());
    }
    if (event instanceof CertificateEvent.Rebound rebound) {
      return AuditEvent.of(Kind.CERTIFICATE_REVOKED)
          .about(rebound.agentId())
          .detail("all that another key held, as was allowed");
    }
    if (event instanceof CertificateEvent.InvitationCreated created) {
      return from(Kind.INVITATION_CREATED, created.origin())
          .about(created.invitationId())
          .detail(
              "role "
                  + created.role()
                  + ", agent "
                  + created.agentId().map(AgentId::value).orElse("any")
                  + ", uses "
                  + created.uses()
                  + ", until "
                  + created.expiresAt());
    }
    if (event instanceof CertificateEvent.InvitationUsed used) {
      return AuditEvent.of(Kind.INVITATION_USED)
          .by(AuditEvent.ANYONE)
          .about(used.invitationId())
          .detail("by agent " + used.agentId() + ", key SHA-256 " + used.keyHash());
    }
    CertificateEvent.InvitationRevoked revoked = (CertificateEvent.InvitationRevoked) event;
    return from(Kind.INVITATION_REVOKED, revoked.origin()).about(revoked.invitationId());
  }

  private static AuditEvent of(CertificateEvent.Issued issued) {
    Kind kind = issued.generation() == 1 ? Kind.CERTIFICATE_ISSUED : Kind.CERTIFICATE_RENEWED;
    return from(kind, issued.origin())
        .about(issued.agentId())
        .detail(
            "role "
                + issued.role()
                + ", serial "
                + issued.serial()
                + ", key SHA-256 "
                + issued.keyHash()
                + ", paid by "
                + (issued.payment() + " " + issued.paymentId()).strip()
                + ", until "
                + issued.expiresAt());
  }

  private static AuditEvent from(Kind kind, Origin origin) {
    return AuditEvent.of(kind).by(origin.by()).from(origin.source()).request(origin.requestId());
  }

  /** A line for what is durable; the audit log reads it from the journal. */
  void recorded(CertificateEvent event) {
    if (event instanceof CertificateEvent.Issued issued) {
      LOG.info(
          "certificate issued: agent={} serial={} key={} source={} notAfter={}",
          issued.agentId(),
          issued.serial(),
          prefix(issued.keyHash()),
          issued.origin().source(),
          issued.expiresAt());
    } else if (event instanceof CertificateEvent.Frozen frozen) {
      LOG.warn(
          "identity frozen: agent={} key={} source={} reason={}",
          frozen.agentId(),
          prefix(frozen.keyHash()),
          frozen.origin().source(),
          frozen.reason());
    } else if (event instanceof CertificateEvent.Revoked revoked) {
      LOG.info(
          "identity revoked: agent={} by={} reason={}",
          revoked.agentId(),
          revoked.origin().by(),
          revoked.reason());
    } else if (event instanceof CertificateEvent.SerialRevoked revoked) {
      LOG.info(
          "certificate revoked: serial={} by={} reason={}",
          revoked.serial(),
          revoked.origin().by(),
          revoked.reason());
    }
  }

  /** A request for a certificate was refused; the edge tells the audit log of it. */
  void refused(AgentId agentId, Optional<String> keyHash, Origin origin, Refused refused) {
    LOG.warn(
        "certificate refused: agent={} serial=- key={} source={} reason={} ({})",
        agentId,
        keyHash.map(CertificateAudit::prefix).orElse("-"),
        origin.source(),
        refused.failure(),
        refused.message());
  }

  private static String prefix(String keyHash) {
    return keyHash.substring(0, KEY_DIGITS);
  }
}
