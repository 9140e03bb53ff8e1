package coral.certificate;

import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Fingerprint;
import coral.model.SpentTokens;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who is who in a colony: the identity behind each agent id, its certificates, what was spent on
 * them, and who is invited. Changed by events only, which check again. Not thread-safe: it lives
 * inside one actor. {@link IssuingRules} and {@link OperatorRules} decide on what it knows.
 */
final class CertificateLedger {
  /**
   * How long after its end a certificate that is good no longer is remembered, and its key held
   * back: longer than a list of revoked certificates is used (a day), so that none goes missing
   * from a list while it would still be believed.
   */
  static final Duration RETENTION = Duration.ofHours(25);

  /**
   * How long a certificate's bytes are kept after it was issued, for whoever has not got its
   * answer; those of one that nobody has used are kept until somebody does.
   */
  static final Duration ANSWERS_KEPT = Duration.ofMinutes(10);

  /** Why a certificate was ended, for lists of revoked ones (RFC 5280, section 5.3.1). */
  enum End {
    SUPERSEDED,
    REVOKED
  }

  /** A certificate that is good no longer, and belongs to its identity no longer. */
  record Ended(IssuedCertificate certificate, End end, Instant at) {}

  /** A certificate's bytes, for whoever asks again. */
  record Kept(AgentId agentId, String serial, String certificatePem, Instant issuedAt) {}

  private final int maxAgents;
  private final Map<AgentId, AgentIdentity> identities = new HashMap<>();
  private final KeyClaims keys = new KeyClaims();
  private final EndedCertificates ended = new EndedCertificates();
  private final Map<String, String> pems = new HashMap<>();
  private final Deque<Kept> young = new ArrayDeque<>();
  private final Set<String> serials = new HashSet<>();
  private final Map<String, CertificateEvent.SerialRevoked> strangers = new HashMap<>();
  private final SpentTokens tokens = new SpentTokens();
  private final InvitationBook invitations = new InvitationBook();
  private long revision;

  /** An empty ledger for at most {@code maxAgents} ids. */
  CertificateLedger(int maxAgents) {
    this.maxAgents = maxAgents;
  }

  Optional<AgentIdentity> identity(AgentId agentId) {
    return Optional.ofNullable(identities.get(agentId));
  }

  Collection<AgentIdentity> identities() {
    return Collections.unmodifiableCollection(identities.values());
  }

  boolean isFull() {
    return identities.size() >= maxAgents;
  }

  int maxAgents() {
    return maxAgents;
  }

  /** The agent that has, or not long ago had, a certificate for this key. */
  Optional<AgentId> holder(String keyHash) {
    return keys.holder(keyHash);
  }

  boolean isKnown(String serial) {
    return serials.contains(serial) || strangers.containsKey(serial);
  }

  /** The certificate that has ended, if it was this agent's. */
  Optional<Ended> ended(AgentId agentId, String serial) {
    return ended.find(serial).filter(known -> known.certificate().agentId().equals(agentId));
  }

  /** The identity of a serial number, also if the certificate has ended. */
  Optional<AgentId> agentOf(String serial) {
    Optional<AgentId> former = ended.find(serial).map(known -> known.certificate().agentId());
    return former.isPresent()
        ? former
        : identities.values().stream()
            .filter(
                identity ->
                    identity.certificates().stream().anyMatch(c -> c.serial().equals(serial)))
            .map(AgentIdentity::agentId)
            .findAny();
  }

  /** The agent's certificates that have ended before their time was up. */
  List<Ended> endedEarly(AgentId agentId, Instant now) {
    return ended.of(agentId).stream()
        .filter(known -> !known.certificate().hasExpired(now))
        .toList();
  }

  /** All of the agent that have ended and are remembered. */
  List<Ended> ended(AgentId agentId) {
    return ended.of(agentId);
  }

  /** Higher after every end of a certificate. */
  long revision() {
    return revision;
  }

  /** Serial numbers that were revoked without being in the journal. */
  Map<String, CertificateEvent.SerialRevoked> strangers() {
    return Collections.unmodifiableMap(strangers);
  }

  /** The bytes of a certificate that nobody has used, or that was issued not long ago. */
  Optional<String> pem(String serial) {
    return Optional.ofNullable(pems.get(serial));
  }

  SpentTokens tokens() {
    return tokens;
  }

  InvitationBook invitations() {
    return invitations;
  }

  /** The agents of a colony without roles held several certificates for one key. */
  void issued(CertificateEvent.IssuedV1 event) {
    AgentId agentId = event.agentId();
    @Nullable AgentIdentity known = identities.get(agentId);
    if (known != null) {
      known
          .next()
          .ifPresent(
              next ->
                  promoted(
                      new CertificateEvent.Promoted(agentId, next.serial(), event.issuedAt())));
    }
    add(
        CertificateRole.AGENT,
        known == null ? 1 : known.generation() + 1,
        new IssuedCertificate(
            agentId,
            event.serial(),
            event.keyHash(),
            event.fingerprint(),
            issuer(event.certificatePem()),
            "",
            event.issuedAt(),
            event.expiresAt()),
        event.certificatePem());
  }

  /**
   * Older events do not say it; empty, which stands for any, if the certificate does not either.
   */
  private static String issuer(String certificatePem) {
    try {
      return Pem.certificates(certificatePem.getBytes(StandardCharsets.US_ASCII))
          .get(0)
          .getIssuerX500Principal()
          .getName();
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  void issued(CertificateEvent.Issued event) {
    add(
        event.role(),
        event.generation(),
        new IssuedCertificate(
            event.agentId(),
            event.serial(),
            event.keyHash(),
            event.fingerprint(),
            event.issuer(),
            event.paymentId(),
            event.at(),
            event.expiresAt()),
        event.certificatePem());
  }

  private void add(
      CertificateRole role, long generation, IssuedCertificate certificate, String pem) {
    AgentId agentId = certificate.agentId();
    AgentIdentity known =
        identity(agentId)
            .orElseGet(() -> AgentIdentity.claimed(agentId, role, certificate.issuedAt()));
    require(known.role() == role, agentId, "has another role");
    require(known.state() == IdentityState.ACTIVE, agentId, "is not active");
    require(known.generation() + 1 == generation, agentId, "is of another generation");
    hold(certificate);
    known.next().ifPresent(next -> end(next, End.SUPERSEDED, certificate.issuedAt()));
    identities.put(agentId, known.with(generation, certificate));
    keep(new Kept(agentId, certificate.serial(), pem, certificate.issuedAt()));
    forget(certificate.issuedAt());
  }

  void promoted(CertificateEvent.Promoted event) {
    AgentIdentity known = required(event.agentId());
    require(
        known.next().filter(next -> next.serial().equals(event.serial())).isPresent(),
        event.agentId(),
        "has no such next certificate");
    known.current().ifPresent(current -> end(current, End.SUPERSEDED, event.at()));
    identities.put(event.agentId(), known.promoted());
    known
        .next()
        .filter(next -> next.issuedAt().plus(ANSWERS_KEPT).isBefore(event.at()))
        .ifPresent(next -> pems.remove(next.serial()));
  }

  void frozen(CertificateEvent.Frozen event) {
    AgentIdentity known = required(event.agentId());
    require(known.state() == IdentityState.ACTIVE, event.agentId(), "is not active");
    revision++;
    identities.put(event.agentId(), known.ended(IdentityState.FROZEN, event.reason(), event.at()));
  }

  void revoked(CertificateEvent.Revoked event) {
    AgentIdentity known = required(event.agentId());
    require(
        known.state() != IdentityState.REVOKED || known.rebindUntil().isPresent(),
        event.agentId(),
        "was revoked before");
    revision++;
    identities.put(event.agentId(), known.ended(IdentityState.REVOKED, event.reason(), event.at()));
  }

  void serialRevoked(CertificateEvent.SerialRevoked event) {
    if (serials.contains(event.serial()) || strangers.putIfAbsent(event.serial(), event) != null) {
      throw new IllegalStateException("the certificate " + event.serial() + " is known");
    }
    revision++;
  }

  void rebindAllowed(CertificateEvent.RebindAllowed event) {
    identities.put(event.agentId(), required(event.agentId()).rebindAllowed(event.until()));
  }

  void rebound(CertificateEvent.Rebound event) {
    AgentIdentity known = required(event.agentId());
    require(known.mayRebind(event.at()), event.agentId(), "may not be claimed again");
    End end = known.state() == IdentityState.REVOKED ? End.REVOKED : End.SUPERSEDED;
    Instant at = known.state() == IdentityState.ACTIVE ? event.at() : known.since();
    known.certificates().forEach(certificate -> end(certificate, end, at));
    identities.put(event.agentId(), known.rebound(event.at()));
  }

  void tokenSpent(CertificateEvent.TokenSpent event) {
    tokens.spend(
        new SpentTokens.Spent(event.tokenId(), event.agentId(), event.keyHash(), event.expiresAt()),
        event.at());
  }

  /** What ends beside the identity: the invitations that it has made and nobody has used yet. */
  List<CertificateEvent> endInvitationsOf(AgentId agentId, Origin origin, Instant now) {
    String maker = required(agentId).role().wireName() + "/" + agentId;
    return invitations.openOf(maker, now).stream()
        .<CertificateEvent>map(id -> new CertificateEvent.InvitationRevoked(id, origin, now))
        .toList();
  }

  private AgentIdentity required(AgentId agentId) {
    @Nullable AgentIdentity known = identities.get(agentId);
    if (known == null) {
      throw new IllegalStateException("there is no agent " + agentId);
    }
    return known;
  }

  private static void require(boolean fits, AgentId agentId, String butIt) {
    if (!fits) {
      throw new IllegalStateException("the journal contradicts itself: " + agentId + " " + butIt);
    }
  }

  private void end(IssuedCertificate certificate, End end, Instant at) {
    revision++;
    ended.add(new Ended(certificate, end, at));
    pems.remove(certificate.serial());
  }

  private void keep(Kept answer) {
    pems.put(answer.serial(), answer.certificatePem());
    young.addLast(answer);
  }

  /** Forgets what nobody can use any more; what an identity holds is never forgotten. */
  private void forget(Instant now) {
    for (IssuedCertificate certificate : ended.forget(now.minus(RETENTION))) {
      serials.remove(certificate.serial());
      keys.release(certificate.keyHash());
    }
    while (!young.isEmpty() && young.getFirst().issuedAt().plus(ANSWERS_KEPT).isBefore(now)) {
      Kept old = young.removeFirst();
      if (!isUnused(old)) {
        pems.remove(old.serial());
      }
    }
  }

  private boolean isUnused(Kept certificate) {
    return identity(certificate.agentId())
        .flatMap(AgentIdentity::next)
        .filter(next -> next.serial().equals(certificate.serial()))
        .isPresent();
  }

  /** All that is known, in an order of its own. */
  CertificateSnapshot snapshot() {
    List<Kept> kept = new ArrayList<>();
    for (AgentIdentity identity : identities.values()) {
      for (IssuedCertificate each : identity.certificates()) {
        pem(each.serial())
            .ifPresent(
                pem -> kept.add(new Kept(each.agentId(), each.serial(), pem, each.issuedAt())));
      }
    }
    kept.sort(Comparator.comparing(Kept::issuedAt).thenComparing(Kept::serial));
    return new CertificateSnapshot(
        revision,
        identities.values().stream().sorted(Comparator.comparing(AgentIdentity::agentId)).toList(),
        ended.list(),
        kept,
        strangers.values().stream()
            .sorted(Comparator.comparing(CertificateEvent.SerialRevoked::serial))
            .toList(),
        tokens.list(),
        invitations.entries());
  }

  /** The ledger that a snapshot was made of. */
  static CertificateLedger restore(int maxAgents, CertificateSnapshot snapshot) {
    CertificateLedger ledger = new CertificateLedger(maxAgents);
    for (AgentIdentity identity : snapshot.identities()) {
      ledger.identities.put(identity.agentId(), identity);
      identity.certificates().forEach(ledger::hold);
    }
    for (Ended each : snapshot.ended()) {
      ledger.hold(each.certificate());
      ledger.ended.add(each);
    }
    snapshot.kept().forEach(ledger::keep);
    snapshot.strangers().forEach(ledger::serialRevoked);
    snapshot.tokens().forEach(token -> ledger.tokens.spend(token, Instant.MIN));
    snapshot.invitations().forEach(ledger.invitations::add);
    ledger.revision = snapshot.revision();
    return ledger;
  }

  private void hold(IssuedCertificate certificate) {
    require(
        serials.add(certificate.serial()),
        certificate.agentId(),
        "has a serial number that came before");
    keys.claim(certificate.agentId(), certificate.keyHash());
  }

  static Fingerprint fingerprint(X509Certificate certificate) {
    try {
      return Fingerprint.of(certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalArgumentException("a certificate without an encoding", e);
    }
  }
}
