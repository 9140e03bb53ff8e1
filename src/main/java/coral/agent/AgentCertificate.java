package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.certificate.Identity;
import coral.certificate.TrustBundle;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.rpc.CallerIdentity;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.security.auth.x500.X500Principal;

/**
 * A certificate as the colony sent it, believed: issued under a trusted authority, to this agent,
 * for its key.
 *
 * @param bundle the roots that the colony has now, each of which was trusted before or has the word
 *     of one that was; empty if they are not to be taken
 * @param objection why not
 */
record AgentCertificate(
    Identity identity, Optional<TrustBundle> bundle, Optional<String> objection) {

  /** Who a certificate is asked for. */
  record Holder(ColonyId colonyId, AgentId agentId, PrivateKey key) {}

  /**
   * Checks what the colony sent. A bundle that is not to be taken is no reason to refuse a
   * certificate that leads to a root which is trusted already.
   *
   * @throws JoinException WRONG_PIN or REFUSED if it is anything else than what was asked for
   */
  static AgentCertificate verified(
      ColonyClient.IssuedCertificate issued, Holder holder, ColonyTrust trust, Instant now)
      throws JoinException {
    try {
      TrustBundle offered =
          BundleRecord.bundle(
              issued.bundleVersion(), bytes(issued.roots()), bytes(issued.crossRoots()));
      Identity identity = new Identity(holder.key(), Pem.certificates(bytes(issued.chain())));
      Optional<String> objection = trust.objection(offered, now);
      if (trust.bundle().isEmpty()) {
        requirePinned(offered, trust);
        if (objection.isPresent()) {
          throw new JoinException(
              Kind.REFUSED, "the colony's authorities are not to be believed: " + objection.get());
        }
      }
      requireNames(identity.certificate(), holder);
      verify(identity.chain(), objection.isEmpty() ? offered.roots() : trust.roots(), now);
      return new AgentCertificate(
          identity, objection.isEmpty() ? Optional.of(offered) : Optional.empty(), objection);
    } catch (IllegalArgumentException | GeneralSecurityException e) {
      throw new JoinException(
          Kind.REFUSED, "the colony sent a certificate that is not ours: " + e.getMessage(), e);
    }
  }

  private static void requirePinned(TrustBundle offered, ColonyTrust trust) throws JoinException {
    if (offered.roots().stream().noneMatch(trust::includes)) {
      throw new JoinException(
          Kind.WRONG_PIN,
          "the colony's certificate authority is "
              + ColonyTrust.fingerprint(offered.roots().get(0))
              + ", expected "
              + trust.words());
    }
  }

  /** RFC 5280, section 4.2.1.6, and RFD 020 (mTLS draft): the names by which calls are allowed. */
  private static void requireNames(X509Certificate leaf, Holder holder) {
    List<String> expected =
        CredentialSettings.MEMBERS.stream()
            .map(role -> "spiffe://" + holder.colonyId() + "/" + role + "/" + holder.agentId())
            .toList();
    List<String> uris = CallerIdentity.uris(leaf);
    if (uris.size() != 1 || !expected.contains(uris.get(0))) {
      throw new IllegalArgumentException("it is that of " + uris + ", not one of " + expected);
    }
    X500Principal subject = new X500Principal("CN=" + holder.agentId() + ",O=" + holder.colonyId());
    if (!leaf.getSubjectX500Principal().equals(subject)) {
      throw new IllegalArgumentException(
          "its subject is " + leaf.getSubjectX500Principal() + ", not " + subject);
    }
  }

  /**
   * RFC 5280, section 6. A certificate that begins in the future is not refused: the clock here may
   * be slow, and the colony judges by its own.
   */
  private static void verify(List<X509Certificate> chain, List<X509Certificate> roots, Instant now)
      throws GeneralSecurityException {
    X509Certificate leaf = chain.get(0);
    Instant begin = leaf.getNotBefore().toInstant();
    PKIXParameters parameters =
        new PKIXParameters(
            roots.stream().map(root -> new TrustAnchor(root, null)).collect(Collectors.toSet()));
    parameters.setRevocationEnabled(false); // it is new
    parameters.setDate(Date.from(begin.isAfter(now) ? begin : now));
    CertPath path = CertificateFactory.getInstance("X.509").generateCertPath(chain);
    CertPathValidator.getInstance("PKIX").validate(path, parameters);
    if (leaf.getBasicConstraints() >= 0) {
      throw new IllegalArgumentException("it is that of an authority");
    }
  }

  private static byte[] bytes(String pem) {
    return pem.getBytes(StandardCharsets.US_ASCII);
  }
}
