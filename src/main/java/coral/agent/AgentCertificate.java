package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.certificate.Identity;
import coral.files.Pem;
import coral.model.Fingerprint;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * A certificate as the colony sent it, believed: issued by the pinned authority, for our key.
 *
 * @param authority the colony's certificate authority
 */
record AgentCertificate(Identity identity, X509Certificate authority) {

  /**
   * Checks what the colony sent.
   *
   * @throws JoinException WRONG_PIN or REFUSED if it is anything else than what was asked for
   */
  static AgentCertificate verified(
      ColonyClient.IssuedCertificate issued, PrivateKey key, Fingerprint pin) throws JoinException {
    List<X509Certificate> authority;
    Identity identity;
    try {
      authority = Pem.certificates(bytes(issued.authority()));
      identity = new Identity(key, Pem.certificates(bytes(issued.certificate())));
      Fingerprint actual = Fingerprint.of(authority.get(0).getEncoded());
      if (!actual.equals(pin)) {
        throw new JoinException(
            Kind.WRONG_PIN,
            "the colony's certificate authority is " + actual + ", expected " + pin);
      }
      List<X509Certificate> chain = identity.chain();
      for (int i = 0; i < chain.size(); i++) {
        X509Certificate issuer = i + 1 < chain.size() ? chain.get(i + 1) : authority.get(0);
        chain.get(i).verify(issuer.getPublicKey());
      }
    } catch (IllegalArgumentException | GeneralSecurityException e) {
      throw new JoinException(
          Kind.REFUSED, "the colony sent a certificate that is not ours: " + e.getMessage(), e);
    }
    return new AgentCertificate(identity, authority.get(0));
  }

  private static byte[] bytes(String pem) {
    return pem.getBytes(StandardCharsets.US_ASCII);
  }
}
