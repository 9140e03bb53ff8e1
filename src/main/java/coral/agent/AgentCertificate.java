package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.certificate.Identity;
import coral.certificate.TrustBundle;
import coral.files.Pem;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * A certificate as the colony sent it, believed: issued under a trusted authority, for our key.
 *
 * @param bundle the roots that the colony has now, one of which was trusted before
 */
record AgentCertificate(Identity identity, TrustBundle bundle) {

  /**
   * Checks what the colony sent.
   *
   * @throws JoinException WRONG_PIN or REFUSED if it is anything else than what was asked for
   */
  static AgentCertificate verified(
      ColonyClient.IssuedCertificate issued, PrivateKey key, ColonyTrust trust)
      throws JoinException {
    TrustBundle bundle;
    Identity identity;
    try {
      bundle = BundleRecord.bundle(issued.bundleVersion(), bytes(issued.roots()));
      identity = new Identity(key, Pem.certificates(bytes(issued.chain())));
      if (bundle.roots().stream().noneMatch(trust::includes)) {
        throw new JoinException(
            Kind.WRONG_PIN,
            "the colony's certificate authority is "
                + ColonyTrust.fingerprint(bundle.roots().get(0))
                + ", expected "
                + trust.words());
      }
      verify(identity.chain(), bundle.roots());
    } catch (IllegalArgumentException | GeneralSecurityException e) {
      throw new JoinException(
          Kind.REFUSED, "the colony sent a certificate that is not ours: " + e.getMessage(), e);
    }
    return new AgentCertificate(identity, bundle);
  }

  /** Each is signed by the next, and the last by a root. */
  private static void verify(List<X509Certificate> chain, List<X509Certificate> roots)
      throws GeneralSecurityException {
    for (int i = 0; i + 1 < chain.size(); i++) {
      chain.get(i).verify(chain.get(i + 1).getPublicKey());
    }
    X509Certificate last = chain.get(chain.size() - 1);
    for (X509Certificate root : roots) {
      if (root.getSubjectX500Principal().equals(last.getIssuerX500Principal())) {
        last.verify(root.getPublicKey());
        return;
      }
    }
    throw new IllegalArgumentException(
        "its issuer, " + last.getIssuerX500Principal() + ", is not among the colony's roots");
  }

  private static byte[] bytes(String pem) {
    return pem.getBytes(StandardCharsets.US_ASCII);
  }
}
