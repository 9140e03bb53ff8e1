package coral.certificate;

import coral.certificate.CertificateAuthority.Reply;
import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Refused;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * What operators ask of the certificate authority: brings each request to {@link OperatorRules},
 * and answers what only asks. Changes nothing.
 */
final class OperatorRequests {
  private static final int INVITATION_ID_BYTES = 8;

  private final SecureRandom random = new SecureRandom();

  /** Decides on anything but a request for a certificate. */
  Decision<CertificateEvent, Reply> decide(
      CertificateLedger ledger, CertificateAuthority.Request request, Instant now) {
    OperatorRules rules = new OperatorRules(ledger);
    if (request instanceof CertificateAuthority.Revoke revoke) {
      return rules.revoke(revoke.agentId(), revoke.reason(), revoke.origin(), now);
    }
    if (request instanceof CertificateAuthority.RevokeSerial revoke) {
      return rules.revokeSerial(
          revoke.serial(), revoke.isAdministrators(), revoke.reason(), revoke.origin(), now);
    }
    if (request instanceof CertificateAuthority.AllowRebind allow) {
      return rules.allowRebind(allow.agentId(), allow.ttl(), allow.reason(), allow.origin(), now);
    }
    if (request instanceof CertificateAuthority.CreateInvitation create) {
      byte[] id = new byte[INVITATION_ID_BYTES];
      random.nextBytes(id);
      return rules.invite(create, HexFormat.of().formatHex(id), now);
    }
    if (request instanceof CertificateAuthority.RevokeInvitation revoke) {
      return rules.revokeInvitation(revoke.invitationId(), revoke.origin(), now);
    }
    if (request instanceof CertificateAuthority.Status status) {
      return Decision.reply(status(ledger, status.agentId()));
    }
    List<Invitation> invitations = new ArrayList<>();
    ledger.invitations().entries().forEach(entry -> invitations.add(entry.invitation()));
    Collections.reverse(invitations);
    return Decision.reply(new CertificateAuthority.Invitations(invitations));
  }

  private static Reply status(CertificateLedger ledger, AgentId agentId) {
    Optional<AgentIdentity> identity = ledger.identity(agentId);
    Optional<IssuedCertificate> newest = identity.flatMap(AgentIdentity::newest);
    if (identity.isEmpty() || newest.isEmpty()) {
      return new CertificateAuthority.Refusal(
          new Refused(Failure.NOT_FOUND, "no certificate was issued to '" + agentId + "'"));
    }
    return new CertificateAuthority.AgentCertificate(
        agentId,
        identity.get().role(),
        identity.get().state(),
        newest.get().keyHash(),
        newest.get().serial(),
        newest.get().issuedAt(),
        newest.get().expiresAt());
  }
}
