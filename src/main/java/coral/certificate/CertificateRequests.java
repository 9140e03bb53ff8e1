package coral.certificate;

import coral.model.AgentId;
import java.security.KeyPair;

/** Requests for certificates, PKCS#10 (RFC 2986): made by agents, verified by the colony. */
public final class CertificateRequests {
  private CertificateRequests() {}

  /**
   * A request in PEM for a key pair, with CN = agent id and nothing else: the colony writes the
   * certificate, the request only carries the key.
   *
   * @param keys RSA or P-256, as {@link KeyType} makes them
   */
  public static byte[] create(AgentId agentId, KeyPair keys) {
    throw new UnsupportedOperationException();
  }

  /**
   * Verifies a request from a stranger, cheapest check first: size, PEM, form, key policy, name,
   * proof of possession.
   *
   * @throws coral.model.RefusedException INVALID_ARGUMENT, saying what to change
   */
  public static VerifiedRequest verify(byte[] pem, AgentId expected) {
    throw new UnsupportedOperationException();
  }
}
