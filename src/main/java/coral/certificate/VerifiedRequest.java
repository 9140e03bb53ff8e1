package coral.certificate;

import coral.model.AgentId;
import java.security.PublicKey;

/**
 * A request for a certificate whose sender has proved that it holds the key. Only {@link
 * CertificateRequests#verify} makes one.
 *
 * @param agentId for whom
 * @param publicKey within the key policy
 * @param keyHash the SHA-256 of the key's SubjectPublicKeyInfo, in lower-case hexadecimal digits
 */
public record VerifiedRequest(AgentId agentId, PublicKey publicKey, String keyHash) {}
