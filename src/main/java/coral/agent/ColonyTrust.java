package coral.agent;

import coral.certificate.TrustBundle;
import coral.certificate.TrustSuccession;
import coral.model.ColonyId;
import coral.model.Fingerprint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;

/**
 * The authorities that speak for the colony: the one that the operator pinned, and those of the
 * trust bundle that the colony has handed on since.
 *
 * @param pin empty once a bundle has taken its place
 */
record ColonyTrust(Optional<Fingerprint> pin, Optional<TrustBundle> bundle) {
  /**
   * @throws IllegalArgumentException if nobody is trusted
   */
  ColonyTrust {
    if (pin.isEmpty() && bundle.isEmpty()) {
      throw new IllegalArgumentException("neither a pin nor a trust bundle");
    }
  }

  /** Trusts whom the operator pinned, and nobody else yet. */
  static ColonyTrust pinned(Fingerprint pin) {
    return new ColonyTrust(Optional.of(pin), Optional.empty());
  }

  /** Whether a root is one of these. */
  boolean includes(X509Certificate root) {
    return roots().contains(root) || pin.equals(Optional.of(fingerprint(root)));
  }

  /**
   * Why a bundle must not be taken instead; empty if it may, or if nothing would change.
   *
   * @see TrustSuccession
   */
  Optional<String> objection(TrustBundle offered, Instant now) {
    List<X509Certificate> trusted = new ArrayList<>(roots());
    offered.roots().stream().filter(this::includes).forEach(trusted::add);
    return bundle
        .flatMap(kept -> TrustSuccession.outOfOrder(kept, offered))
        .or(() -> TrustSuccession.unvouched(trusted, offered, now));
  }

  /** The roots that are known by more than their fingerprint. */
  List<X509Certificate> roots() {
    return bundle.map(TrustBundle::roots).orElse(List.of());
  }

  /**
   * The agent's side of TLS with the colony.
   *
   * @param own shown to the colony
   */
  SSLContext tls(ColonyId colonyId, Optional<ClientCertificate> own) {
    return ClientTls.trusting(roots(), pin, "spiffe://" + colonyId + "/colony", own);
  }

  /** For messages. */
  String words() {
    return pin.map(Fingerprint::value)
        .orElseGet(() -> "one of " + roots().stream().map(ColonyTrust::fingerprint).toList());
  }

  static Fingerprint fingerprint(X509Certificate certificate) {
    try {
      return Fingerprint.of(certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalArgumentException("a certificate without an encoding", e);
    }
  }
}
