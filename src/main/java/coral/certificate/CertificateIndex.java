package coral.certificate;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Which client certificates are good now: the read side of {@link CertificateAuthority}, asked in
 * every TLS handshake and on every call. Thread-safe; answers from memory, without an actor.
 *
 * <p>A certificate is good if it is, byte for byte, the current or the next one of an identity that
 * is neither frozen nor revoked, and its time has not passed: an allow-list, so a forged, a
 * forgotten or a revoked certificate needs no entry to be refused. Until the journal has been read
 * everybody is refused, and new connections are refused again when it has been out of reach for
 * {@link #STALE_AFTER}.
 *
 * <p>The administrator's certificate that {@code init} makes is older than the journal: it is good
 * if the colony's authority signed it, its name is {@code spiffe://<colony-id>/admin/<name>}, its
 * number was not revoked, and its time has not passed.
 */
public final class CertificateIndex {
  /** How long new connections are judged by what was known when the journal failed. */
  static final Duration STALE_AFTER = Duration.ofSeconds(60);

  /** How long to wait until the first use of a certificate is told again. */
  private static final Duration TOLD_AGAIN_AFTER = Duration.ofSeconds(10);

  /** Nobody makes as many; whoever could has the authority's key. */
  private static final int MAX_ADMINISTRATORS_SEEN = 1_000;

  /** The kind of a URI among alternative names (RFC 5280, section 4.2.1.6). */
  private static final int URI_NAME = 6;

  private static final class Entry {
    final IssuedCertificate certificate;
    final boolean isNext;

    /** When its first use was told of. A race tells it twice, which does no harm. */
    volatile @Nullable Instant told;

    Entry(IssuedCertificate certificate, boolean isNext) {
      this.certificate = certificate;
      this.isNext = isNext;
    }
  }

  private final Predicate<X509Certificate> signedHere;
  private final String prefix;
  private final InstantSource clock;
  private final Map<String, Entry> good = new ConcurrentHashMap<>();
  private final Map<AgentId, AgentIdentity> identities = new ConcurrentHashMap<>();
  private final Set<String> revokedStrangers = ConcurrentHashMap.newKeySet();

  /** Numbers of administrators' certificates that were good when they were shown. */
  private final Set<String> administratorsSeen = ConcurrentHashMap.newKeySet();

  /** Serial numbers with which ids that were claimed anew have registered since. */
  private final Map<AgentId, String> registered = new ConcurrentHashMap<>();

  private final List<Consumer<CertificateChange>> listeners = new CopyOnWriteArrayList<>();
  private final KnownRevocations revocations;
  private volatile BiConsumer<AgentId, String> firstUse = (agentId, serial) -> {};
  private volatile boolean complete;
  private volatile @Nullable Instant outOfReachSince;

  /**
   * An empty index, which refuses everybody.
   *
   * @param signedHere whether the colony's authority signed a client's certificate: {@link
   *     Authority#signedClient}
   */
  public CertificateIndex(
      ColonyId colonyId, Predicate<X509Certificate> signedHere, InstantSource clock) {
    this.signedHere = signedHere;
    this.prefix = "spiffe://" + colonyId + "/";
    this.clock = clock;
    this.revocations = new KnownRevocations(clock);
  }

  /** Agents and proxies that may use a certificate now: active, and it has not ended. */
  public Set<AgentId> certifiedMembers() {
    Instant now = clock.instant();
    return identities.values().stream()
        .filter(identity -> identity.role().isMember())
        .filter(
            identity ->
                identity.good().stream()
                    .anyMatch(certificate -> !now.isAfter(certificate.expiresAt())))
        .map(AgentIdentity::agentId)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** What third parties may know of the colony's certificates. */
  public RevocationSource revocations() {
    return revocations;
  }

  /** The same, for its writer. */
  KnownRevocations knownRevocations() {
    return revocations;
  }

  /** Whether a client may use this certificate now. The chain is TLS's business. */
  public boolean accepts(X509Certificate certificate) {
    return refusal(certificate).isEmpty();
  }

  /**
   * Whether a client may open a connection with this certificate now: as {@link #accepts}, and not
   * on what was known long ago.
   */
  public boolean acceptsHandshake(X509Certificate certificate) {
    @Nullable Instant since = outOfReachSince;
    return (since == null || clock.instant().isBefore(since.plus(STALE_AFTER)))
        && accepts(certificate);
  }

  /**
   * Whether a client that has proved to hold the key of this certificate may make a call with it.
   * The first use of an identity's next certificate ends the one before, so this is not to be asked
   * during a handshake: there a client has shown the certificate, which is no secret, and not yet
   * that it has the key. Of an id that was claimed anew it is {@link #registered} that counts as
   * the first use.
   */
  public boolean acceptsHolder(X509Certificate certificate) {
    if (!accepts(certificate)) {
      return false;
    }
    @Nullable Entry entry = good.get(SerialNumbers.hex(certificate.getSerialNumber()));
    if (entry != null && entry.isNext && !awaitsRegistration(entry.certificate.agentId())) {
      used(entry);
    }
    return true;
  }

  private void used(Entry entry) {
    Instant now = clock.instant();
    @Nullable Instant told = entry.told;
    if (told == null || now.isAfter(told.plus(TOLD_AGAIN_AFTER))) {
      entry.told = now;
      firstUse.accept(entry.certificate.agentId(), entry.certificate.serial());
    }
  }

  /**
   * The holder of this certificate has just registered, and the WireGuard key that its id has is
   * its own: if the id was claimed anew it is no longer barred. Until that is durable a restart
   * bars it again, which lasts until it registers again.
   */
  public void registered(AgentId agentId, X509Certificate certificate) {
    @Nullable Entry entry = good.get(SerialNumbers.hex(certificate.getSerialNumber()));
    if (entry != null
        && entry.certificate.agentId().equals(agentId)
        && awaitsRegistration(agentId)) {
      registered.put(agentId, entry.certificate.serial());
      used(entry);
    }
  }

  /**
   * Why a client may not use this certificate now, UNAUTHENTICATED or NOT_READY; empty if it may.
   */
  public Optional<Refused> refusal(X509Certificate certificate) {
    if (!complete) {
      return Optional.of(
          new Refused(Failure.NOT_READY, "the colony is still reading its certificates"));
    }
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
    String[] name = name(certificate);
    Optional<CertificateRole> role =
        name.length == 2 ? CertificateRole.of(name[0]) : Optional.empty();
    if (role.isEmpty()) {
      return refused("the certificate is not that of a member of this colony");
    }
    return refusal(certificate, role.get(), name[1]);
  }

  private Optional<Refused> refusal(X509Certificate certificate, CertificateRole role, String id) {
    String serial = SerialNumbers.hex(certificate.getSerialNumber());
    @Nullable Entry entry = good.get(serial);
    if (entry != null) {
      IssuedCertificate known = entry.certificate;
      boolean same =
          known.agentId().value().equals(id)
              && known.fingerprint().equals(CertificateLedger.fingerprint(certificate).value());
      return same ? Optional.empty() : refused("the certificate is not the one of its number");
    }
    Optional<AgentIdentity> identity = identity(id);
    // Whoever is invited may choose the id of the administrator that the journal does not know, and
    // must not lock it out by that.
    if (identity.filter(known -> known.role() == role).isPresent()) {
      return refused(reason(identity.get()));
    }
    if (role == CertificateRole.ADMIN) {
      if (revokedStrangers.contains(serial)) {
        return refused("the certificate was revoked");
      }
      if (!signedHere.test(certificate)) {
        return refused("the certificate is not of this colony");
      }
      if (administratorsSeen.size() < MAX_ADMINISTRATORS_SEEN) {
        administratorsSeen.add(serial);
      }
      return Optional.empty();
    }
    return refused(
        identity
            .map(CertificateIndex::reason)
            .orElse("the certificate is not one that this colony has issued"));
  }

  private static String reason(AgentIdentity identity) {
    return switch (identity.state()) {
      case FROZEN, REVOKED -> identity.inactive();
      case ACTIVE ->
          "the certificate is not one of '"
              + identity.agentId()
              + "' that is good: a newer one was used since, or it was never issued";
    };
  }

  private Optional<AgentIdentity> identity(String id) {
    try {
      return Optional.ofNullable(identities.get(new AgentId(id)));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // nobody has such a name
    }
  }

  /**
   * Whether an agent's WireGuard peer must not be there: its identity is frozen or revoked, or
   * another key has claimed it and the WireGuard key is still that of the former holder.
   */
  public boolean isBarred(AgentId agentId) {
    @Nullable AgentIdentity identity = identities.get(agentId);
    return identity != null
        && (identity.state() != IdentityState.ACTIVE || awaitsRegistration(agentId));
  }

  /**
   * Whether the holder of an id's certificate may replace a WireGuard key that the id got without
   * one, because somebody has allowed another key to claim the id.
   */
  public boolean mayTakeOver(AgentId agentId) {
    @Nullable AgentIdentity identity = identities.get(agentId);
    return identity != null && (identity.mayRebind(clock.instant()) || awaitsRegistration(agentId));
  }

  private boolean awaitsRegistration(AgentId agentId) {
    @Nullable AgentIdentity identity = identities.get(agentId);
    return identity != null
        && identity.awaitsRegistration()
        && identity.next().filter(next -> next.serial().equals(registered.get(agentId))).isEmpty();
  }

  /**
   * Whether this is the number of an administrator's certificate that is not in the journal, was
   * shown since the start, and was good then.
   */
  public boolean hasSeenAdministrator(String serial) {
    return administratorsSeen.contains(serial);
  }

  /**
   * Agents whose WireGuard peers must not be there now; {@link #onChange} tells of those that
   * follow.
   */
  public Set<AgentId> barred() {
    return identities.keySet().stream()
        .filter(this::isBarred)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** What an agent id stands for, as far as it was claimed. */
  public Optional<AgentIdentity> identity(AgentId agentId) {
    return Optional.ofNullable(identities.get(agentId));
  }

  /** Whether the journal has been read: before that everybody is refused. */
  public boolean isComplete() {
    return complete;
  }

  /** How many journaled certificates are good. */
  public int size() {
    return good.size();
  }

  /**
   * Has {@code listener} told of every end of a right, once it is durable and refused here. Called
   * on the authority's thread: it must not block.
   */
  public void onChange(Consumer<CertificateChange> listener) {
    listeners.add(listener);
  }

  /** Has {@code told} hear of the first use of a certificate, on the thread of whoever used it. */
  void onFirstUse(BiConsumer<AgentId, String> told) {
    firstUse = told;
  }

  /** This is what an identity is now. Called by one writer, once it is durable. */
  void show(AgentIdentity identity) {
    @Nullable AgentIdentity before = identities.put(identity.agentId(), identity);
    List<String> now = identity.good().stream().map(IssuedCertificate::serial).toList();
    for (IssuedCertificate certificate : identity.good()) {
      boolean isNext = identity.next().filter(certificate::equals).isPresent();
      good.put(certificate.serial(), new Entry(certificate, isNext));
    }
    if (!identity.awaitsRegistration()) {
      registered.remove(identity.agentId());
    }
    if (before == null) {
      return;
    }
    List<String> gone =
        before.good().stream()
            .map(IssuedCertificate::serial)
            .filter(serial -> !now.contains(serial))
            .toList();
    gone.forEach(good::remove);
    if (!gone.isEmpty() || before.state() != identity.state()) {
      CertificateChange change = CertificateChange.of(identity, reason(identity));
      if (identity.state() != IdentityState.ACTIVE || !gone.isEmpty()) {
        listeners.forEach(listener -> listener.accept(change));
      }
    }
  }

  /** A certificate that is not in the journal was revoked. Called by one writer. */
  void showRevoked(String serial) {
    if (revokedStrangers.add(serial)) {
      CertificateChange change =
          new CertificateChange(
              Optional.empty(),
              CertificateChange.Kind.REVOKED,
              "the certificate " + serial + " was revoked");
      listeners.forEach(listener -> listener.accept(change));
    }
  }

  /** Whether a certificate that is not in the journal was revoked by its number. */
  public boolean isRevoked(String serial) {
    return revokedStrangers.contains(serial);
  }

  /** The index holds all there is. Called by the writer after recovery. */
  void completed() {
    complete = true;
    outOfReachSince = null;
  }

  /** The journal has failed: what it holds by now may be more than is known here. */
  void outOfReach() {
    if (outOfReachSince == null) {
      outOfReachSince = clock.instant();
    }
  }

  /** Role and id of the only URI among the names; empty for anything else. */
  private String[] name(X509Certificate certificate) {
    try {
      @Nullable Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      if (names == null) {
        return new String[0];
      }
      List<String> uris =
          names.stream()
              .filter(name -> Integer.valueOf(URI_NAME).equals(name.get(0)))
              .map(name -> String.valueOf(name.get(1)))
              .toList();
      return uris.size() == 1 && uris.get(0).startsWith(prefix)
          ? uris.get(0).substring(prefix.length()).split("/", -1)
          : new String[0];
    } catch (CertificateParsingException e) {
      return new String[0];
    }
  }

  private static Optional<Refused> refused(String message) {
    return Optional.of(new Refused(Failure.UNAUTHENTICATED, message));
  }
}
