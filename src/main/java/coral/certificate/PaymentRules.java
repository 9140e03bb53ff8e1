package coral.certificate;

import coral.model.AgentId;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.SpentTokens;
import java.time.Instant;
import java.util.Optional;

/**
 * What a payment is worth, as far as that can be seen without the request's key: a few lookups,
 * made before the key and the signature of the request are looked at, which cost milliseconds, and
 * again in the decision. Decides on a {@link CertificateLedger} and changes nothing.
 */
final class PaymentRules {
  private final CertificateLedger ledger;
  private final Instant started;

  /**
   * Rules over a ledger.
   *
   * @param started when this process did: tokens from before it are refused
   */
  PaymentRules(CertificateLedger ledger, Instant started) {
    this.ledger = ledger;
    this.started = started;
  }

  /** Why this payment buys no certificate for this id, whatever its key; empty if it may. */
  Optional<Refused> refusal(AgentId agentId, Payment payment, Instant now) {
    if (payment instanceof Payment.Certificate) {
      return ofMember(agentId);
    }
    if (payment instanceof Payment.Token token) {
      return ofToken(agentId, token, now);
    }
    if (payment instanceof Payment.Invitation invitation) {
      return ofInvitation(agentId, invitation, now);
    }
    return Optional.empty(); // the edge has compared the colony's secret
  }

  private Optional<Refused> ofMember(AgentId agentId) {
    Optional<AgentIdentity> known = ledger.identity(agentId);
    if (known.isEmpty()) {
      return Optional.of(
          new Refused(
              Failure.FAILED_PRECONDITION,
              "the certificate that is to be renewed is not in this colony's journal; that of an"
                  + " administrator is renewed by 'coral admin renew' on the colony's host"));
    }
    return known
        .filter(identity -> identity.state() != IdentityState.ACTIVE)
        .map(identity -> new Refused(Failure.FAILED_PRECONDITION, identity.inactive()));
  }

  private Optional<Refused> ofToken(AgentId agentId, Payment.Token paid, Instant now) {
    SpentTokens.Token token = token(agentId, paid);
    // Whoever has spent it may have its answer again.
    return ledger.tokens().isSpentBy(token)
        ? Optional.empty()
        : ledger.tokens().refusal(token, started, now);
  }

  static SpentTokens.Token token(AgentId agentId, Payment.Token paid) {
    return new SpentTokens.Token(
        paid.tokenId(), agentId, paid.keyHash(), paid.issuedAt(), paid.expiresAt());
  }

  private Optional<Refused> ofInvitation(AgentId agentId, Payment.Invitation paid, Instant now) {
    Optional<Invitation> found = ledger.invitations().bySecret(paid.secretHash());
    if (found.isEmpty()) {
      return unauthenticated("there is no such invitation; ask for another one");
    }
    Invitation invitation = found.get();
    Optional<AgentId> only = invitation.agentId();
    if (only.isPresent() && !only.get().equals(agentId)) {
      return Optional.of(
          new Refused(
              Failure.PERMISSION_DENIED,
              "the invitation is for another agent id than '" + agentId + "'"));
    }
    return isPaidBy(agentId, invitation) ? Optional.empty() : closed(invitation, now);
  }

  /** Why nobody else can use an invitation any more; empty if somebody can. */
  static Optional<Refused> closed(Invitation invitation, Instant now) {
    Invitation.Status status = invitation.status(now);
    return status == Invitation.Status.OPEN
        ? Optional.empty()
        : unauthenticated("the invitation is " + status.wireName() + "; ask for another one");
  }

  /** Whether the answer that it bought may have been lost. */
  private boolean isPaidBy(AgentId agentId, Invitation invitation) {
    return ledger.identity(agentId).stream()
        .flatMap(identity -> identity.certificates().stream())
        .anyMatch(certificate -> certificate.paymentId().equals(invitation.invitationId()));
  }

  private static Optional<Refused> unauthenticated(String message) {
    return Optional.of(new Refused(Failure.UNAUTHENTICATED, message));
  }
}
