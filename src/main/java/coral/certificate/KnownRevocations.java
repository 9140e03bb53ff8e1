package coral.certificate;

import coral.model.AgentId;
import java.math.BigInteger;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/**
 * The ledger as third parties see it, in lists of revoked certificates and by OCSP. What was
 * replaced is revoked to them as well: they cannot know of its successor. Shown by one writer.
 */
final class KnownRevocations implements RevocationSource {
  /**
   * A certificate and what is to be said of it.
   *
   * @param issuer empty for that of a certificate that is not in the journal: any
   * @param expiresAt empty if that is not known: never forgotten
   */
  private record Known(String issuer, Optional<Instant> expiresAt, Status status) {
    boolean isBy(X500Principal name) {
      return issuer.isEmpty() || issuer.equals(name.getName());
    }

    /** RFC 5280, section 3.3: an entry stays on one list beyond the certificate's end. */
    boolean isOver(Instant now) {
      return expiresAt
          .filter(end -> end.plus(CertificateLedger.RETENTION).isBefore(now))
          .isPresent();
    }
  }

  private final InstantSource clock;
  private final Map<String, Known> bySerial = new ConcurrentHashMap<>();
  private final Map<AgentId, List<String>> serialsOf = new ConcurrentHashMap<>();
  private volatile long revision;
  private volatile boolean complete;

  KnownRevocations(InstantSource clock) {
    this.clock = clock;
  }

  /** This is all of an identity, and what has ended of it. */
  void show(AgentIdentity identity, List<CertificateLedger.Ended> ended) {
    List<String> now = new ArrayList<>();
    for (CertificateLedger.Ended each : ended) {
      Reason reason =
          each.end() == CertificateLedger.End.REVOKED ? Reason.UNSPECIFIED : Reason.SUPERSEDED;
      put(each.certificate(), new Status.Revoked(each.at(), reason), now);
    }
    for (IssuedCertificate each : identity.certificates()) {
      put(each, status(identity), now);
    }
    @Nullable List<String> before = serialsOf.put(identity.agentId(), now);
    if (before != null) {
      before.stream().filter(serial -> !now.contains(serial)).forEach(bySerial::remove);
    }
  }

  private void put(IssuedCertificate certificate, Status status, List<String> serials) {
    bySerial.put(
        certificate.serial(),
        new Known(certificate.issuer(), Optional.of(certificate.expiresAt()), status));
    serials.add(certificate.serial());
  }

  private static Status status(AgentIdentity identity) {
    return switch (identity.state()) {
      case ACTIVE -> new Status.Good();
      case FROZEN -> new Status.Revoked(identity.since(), Reason.KEY_COMPROMISE);
      case REVOKED -> new Status.Revoked(identity.since(), Reason.UNSPECIFIED);
    };
  }

  /** A certificate that is not in the journal was revoked. */
  void show(CertificateEvent.SerialRevoked revoked) {
    bySerial.put(
        revoked.serial(),
        new Known("", Optional.empty(), new Status.Revoked(revoked.at(), Reason.UNSPECIFIED)));
  }

  /** Everything up to this revision was shown. */
  void shown(long revision) {
    this.revision = revision;
    complete = true;
  }

  @Override
  public Status status(X500Principal issuer, BigInteger serial) {
    requireComplete();
    @Nullable Known known = bySerial.get(SerialNumbers.hex(serial));
    return known == null || !known.isBy(issuer) ? new Status.Unknown() : known.status();
  }

  @Override
  public List<Entry> revoked(X500Principal issuer) {
    requireComplete();
    Instant now = clock.instant();
    List<Entry> revoked = new ArrayList<>();
    bySerial.forEach(
        (serial, known) -> {
          if (known.status() instanceof Status.Revoked entry
              && known.isBy(issuer)
              && !known.isOver(now)) {
            revoked.add(new Entry(new BigInteger(serial, 16), entry.at(), entry.reason()));
          }
        });
    return revoked;
  }

  @Override
  public long revision() {
    requireComplete();
    return revision;
  }

  private void requireComplete() {
    if (!complete) {
      throw new IllegalStateException("the journal of certificates has not been read yet");
    }
  }
}
