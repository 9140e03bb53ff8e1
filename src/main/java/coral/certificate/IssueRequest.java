package coral.certificate;

import coral.model.AgentId;
import java.util.Optional;

/**
 * A request for a certificate whose sender has proved to hold the key.
 *
 * @param keyHash the SHA-256 of the key's SubjectPublicKeyInfo, in 64 lower-case hexadecimal digits
 * @param previous the certificate whose key signed the request as well, if any did
 */
record IssueRequest(
    AgentId agentId, String keyHash, Payment payment, Optional<Previous> previous, Origin origin) {
  /** A certificate by which somebody proved to be its holder. */
  record Previous(String serial, String fingerprint) {}
}
