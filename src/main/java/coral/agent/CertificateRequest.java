package coral.agent;

import coral.certificate.CertificateRequests;
import coral.certificate.Identity;
import coral.certificate.KeyType;
import coral.certificate.PreviousKeyProof;
import coral.certificate.VerifiedRequest;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.RefusedException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.PrivateKey;

/**
 * A new key with the request for its certificate. It stays the same from try to try until the
 * colony has answered, and from one process to the next.
 *
 * @param pem PKCS#10
 * @param keyHash the SHA-256 of the key's SubjectPublicKeyInfo, in 64 lower-case hexadecimal digits
 */
record CertificateRequest(PrivateKey key, String pem, String keyHash) {

  /** A request with a key that nobody has seen. */
  static CertificateRequest create(AgentId agentId) {
    KeyPair keys = KeyType.P_256.generate();
    byte[] pem = CertificateRequests.create(agentId, keys);
    VerifiedRequest verified = CertificateRequests.verify(pem, agentId);
    return new CertificateRequest(
        keys.getPrivate(), new String(pem, StandardCharsets.US_ASCII), verified.keyHash());
  }

  /**
   * Reads what {@link #toBytes} wrote.
   *
   * @throws IOException if it is anything else; the message says nothing of the key
   */
  static CertificateRequest parse(byte[] bytes, AgentId agentId) throws IOException {
    KeyFile parts = KeyFile.parse(bytes, Pem.CERTIFICATE_REQUEST);
    try {
      VerifiedRequest verified = CertificateRequests.verify(parts.rest(), agentId);
      return new CertificateRequest(
          parts.key(), new String(parts.rest(), StandardCharsets.US_ASCII), verified.keyHash());
    } catch (RefusedException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** What shows the colony that the holder of another certificate wants this one. */
  PreviousKeyProof provenBy(Identity holder) {
    return PreviousKeyProof.create(holder.certificate(), holder.key(), bytes(pem));
  }

  private static byte[] bytes(String pem) {
    return pem.getBytes(StandardCharsets.US_ASCII);
  }

  byte[] toBytes() {
    return (Pem.encode(key) + pem).getBytes(StandardCharsets.US_ASCII);
  }

  /** What the colony knows a repeated request by: one for each key. */
  String requestId() {
    return keyHash;
  }

  /** Without the private key. */
  @Override
  public String toString() {
    return "CertificateRequest[" + keyHash + "]";
  }
}
