package coral.certificate;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which client certificates are good now: the read side of {@link CertificateAuthority}, asked in
 * every TLS handshake and on every call. Thread-safe; answers from memory, without an actor.
 *
 * <p>An agent's certificate is good if it is, byte for byte, one that this colony has journaled and
 * not superseded, and its time has not passed: an allow-list, so a forged, a forgotten or a revoked
 * certificate needs no entry to be refused. Until the journal has been read every agent is refused.
 *
 * <p>An administrator's certificate is issued at {@code init}, before there is a journal: it is
 * good if the colony's authority signed it, its name is {@code spiffe://<colony-id>/admin/<name>},
 * and its time has not passed.
 */
public final class CertificateIndex {
  /** The kind of a URI among alternative names (RFC 5280, section 4.2.1.6). */
  private static final int URI_NAME = 6;

  private final Predicate<X509Certificate> signedHere;
  private final String agentPrefix;
  private final String administratorPrefix;
  private final InstantSource clock;

  private final Map<String, CertificateLedger.IssuedCertificate> bySerial =
      new ConcurrentHashMap<>();

  /** The serials in {@link #bySerial} of each agent. */
  private final Map<AgentId, List<String>> serials = new ConcurrentHashMap<>();

  private volatile boolean complete;

  /**
   * An empty index, which refuses every agent.
   *
   * @param signedHere whether the colony's authority signed a client's certificate: {@link
   *     Authority#signedClient}
   */
  public CertificateIndex(
      ColonyId colonyId, Predicate<X509Certificate> signedHere, InstantSource clock) {
    this.signedHere = signedHere;
    this.agentPrefix = "spiffe://" + colonyId + "/agent/";
    this.administratorPrefix = "spiffe://" + colonyId + "/admin/";
    this.clock = clock;
  }

  /** Whether a client may use this certificate now. The chain is TLS's business. */
  public boolean accepts(X509Certificate certificate) {
    return refusal(certificate).isEmpty();
  }

  /**
   * Why a client may not use this certificate now, UNAUTHENTICATED or NOT_READY; empty if it may.
   */
  public Optional<Refused> refusal(X509Certificate certificate) {
    Instant now = clock.instant();
    if (now.isAfter(certificate.getNotAfter().toInstant())) {
      return refused("the certificate ended at " + certificate.getNotAfter().toInstant());
    }
    if (now.isBefore(certificate.getNotBefore().toInstant())) {
      return refused(
          "the certificate begins at "
              + certificate.getNotBefore().toInstant()
              + "; are both clocks right?");
    }
    Optional<String> uri = uri(certificate);
    if (uri.isPresent() && uri.get().startsWith(agentPrefix)) {
      return agentRefusal(certificate, uri.get().substring(agentPrefix.length()));
    }
    if (uri.isPresent() && uri.get().startsWith(administratorPrefix)) {
      return signedHere.test(certificate)
          ? Optional.empty()
          : refused("the certificate is not of this colony");
    }
    return refused("the certificate names neither an agent nor an administrator of this colony");
  }

  private Optional<Refused> agentRefusal(X509Certificate certificate, String agentId) {
    CertificateLedger.@Nullable IssuedCertificate issued =
        bySerial.get(SerialNumbers.hex(certificate.getSerialNumber()));
    if (issued != null
        && issued.agentId().value().equals(agentId)
        && issued.fingerprint().equals(CertificateLedger.fingerprint(certificate))) {
      return Optional.empty();
    }
    if (!complete) {
      return Optional.of(
          new Refused(Failure.NOT_READY, "the colony is still reading its certificates"));
    }
    return refused(
        "the certificate is not one that this colony knows as good: superseded, or never issued");
  }

  /** Whether the journal has been read: before that every agent is refused. */
  public boolean isComplete() {
    return complete;
  }

  /** How many agents' certificates are known. */
  public int size() {
    return bySerial.size();
  }

  /** An agent's certificates are these, and no others. Called by one writer. */
  void replace(AgentId agentId, Collection<CertificateLedger.IssuedCertificate> good) {
    for (CertificateLedger.IssuedCertificate certificate : good) {
      bySerial.put(certificate.serial(), certificate);
    }
    List<String> now = good.stream().map(c -> c.serial()).toList();
    @Nullable List<String> before = serials.put(agentId, now);
    if (before != null) {
      for (String serial : before) {
        if (!now.contains(serial)) {
          bySerial.remove(serial);
        }
      }
    }
  }

  /** The index holds all there is. Called by the writer after recovery. */
  void completed() {
    complete = true;
  }

  /** The only URI among the names, if there is just one. */
  private static Optional<String> uri(X509Certificate certificate) {
    try {
      @Nullable Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      if (names == null) {
        return Optional.empty();
      }
      List<String> uris =
          names.stream()
              .filter(name -> Integer.valueOf(URI_NAME).equals(name.get(0)))
              .map(name -> String.valueOf(name.get(1)))
              .toList();
      return uris.size() == 1 ? Optional.of(uris.get(0)) : Optional.empty();
    } catch (CertificateParsingException e) {
      return Optional.empty();
    }
  }

  private static Optional<Refused> refused(String message) {
    return Optional.of(new Refused(Failure.UNAUTHENTICATED, message));
  }
}
