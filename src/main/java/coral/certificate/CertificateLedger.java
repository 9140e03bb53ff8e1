package coral.certificate;

import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.model.Refused;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which agent id is bound to which key, and the certificates that each agent may use. Decides and
 * changes nothing; events are the only mutator. Not thread-safe: it lives inside one actor.
 *
 * <p>The first certificate of an id binds it to its key (first claim): with the colony's secret
 * alone, which every agent shares, nobody can take an id that is in use. The same id and key may
 * ask again at any time, because the answer may have been lost.
 */
public final class CertificateLedger {
  /**
   * Certificates of one agent that are good at a time. An agent uses the newest; the older ones are
   * those whose answer was lost or whose successor has not reached the agent's disk yet. One more
   * supersedes the oldest, so that what an agent can make the colony remember is bounded.
   */
  public static final int MAX_CERTIFICATES_PER_AGENT = 8;

  /**
   * One certificate that its agent may use.
   *
   * @param serial in lower-case hexadecimal digits
   */
  public record IssuedCertificate(
      AgentId agentId,
      String serial,
      String keyHash,
      Fingerprint fingerprint,
      Instant issuedAt,
      Instant expiresAt) {}

  private final int maxAgents;
  private final KeyClaims claims = new KeyClaims();
  private final Map<AgentId, Deque<IssuedCertificate>> certificates = new HashMap<>();
  private final Set<String> serials = new HashSet<>();

  /** An empty ledger that refuses to bind more than {@code maxAgents} ids. */
  public CertificateLedger(int maxAgents) {
    this.maxAgents = maxAgents;
  }

  /** Why this agent cannot have a certificate for this key; empty if it can. */
  public Optional<Refused> refusal(AgentId agentId, String keyHash) {
    Optional<Refused> conflict = claims.conflict(agentId, keyHash).map(c -> refused(agentId, c));
    if (conflict.isEmpty() && !claims.contains(agentId) && claims.size() >= maxAgents) {
      return Optional.of(
          new Refused(
              Failure.LIMIT_REACHED,
              "the colony has certificates for "
                  + maxAgents
                  + " agents, its limit; raise it in the colony's configuration"));
    }
    return conflict;
  }

  static Refused refused(AgentId agentId, KeyClaims.Conflict conflict) {
    return switch (conflict) {
      case AGENT_HAS_ANOTHER_KEY ->
          new Refused(
              Failure.AGENT_ID_TAKEN,
              "the agent id '"
                  + agentId
                  + "' is bound to another key; use that key, or choose another id");
      case KEY_HAS_ANOTHER_AGENT ->
          new Refused(
              Failure.AGENT_ID_TAKEN,
              "the key of '"
                  + agentId
                  + "' is already bound to another agent id; make a key of its own for each agent");
    };
  }

  /**
   * Decides whether a signed certificate may leave.
   *
   * @return no refusal if it may, once the events are journaled
   */
  public Decision<CertificateEvent, Optional<Refused>> issue(
      AgentId agentId, String keyHash, X509Certificate certificate, Instant now) {
    Optional<Refused> refusal = refusal(agentId, keyHash);
    if (refusal.isPresent()) {
      return Decision.reply(refusal);
    }
    String serial = SerialNumbers.hex(certificate.getSerialNumber());
    if (serials.contains(serial)) {
      return Decision.reply(
          Optional.of(new Refused(Failure.INTERNAL, "a serial number came twice; try again")));
    }
    CertificateEvent issued =
        new CertificateEvent.Issued(
            agentId,
            serial,
            keyHash,
            fingerprint(certificate).value(),
            Pem.encode(certificate),
            now,
            certificate.getNotAfter().toInstant());
    return new Decision<>(List.of(issued), Optional.empty());
  }

  /** The certificates that an agent may use unless they have expired, oldest first. */
  public List<IssuedCertificate> certificates(AgentId agentId) {
    @Nullable Collection<IssuedCertificate> known = certificates.get(agentId);
    return known == null ? List.of() : List.copyOf(known);
  }

  /** The agents that have a certificate, in no order. */
  public Set<AgentId> agentIds() {
    return Collections.unmodifiableSet(certificates.keySet());
  }

  /** How many agent ids are bound to a key. */
  public int agents() {
    return claims.size();
  }

  void issued(CertificateEvent.Issued event) {
    claims.bind(event.agentId(), event.keyHash());
    if (!serials.add(event.serial())) {
      throw new IllegalStateException("the serial number " + event.serial() + " was issued before");
    }
    Deque<IssuedCertificate> known =
        certificates.computeIfAbsent(event.agentId(), id -> new ArrayDeque<>(2));
    known.addLast(
        new IssuedCertificate(
            event.agentId(),
            event.serial(),
            event.keyHash(),
            new Fingerprint(event.fingerprint()),
            event.issuedAt(),
            event.expiresAt()));
    if (known.size() > MAX_CERTIFICATES_PER_AGENT) {
      serials.remove(known.removeFirst().serial());
    }
  }

  static Fingerprint fingerprint(X509Certificate certificate) {
    try {
      return Fingerprint.of(certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalArgumentException("a certificate without an encoding", e);
    }
  }
}
