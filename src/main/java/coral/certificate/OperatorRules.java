package coral.certificate;

import coral.certificate.CertificateAuthority.Reply;
import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Refused;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What operators may change. Decides on a {@link CertificateLedger} and changes nothing; who may
 * ask is the edge's business.
 */
final class OperatorRules {
  private static final int MAX_REASON = 255;
  private static final Duration MAX_REBIND = Duration.ofHours(24);
  private static final Duration MIN_INVITATION = Duration.ofMinutes(1);
  private static final Duration MAX_INVITATION = Duration.ofDays(30);
  private static final int MAX_USES = 1_000;

  /** Numbers of certificates that are not in the journal: administrators', a few. */
  private static final int MAX_STRANGERS = 10_000;

  private static final Pattern SERIAL = Pattern.compile("[0-9a-f]{2,40}");
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

  private final CertificateLedger ledger;

  OperatorRules(CertificateLedger ledger) {
    this.ledger = ledger;
  }

  Decision<CertificateEvent, Reply> revoke(
      AgentId agentId, String reason, Origin origin, Instant now) {
    Optional<AgentIdentity> known = ledger.identity(agentId);
    if (known.isEmpty()) {
      return refuse(Failure.NOT_FOUND, "no certificate was issued to '" + agentId + "'");
    }
    if (reason.length() > MAX_REASON) {
      return refuse(tooLong());
    }
    List<String> serials =
        known.get().certificates().stream()
            .filter(certificate -> !certificate.hasExpired(now))
            .map(IssuedCertificate::serial)
            .toList();
    List<CertificateEvent> events = new ArrayList<>();
    if (known.get().state() != IdentityState.REVOKED || known.get().rebindUntil().isPresent()) {
      events.add(new CertificateEvent.Revoked(agentId, printable(reason), origin, now));
      events.addAll(ledger.endInvitationsOf(agentId, origin, now));
    }
    return new Decision<>(events, new CertificateAuthority.Revoked(Optional.of(agentId), serials));
  }

  Decision<CertificateEvent, Reply> revokeSerial(
      String serial, boolean isAdministrators, String reason, Origin origin, Instant now) {
    if (!SERIAL.matcher(serial).matches()) {
      return refuse(
          Failure.INVALID_ARGUMENT, "a serial number is 2 to 40 lower-case hexadecimal digits");
    }
    Optional<AgentId> agentId = ledger.agentOf(serial);
    if (agentId.isPresent()) {
      return revoke(agentId.get(), reason, origin, now);
    }
    if (reason.length() > MAX_REASON) {
      return refuse(tooLong());
    }
    CertificateAuthority.Revoked revoked =
        new CertificateAuthority.Revoked(Optional.empty(), List.of(serial));
    if (ledger.strangers().containsKey(serial)) {
      return Decision.reply(revoked);
    }
    if (!isAdministrators) {
      return refuse(
          Failure.NOT_FOUND,
          "this colony knows no certificate of the number "
              + serial
              + ", and has revoked none; compare it with `coral certificates list`, or with what"
              + " `openssl x509 -serial` prints");
    }
    if (ledger.strangers().size() >= MAX_STRANGERS) {
      return refuse(
          Failure.LIMIT_REACHED,
          MAX_STRANGERS + " certificates that are not in the journal are revoked already");
    }
    return new Decision<>(
        List.of(new CertificateEvent.SerialRevoked(serial, printable(reason), origin, now)),
        revoked);
  }

  Decision<CertificateEvent, Reply> allowRebind(
      AgentId agentId, Duration ttl, String reason, Origin origin, Instant now) {
    if (ledger.identity(agentId).isEmpty()) {
      return refuse(
          Failure.NOT_FOUND,
          "no certificate was issued to '" + agentId + "': anybody may claim it");
    }
    if (ttl.isNegative() || ttl.isZero() || ttl.compareTo(MAX_REBIND) > 0) {
      return refuse(
          Failure.INVALID_ARGUMENT,
          "an agent id can be free for up to " + MAX_REBIND + ", not " + ttl);
    }
    if (reason.length() > MAX_REASON) {
      return refuse(tooLong());
    }
    Instant until = now.plus(ttl);
    return new Decision<>(
        List.of(new CertificateEvent.RebindAllowed(agentId, until, printable(reason), origin, now)),
        new CertificateAuthority.RebindAllowed(agentId, until));
  }

  /**
   * Decides on an invitation.
   *
   * @param invitationId a random one
   */
  Decision<CertificateEvent, Reply> invite(
      CertificateAuthority.CreateInvitation asked, String invitationId, Instant now) {
    if (!HASH.matcher(asked.secretHash()).matches()) {
      return refuse(Failure.INVALID_ARGUMENT, "a hash is 64 lower-case hexadecimal digits");
    }
    if (asked.role() == CertificateRole.ADMIN) {
      return refuse(Failure.PERMISSION_DENIED, "administrators are not invited");
    }
    if (asked.ttl().compareTo(MIN_INVITATION) < 0 || asked.ttl().compareTo(MAX_INVITATION) > 0) {
      return refuse(
          Failure.INVALID_ARGUMENT,
          "an invitation is good for " + MIN_INVITATION + " to " + MAX_INVITATION);
    }
    if (asked.uses() < 1
        || asked.uses() > MAX_USES
        || (asked.uses() > 1 && asked.agentId().isPresent())) {
      return refuse(
          Failure.INVALID_ARGUMENT,
          "an invitation can be used 1 to "
              + MAX_USES
              + " times, and once if it names an agent id");
    }
    if (ledger.invitations().bySecret(asked.secretHash()).isPresent()
        || ledger.invitations().find(invitationId).isPresent()) {
      return refuse(Failure.INVALID_ARGUMENT, "there is such an invitation already; try again");
    }
    if (!ledger.invitations().hasRoom(now)) {
      return refuse(
          Failure.LIMIT_REACHED,
          InvitationBook.MAX_OPEN + " invitations are open; revoke some, or let them expire");
    }
    Instant expiresAt = now.plus(asked.ttl());
    return new Decision<>(
        List.of(
            new CertificateEvent.InvitationCreated(
                invitationId,
                asked.secretHash(),
                asked.agentId(),
                asked.role(),
                asked.uses(),
                expiresAt,
                asked.origin(),
                now)),
        new CertificateAuthority.InvitationCreated(
            new Invitation(
                invitationId,
                asked.agentId(),
                asked.role(),
                now,
                expiresAt,
                asked.uses(),
                asked.uses(),
                asked.origin().by(),
                false)));
  }

  Decision<CertificateEvent, Reply> revokeInvitation(
      String invitationId, Origin origin, Instant now) {
    Optional<Invitation> found = ledger.invitations().find(invitationId);
    if (found.isEmpty()) {
      return refuse(Failure.NOT_FOUND, "there is no invitation of this id");
    }
    Invitation invitation = found.get();
    Invitation ended =
        new Invitation(
            invitation.invitationId(),
            invitation.agentId(),
            invitation.role(),
            invitation.createdAt(),
            invitation.expiresAt(),
            invitation.uses(),
            invitation.usesLeft(),
            invitation.createdBy(),
            true);
    return new Decision<>(
        invitation.revoked()
            ? List.of()
            : List.of(new CertificateEvent.InvitationRevoked(invitationId, origin, now)),
        new CertificateAuthority.InvitationRevoked(ended));
  }

  private static String printable(String reason) {
    return reason.replaceAll("\\p{C}", "?");
  }

  private static Refused tooLong() {
    return new Refused(
        Failure.INVALID_ARGUMENT, "a reason has at most " + MAX_REASON + " characters");
  }

  private static Decision<CertificateEvent, Reply> refuse(Failure failure, String message) {
    return refuse(new Refused(failure, message));
  }

  private static Decision<CertificateEvent, Reply> refuse(Refused refused) {
    return Decision.reply(new CertificateAuthority.Refusal(refused));
  }
}
