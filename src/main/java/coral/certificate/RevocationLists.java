package coral.certificate;

import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The revocation lists of an authority, one for each of its issuers whose key is within reach.
 * Thread-safe. A list is signed again when its content changes, and when it is an hour old: to ask
 * often costs nothing.
 */
public final class RevocationLists {
  /** A small part of its life: what is served is good for most of a day still. */
  private static final Duration KEPT = Duration.ofHours(1);

  private record Signed(RevocationList list, long revision) {}

  private final Authority authority;
  private final RevocationSource source;
  private final InstantSource clock;

  /** Guarded by this. */
  private final Map<X509Certificate, Signed> signed = new HashMap<>();

  /** Lists of what an authority has issued, as a source knows it. */
  public RevocationLists(Authority authority, RevocationSource source, InstantSource clock) {
    this.authority = authority;
    this.source = source;
    this.clock = clock;
  }

  /**
   * The list of every issuer, roots included, that has not ended.
   *
   * @throws IllegalStateException if the source knows nothing yet
   */
  public List<RevocationList> all() {
    return authority.issuers().stream().map(this::of).toList();
  }

  /**
   * The list of one issuer; empty if it is none of this authority, or its key is out of reach.
   *
   * @throws IllegalStateException if the source knows nothing yet
   */
  public Optional<RevocationList> of(X509Certificate issuer) {
    return authority.issuers().stream()
        .filter(known -> known.certificate().equals(issuer))
        .findFirst()
        .map(this::of);
  }

  private synchronized RevocationList of(Issuer issuer) {
    Instant now = clock.instant();
    // Asked first: what changes after this is in the next list, under a higher number.
    long revision = source.revision();
    @Nullable Signed last = signed.get(issuer.certificate());
    if (last != null
        && last.revision() == revision
        && now.isBefore(last.list().thisUpdate().plus(KEPT))
        && !now.isBefore(last.list().thisUpdate())) {
      return last.list();
    }
    List<RevocationSource.Entry> revoked =
        source.revoked(issuer.certificate().getSubjectX500Principal());
    RevocationList list = RevocationList.of(issuer, revoked, revision, now);
    signed.put(issuer.certificate(), new Signed(list, revision));
    signed.keySet().removeIf(known -> now.isAfter(known.getNotAfter().toInstant()));
    return list;
  }
}
