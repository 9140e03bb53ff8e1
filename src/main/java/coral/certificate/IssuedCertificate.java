package coral.certificate;

import coral.model.AgentId;
import java.time.Instant;

/**
 * One certificate, as the ledger knows it: without its bytes.
 *
 * @param serial 32 lower-case hexadecimal digits
 * @param keyHash the SHA-256 of its SubjectPublicKeyInfo, in 64 lower-case hexadecimal digits
 * @param fingerprint {@code sha256:} and the SHA-256 of the certificate
 * @param issuer subject of whoever signed it (RFC 2253)
 * @param paymentId the serial, token id or invitation id that paid for it; empty for none
 * @param expiresAt its notAfter
 */
public record IssuedCertificate(
    AgentId agentId,
    String serial,
    String keyHash,
    String fingerprint,
    String issuer,
    String paymentId,
    Instant issuedAt,
    Instant expiresAt) {
  boolean hasExpired(Instant now) {
    return now.isAfter(expiresAt);
  }
}
