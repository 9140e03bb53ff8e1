package coral.certificate;

import coral.model.AgentId;
import coral.model.Fingerprint;
import coral.model.JournalRecord;
import java.time.Instant;

/** What happened to the certificates of a colony's agents; a public format. */
public sealed interface CertificateEvent extends JournalRecord {
  /** Records the event in a ledger; what contradicts the ledger is a defect and throws. */
  void applyTo(CertificateLedger ledger);

  /**
   * A certificate was issued; the first one binds the agent id to the key.
   *
   * @param serial 32 lower-case hexadecimal digits
   * @param keyHash the SHA-256 of the SubjectPublicKeyInfo, in 64 lower-case hexadecimal digits
   * @param fingerprint {@code sha256:} and the SHA-256 of the certificate, as {@link Fingerprint}
   *     writes it
   * @param certificatePem the certificate itself, for audit and for lists of what was issued
   * @param expiresAt the certificate's notAfter
   */
  record Issued(
      AgentId agentId,
      String serial,
      String keyHash,
      String fingerprint,
      String certificatePem,
      Instant issuedAt,
      Instant expiresAt)
      implements CertificateEvent {
    @Override
    public void applyTo(CertificateLedger ledger) {
      ledger.issued(this);
    }
  }
}
