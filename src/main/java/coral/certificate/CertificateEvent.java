package coral.certificate;

import com.fasterxml.jackson.annotation.JsonIgnore;
import coral.model.AgentId;
import coral.model.Fingerprint;
import coral.model.JournalRecord;
import java.time.Instant;
import java.util.Optional;

/** What happened to the identities of a colony; a public format. */
public sealed interface CertificateEvent extends JournalRecord {
  /** Records the event in a ledger; what contradicts the ledger is a defect and throws. */
  void applyTo(CertificateLedger ledger);

  /** When it happened. */
  Instant at();

  /** The agent whose identity it changes; empty if it changes none. */
  @JsonIgnore
  default Optional<AgentId> subject() {
    return Optional.empty();
  }

  /**
   * A certificate was issued, by a colony that bound an agent id to one key for ever and knew no
   * roles. Read, and not written any more.
   *
   * @param serial 32 lower-case hexadecimal digits
   * @param keyHash the SHA-256 of the SubjectPublicKeyInfo, in 64 lower-case hexadecimal digits
   * @param fingerprint {@code sha256:} and the SHA-256 of the certificate, as {@link Fingerprint}
   *     writes it
   * @param certificatePem the certificate itself, for audit and for lists of what was issued
   * @param expiresAt the certificate's notAfter
   */
  record IssuedV1(
      AgentId agentId,
      String serial,
      String keyHash,
      String fingerprint,
      String certificatePem,
      Instant issuedAt,
      Instant expiresAt)
      implements CertificateEvent {
    @Override
    public Optional<AgentId> subject() {
      return Optional.of(agentId);
    }

    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.issued(this);
    }

    @Override
    public Instant at() {
      return issuedAt;
    }
  }

  /**
   * A certificate was issued: the next one of its identity, until it is used. The first one makes
   * the identity.
   *
   * @param generation of the identity, from 1 on, without gaps
   * @param serial 32 lower-case hexadecimal digits
   * @param keyHash the SHA-256 of the SubjectPublicKeyInfo, in 64 lower-case hexadecimal digits
   * @param fingerprint {@code sha256:} and the SHA-256 of the certificate
   * @param certificatePem the certificate itself
   * @param issuer subject of whoever signed it (RFC 2253)
   * @param payment how it was paid for: {@link Payment#kind}
   * @param paymentId the serial, token id or invitation id that paid; empty for none
   * @param expiresAt the certificate's notAfter
   */
  record Issued(
      AgentId agentId,
      CertificateRole role,
      long generation,
      String serial,
      String keyHash,
      String fingerprint,
      String certificatePem,
      String issuer,
      String payment,
      String paymentId,
      Origin origin,
      Instant at,
      Instant expiresAt)
      implements CertificateEvent {
    @Override
    public Optional<AgentId> subject() {
      return Optional.of(agentId);
    }

    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.issued(this);
    }
  }

  /** A registration token was spent, in the write of what it bought. */
  record TokenSpent(String tokenId, AgentId agentId, String keyHash, Instant expiresAt, Instant at)
      implements CertificateEvent {
    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.tokenSpent(this);
    }
  }

  /** The next certificate of an identity was used: it is the current one, and the former ended. */
  record Promoted(AgentId agentId, String serial, Instant at) implements CertificateEvent {
    @Override
    public Optional<AgentId> subject() {
      return Optional.of(agentId);
    }

    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.promoted(this);
    }
  }

  /**
   * Two holders of an identity have shown up: all its certificates ended until somebody decides.
   *
   * @param keyHash the key that a certificate was asked for
   */
  record Frozen(AgentId agentId, String reason, String keyHash, Origin origin, Instant at)
      implements CertificateEvent {
    @Override
    public Optional<AgentId> subject() {
      return Optional.of(agentId);
    }

    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.frozen(this);
    }
  }

  /** An identity was ended, with all its certificates. */
  record Revoked(AgentId agentId, String reason, Origin origin, Instant at)
      implements CertificateEvent {
    @Override
    public Optional<AgentId> subject() {
      return Optional.of(agentId);
    }

    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.revoked(this);
    }
  }

  /** A certificate that is not in the journal was ended by its number. */
  record SerialRevoked(String serial, String reason, Origin origin, Instant at)
      implements CertificateEvent {
    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.serialRevoked(this);
    }
  }

  /** Another key may claim the identity, once, until then. */
  record RebindAllowed(AgentId agentId, Instant until, String reason, Origin origin, Instant at)
      implements CertificateEvent {
    @Override
    public Optional<AgentId> subject() {
      return Optional.of(agentId);
    }

    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.rebindAllowed(this);
    }
  }

  /** The allowance was used: whatever the identity had before has ended. */
  record Rebound(AgentId agentId, Instant at) implements CertificateEvent {
    @Override
    public Optional<AgentId> subject() {
      return Optional.of(agentId);
    }

    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.rebound(this);
    }
  }

  /**
   * An invitation was made.
   *
   * @param secretHash the SHA-256 of its secret, in 64 lower-case hexadecimal digits
   */
  record InvitationCreated(
      String invitationId,
      String secretHash,
      Optional<AgentId> agentId,
      CertificateRole role,
      int uses,
      Instant expiresAt,
      Origin origin,
      Instant at)
      implements CertificateEvent {
    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.invitations().created(this);
    }
  }

  /** An invitation was used once, in the write of what it bought. */
  record InvitationUsed(String invitationId, AgentId agentId, String keyHash, Instant at)
      implements CertificateEvent {
    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.invitations().used(this);
    }
  }

  /** An invitation was ended. */
  record InvitationRevoked(String invitationId, Origin origin, Instant at)
      implements CertificateEvent {
    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.invitations().revoked(this);
    }
  }
}
