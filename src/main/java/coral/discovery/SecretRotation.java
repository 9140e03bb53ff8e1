package coral.discovery;

import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.AuditSink;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.model.Secret;
import coral.rpc.FailureStatus;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Gives a colony another secret. To ask again is safe: who shows a new secret that is the current
 * one already has done it, whatever became of the answer and of the old secret.
 */
final class SecretRotation {
  private final DirectoryQueries directory;
  private final SecretCheck secrets;
  private final DiscoveryLimits limits;
  private final AuditSink audit;
  private final InstantSource clock;

  SecretRotation(
      DirectoryQueries directory,
      SecretCheck secrets,
      DiscoveryLimits limits,
      AuditSink audit,
      InstantSource clock) {
    this.directory = directory;
    this.secrets = secrets;
    this.limits = limits;
    this.audit = audit;
    this.clock = clock;
  }

  /**
   * Rotates.
   *
   * @param grace how long the present secret holds on
   * @param claim empty if nobody has signed the request
   * @return when the former secret ends, now if there is none; fails with MESH_ID_TAKEN if the
   *     colony has an owner who did not sign, with UNAUTHENTICATED for a wrong secret or an unknown
   *     mesh id
   * @throws coral.rpc.RateLimitedException if the source, or all together, came too often
   */
  CompletionStage<Instant> rotate(
      ColonyId meshId,
      Secret present,
      Secret next,
      Duration grace,
      Optional<OwnerClaim> claim,
      InetAddress source) {
    return directory
        .owned(meshId)
        .thenCompose(
            entry -> {
              requireOwner(entry, claim, source);
              List<String> hashes = hashes(entry);
              return secrets
                  .match(meshId, present, hashes, source)
                  .thenCompose(
                      proven ->
                          proven.isPresent() && entry.isPresent()
                              ? replace(entry.get(), proven.get(), next, grace, claim)
                              : confirm(meshId, entry, next, source));
            })
        .whenComplete((ends, failure) -> tell(meshId, source, ends, failure));
  }

  /** Before any hash is computed; the directory decides on what holds then. */
  private void requireOwner(
      Optional<ColonyEntry> entry, Optional<OwnerClaim> claim, InetAddress source) {
    if (entry.isEmpty() || entry.get().owner().isEmpty()) {
      return;
    }
    try {
      entry.get().owner().get().require(entry.get().announcement().meshId(), claim);
    } catch (RefusedException e) {
      limits.unproven(source);
      throw e;
    }
  }

  private List<String> hashes(Optional<ColonyEntry> entry) {
    return entry.map(held -> held.secrets().hashes(clock.instant())).orElse(List.of());
  }

  private CompletionStage<Instant> replace(
      ColonyEntry entry, String proven, Secret next, Duration grace, Optional<OwnerClaim> claim) {
    ColonyId meshId = entry.announcement().meshId();
    return secrets
        .next(meshId, next, entry.secrets().current())
        .thenCompose(hash -> directory.rotate(meshId, proven, hash, grace, claim))
        .thenApply(this::formerEndsAt);
  }

  /** The old secret proves nothing any more, or never did: the new one may. */
  private CompletionStage<Instant> confirm(
      ColonyId meshId, Optional<ColonyEntry> entry, Secret next, InetAddress source) {
    List<String> current = entry.map(held -> List.of(held.secrets().current())).orElse(List.of());
    return secrets
        .match(meshId, next, current, source)
        .thenApply(
            proven -> {
              if (proven.isEmpty() || entry.isEmpty()) {
                throw wrong();
              }
              return formerEndsAt(entry.get().secrets());
            });
  }

  /** What a wrong secret and an unknown mesh id are both told. */
  static RefusedException wrong() {
    return new RefusedException(
        Failure.UNAUTHENTICATED, "no colony has this id and this secret: compare both");
  }

  private Instant formerEndsAt(ColonySecrets secrets) {
    Instant now = clock.instant();
    return secrets.at(now).former().map(ColonySecrets.Former::endsAt).orElse(now);
  }

  private void tell(
      ColonyId meshId, InetAddress source, @Nullable Instant ends, @Nullable Throwable failure) {
    AuditEvent event =
        AuditEvent.of(failure == null ? Kind.SECRET_ROTATED : Kind.SECRET_REFUSED)
            .by(AuditEvent.ANYONE)
            .about(meshId.value())
            .from(source);
    audit.record(
        event.detail(
            failure == null
                ? "the former secret ends at " + ends
                : String.valueOf(FailureStatus.unwrap(failure).getMessage())));
  }
}
