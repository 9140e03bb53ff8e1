package coral.certificate;

import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Refused;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Who gets a certificate. Decides on a {@link CertificateLedger} and changes nothing: what is spent
 * is among the events of the decision, to be journaled in one write with the certificate.
 *
 * <p>Whatever is not allowed here in so many words is refused, and a request that is refused spends
 * nothing.
 */
final class IssuingRules {
  /**
   * Certificates of one identity that were replaced before their time was up, at most: what an
   * agent can make the colony remember is bounded.
   */
  static final int MAX_REPLACED = 16;

  private static final String KEY_USED_BEFORE =
      "a new certificate needs a new key, and this one was used before; make another one";

  private final CertificateLedger ledger;
  private final PaymentRules payments;

  /**
   * Rules over a ledger.
   *
   * @param started when this process did: tokens from before it are refused
   */
  IssuingRules(CertificateLedger ledger, Instant started) {
    this.ledger = ledger;
    this.payments = new PaymentRules(ledger, started);
  }

  /** Decides on a request, before its certificate is signed and again afterwards. */
  Decision<CertificateEvent, Verdict> decide(IssueRequest request, Instant now) {
    Payment payment = request.payment();
    Optional<Refused> refused = payments.refusal(request.agentId(), payment, now);
    if (refused.isPresent()) {
      return refuse(refused.get());
    }
    if (payment instanceof Payment.Certificate certificate) {
      return renew(request, certificate.serial(), now);
    }
    if (payment instanceof Payment.Token token) {
      return withToken(request, token, now);
    }
    if (payment instanceof Payment.Invitation invitation) {
      return withInvitation(request, invitation, now);
    }
    return join(request, CertificateRole.AGENT, "", List.of(), now);
  }

  private Decision<CertificateEvent, Verdict> withToken(
      IssueRequest request, Payment.Token paid, Instant now) {
    if (!paid.keyHash().equals(request.keyHash())) {
      return refuse(
          Failure.UNAUTHENTICATED,
          "the registration token is bound to another key; ask discovery for one for this key");
    }
    if (ledger.tokens().isSpentBy(PaymentRules.token(request.agentId(), paid))) {
      return again(request, now)
          .orElseGet(
              () ->
                  refuse(
                      Failure.UNAUTHENTICATED,
                      "the registration token was used before, and what it bought is in use; ask"
                          + " discovery for a new one"));
    }
    return join(
        request,
        paid.role(),
        paid.tokenId(),
        List.of(
            new CertificateEvent.TokenSpent(
                paid.tokenId(), request.agentId(), request.keyHash(), paid.expiresAt(), now)),
        now);
  }

  private Decision<CertificateEvent, Verdict> withInvitation(
      IssueRequest request, Payment.Invitation paid, Instant now) {
    Invitation invitation = ledger.invitations().bySecret(paid.secretHash()).orElseThrow();
    boolean mine =
        held(request)
            .filter(certificate -> certificate.paymentId().equals(invitation.invitationId()))
            .isPresent();
    if (mine) {
      Optional<Decision<CertificateEvent, Verdict>> again = again(request, now);
      if (again.isPresent()) {
        return again.get();
      }
    }
    Optional<Refused> closed = PaymentRules.closed(invitation, now);
    if (closed.isPresent()) {
      return refuse(closed.get());
    }
    return join(
        request,
        invitation.role(),
        invitation.invitationId(),
        List.of(
            new CertificateEvent.InvitationUsed(
                invitation.invitationId(), request.agentId(), request.keyHash(), now)),
        now);
  }

  /** A first claim, or a later one by whoever pays again. */
  private Decision<CertificateEvent, Verdict> join(
      IssueRequest request,
      CertificateRole role,
      String paymentId,
      List<CertificateEvent> spending,
      Instant now) {
    Optional<Decision<CertificateEvent, Verdict>> taken = keyOfAnother(request);
    if (taken.isPresent()) {
      return taken.get();
    }
    Optional<AgentIdentity> known = ledger.identity(request.agentId());
    if (known.isEmpty()) {
      return ledger.isFull()
          ? refuse(Refusals.full(ledger.maxAgents()))
          : sign(role, 1, paymentId, false, spending);
    }
    AgentIdentity identity = known.get();
    if (identity.role() != role) {
      return refuse(
          Failure.AGENT_ID_TAKEN,
          "'" + request.agentId() + "' is not of the role '" + role + "'; choose another id");
    }
    boolean neverHeld = ledger.holder(request.keyHash()).isEmpty();
    if (identity.mayRebind(now) && neverHeld) {
      return sign(
          identity,
          paymentId,
          prepend(new CertificateEvent.Rebound(request.agentId(), now), spending));
    }
    if (identity.state() != IdentityState.ACTIVE) {
      return refuse(
          Failure.FAILED_PRECONDITION,
          identity.mayRebind(now)
              ? "the key of '" + request.agentId() + "' was given up with it; make a new key"
              : identity.inactive());
    }
    if (held(request).isPresent()) {
      return again(request, now)
          .orElseGet(
              () ->
                  replacedTooOften(identity, now)
                      .orElseGet(() -> sign(identity, paymentId, spending)));
    }
    if (request.previous().isPresent()) {
      return prove(request, identity, request.previous().get(), paymentId, spending, now);
    }
    return refuse(Refusals.contested(request.agentId()));
  }

  /** The old key signed the request: it may hand the id over to the new one. */
  private Decision<CertificateEvent, Verdict> prove(
      IssueRequest request,
      AgentIdentity identity,
      IssueRequest.Previous previous,
      String paymentId,
      List<CertificateEvent> spending,
      Instant now) {
    boolean byNext = is(identity.next(), previous);
    if (byNext || is(identity.current(), previous)) {
      if (!byNext && identity.next().filter(next -> !next.hasExpired(now)).isPresent()) {
        return freeze(request, "another key was certified since, and was not used yet", now);
      }
      if (ledger.holder(request.keyHash()).isPresent()) {
        return refuse(Failure.INVALID_ARGUMENT, KEY_USED_BEFORE);
      }
      return sign(
          identity,
          paymentId,
          byNext && !identity.awaitsRegistration() // see renew
              ? prepend(
                  new CertificateEvent.Promoted(request.agentId(), previous.serial(), now),
                  spending)
              : spending);
    }
    return wasReplaced(identity, previous)
        ? freeze(request, "the certificate that it was proved with was replaced before", now)
        : refuse(Refusals.contested(request.agentId()));
  }

  /**
   * Whether a newer certificate took this one's place: then two hosts have the identity's keys. A
   * certificate that merely has its number says nothing, for anybody can make one and the numbers
   * are in the lists of revoked ones. Neither does one that was revoked, or is from before the
   * identity was claimed anew: its key is known to be in the wrong hands, which must not end what
   * has come after it.
   */
  private boolean wasReplaced(AgentIdentity identity, IssueRequest.Previous previous) {
    return ledger
        .ended(identity.agentId(), previous.serial())
        .filter(ended -> ended.certificate().fingerprint().equals(previous.fingerprint()))
        .filter(ended -> ended.end() == CertificateLedger.End.SUPERSEDED)
        .filter(ended -> !ended.at().isBefore(identity.since()))
        .isPresent();
  }

  /** Over mTLS: the certificate in use pays for the one that follows it. */
  private Decision<CertificateEvent, Verdict> renew(
      IssueRequest request, String serial, Instant now) {
    AgentIdentity identity = ledger.identity(request.agentId()).orElseThrow();
    Optional<Decision<CertificateEvent, Verdict>> taken = keyOfAnother(request);
    if (taken.isPresent()) {
      return taken.get();
    }
    boolean byNext = is(identity.next(), serial);
    if (!byNext && !is(identity.current(), serial)) {
      return ledger.ended(request.agentId(), serial).isPresent()
          ? freeze(request, "a certificate that was replaced before asked for another one", now)
          : refuse(
              Failure.UNAUTHENTICATED,
              "the certificate that is to be renewed is not one of '" + request.agentId() + "'");
    }
    IssuedCertificate paying =
        identity.certificates().stream()
            .filter(certificate -> certificate.serial().equals(serial))
            .findAny()
            .orElseThrow();
    if (paying.hasExpired(now)) {
      return refuse(
          Failure.UNAUTHENTICATED,
          "the certificate that is to be renewed has expired; join again, with a signature by its"
              + " key");
    }
    Optional<Decision<CertificateEvent, Verdict>> again = again(request, now);
    if (again.isPresent()) {
      return again.get();
    }
    if (identity.awaitsRegistration()) {
      // To renew is to use it, and that ends the bar on the former holder's WireGuard key.
      return refuse(Refusals.unregistered(request.agentId()));
    }
    Optional<IssuedCertificate> unused =
        byNext ? Optional.empty() : identity.next().filter(next -> !next.hasExpired(now));
    if (unused.isPresent()) {
      return freeze(request, "its certificate was renewed for two keys", now);
    }
    boolean keyOfExpired =
        identity.next().filter(next -> next.keyHash().equals(request.keyHash())).isPresent()
            && !byNext;
    if (ledger.holder(request.keyHash()).isPresent() && !keyOfExpired) {
      return refuse(Failure.INVALID_ARGUMENT, KEY_USED_BEFORE);
    }
    return replacedTooOften(identity, now)
        .orElseGet(
            () ->
                sign(
                    identity,
                    serial,
                    byNext
                        ? List.of(new CertificateEvent.Promoted(request.agentId(), serial, now))
                        : List.of()));
  }

  /** The certificate of this id and key that is not replaced yet. */
  private Optional<IssuedCertificate> held(IssueRequest request) {
    return ledger.identity(request.agentId()).stream()
        .flatMap(identity -> Stream.of(identity.next(), identity.current()))
        .flatMap(Optional::stream)
        .filter(certificate -> certificate.keyHash().equals(request.keyHash()))
        .findFirst();
  }

  /** What was answered to this id and key, as long as it may not have arrived. */
  private Optional<Decision<CertificateEvent, Verdict>> again(IssueRequest request, Instant now) {
    return held(request)
        .filter(certificate -> !certificate.hasExpired(now))
        .filter(certificate -> isActive(request.agentId()))
        .flatMap(
            certificate ->
                ledger
                    .pem(certificate.serial())
                    .map(pem -> Decision.reply(new Verdict.Again(certificate, pem))));
  }

  private boolean isActive(AgentId agentId) {
    return ledger
        .identity(agentId)
        .filter(identity -> identity.state() == IdentityState.ACTIVE)
        .isPresent();
  }

  private Optional<Decision<CertificateEvent, Verdict>> keyOfAnother(IssueRequest request) {
    return ledger
        .holder(request.keyHash())
        .filter(holder -> !holder.equals(request.agentId()))
        .map(holder -> refuse(Refusals.keyOfAnother(request.agentId())));
  }

  private Optional<Decision<CertificateEvent, Verdict>> replacedTooOften(
      AgentIdentity identity, Instant now) {
    List<CertificateLedger.Ended> replaced = ledger.endedEarly(identity.agentId(), now);
    return replaced.size() < MAX_REPLACED
        ? Optional.empty()
        : Optional.of(refuse(Refusals.replacedTooOften(identity.agentId(), replaced.size())));
  }

  private static boolean is(Optional<IssuedCertificate> certificate, String serial) {
    return certificate.filter(known -> known.serial().equals(serial)).isPresent();
  }

  private static boolean is(
      Optional<IssuedCertificate> certificate, IssueRequest.Previous previous) {
    return certificate
        .filter(known -> known.serial().equals(previous.serial()))
        .filter(known -> known.fingerprint().equals(previous.fingerprint()))
        .isPresent();
  }

  private static List<CertificateEvent> prepend(
      CertificateEvent first, List<CertificateEvent> rest) {
    List<CertificateEvent> all = new ArrayList<>();
    all.add(first);
    all.addAll(rest);
    return all;
  }

  private Decision<CertificateEvent, Verdict> sign(
      AgentIdentity identity, String paymentId, List<CertificateEvent> events) {
    return sign(identity.role(), identity.generation() + 1, paymentId, true, events);
  }

  private static Decision<CertificateEvent, Verdict> sign(
      CertificateRole role,
      long generation,
      String paymentId,
      boolean renewal,
      List<CertificateEvent> events) {
    return new Decision<>(events, new Verdict.Sign(role, generation, paymentId, renewal));
  }

  private Decision<CertificateEvent, Verdict> freeze(
      IssueRequest request, String why, Instant now) {
    String reason = "two holders: " + why;
    return new Decision<>(
        prepend(
            new CertificateEvent.Frozen(
                request.agentId(), reason, request.keyHash(), request.origin(), now),
            ledger.endInvitationsOf(request.agentId(), request.origin(), now)),
        new Verdict.Refuse(
            new Refused(
                Failure.FAILED_PRECONDITION, AgentIdentity.frozen(request.agentId(), reason))));
  }

  private static Decision<CertificateEvent, Verdict> refuse(Failure failure, String message) {
    return refuse(new Refused(failure, message));
  }

  private static Decision<CertificateEvent, Verdict> refuse(Refused refused) {
    return Decision.reply(new Verdict.Refuse(refused));
  }
}
