package coral.discovery;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who may announce which mesh id, and what was announced. An announcement lives for a time; the
 * mesh id stays with its owner for longer, so that a colony that was away for a week finds its name
 * free. Knows neither clock nor disk.
 *
 * <p>The owner is who holds the first key that was shown together with the colony's secret: at the
 * registration that claimed the id, or, for a colony that is older than such keys, at the first
 * registration that shows one and the current secret. Until then the secret alone owns the id.
 */
final class ColonyDirectory {
  private final Map<ColonyId, ColonyEntry> entries = new HashMap<>();
  private final int maxColonies;
  private final Duration lifetime;
  private final Retention retention;

  /**
   * An empty directory.
   *
   * @param maxColonies mesh ids held at once, expired ones included
   * @param lifetime of an announcement
   * @param retention of a mesh id's ownership
   */
  ColonyDirectory(int maxColonies, Duration lifetime, Retention retention) {
    this.maxColonies = maxColonies;
    this.lifetime = lifetime;
    this.retention = retention;
  }

  /** Another directory that holds the same. */
  ColonyDirectory copy() {
    ColonyDirectory copy = new ColonyDirectory(maxColonies, lifetime, retention);
    copy.entries.putAll(entries);
    return copy;
  }

  Duration lifetime() {
    return lifetime;
  }

  /** What is held of a mesh id that somebody owns, be it announced at present or not. */
  Optional<ColonyEntry> owned(ColonyId meshId, Instant now) {
    return Optional.ofNullable(entries.get(meshId))
        .filter(entry -> now.isBefore(retention.end(entry)));
  }

  /** The hashes of the secrets of a mesh id that hold now; none if nobody owns it. */
  List<String> secrets(ColonyId meshId, Instant now) {
    return owned(meshId, now).map(entry -> entry.secrets().hashes(now)).orElse(List.of());
  }

  /** Whether another mesh id can be held. */
  boolean hasRoom(ColonyId meshId) {
    return entries.containsKey(meshId) || entries.size() < maxColonies;
  }

  /**
   * Requires that a request was made by the owner of the mesh id, if it has shown a key.
   *
   * @param claim empty if the request was not signed
   * @throws RefusedException as {@link Owner#require}
   */
  void requireOwner(ColonyId meshId, Optional<OwnerClaim> claim, Instant now) {
    owned(meshId, now).flatMap(ColonyEntry::owner).ifPresent(owner -> owner.require(meshId, claim));
  }

  /**
   * The entry that an announcement makes; changes nothing.
   *
   * @param secretHash of a secret that has been found to be the colony's, or of a first one
   * @param claim empty if the announcement was not signed
   * @throws RefusedException LIMIT_REACHED, MESH_ID_TAKEN if the id has another owner, or
   *     FAILED_PRECONDITION for an announcement that is not newer than the last
   */
  ColonyEntry announce(
      Announcement announcement, String secretHash, Optional<OwnerClaim> claim, Instant now) {
    Optional<ColonyEntry> before = owned(announcement.meshId(), now);
    requireOwner(announcement.meshId(), claim, now);
    if (before.isPresent() && !before.get().secrets().hashes(now).contains(secretHash)) {
      throw new RefusedException(
          Failure.MESH_ID_TAKEN,
          "the mesh id " + announcement.meshId() + " belongs to another colony secret");
    }
    if (!hasRoom(announcement.meshId())) {
      throw new RefusedException(
          Failure.LIMIT_REACHED, "this directory holds " + maxColonies + " colonies, its limit");
    }
    return new ColonyEntry(
        announcement,
        before.map(entry -> entry.secrets().at(now)).orElse(ColonySecrets.of(secretHash)),
        claim.flatMap(shown -> owner(before, secretHash, shown, now)),
        now,
        now.plus(lifetime),
        before.map(ColonyEntry::ownedSince).orElse(now));
  }

  /** A former secret, which may be the one that was given away, makes nobody the owner. */
  private static Optional<Owner> owner(
      Optional<ColonyEntry> before, String secretHash, OwnerClaim claim, Instant now) {
    Optional<Owner> known = before.flatMap(ColonyEntry::owner);
    if (known.isPresent()) {
      return known.map(owner -> owner.after(claim));
    }
    return before.isEmpty() || before.get().secrets().current().equals(secretHash)
        ? Optional.of(new Owner(claim.key(), claim.sequence(), now))
        : Optional.empty();
  }

  /**
   * The entry that a rotation of the secret makes; changes nothing. Only the current secret can be
   * replaced by another: the former one may be what was given away.
   *
   * @param proven hash of the secret that was shown
   * @param next hash of the new secret
   * @param grace how long the current secret holds on
   * @param claim empty if the request was not signed
   * @throws RefusedException UNAUTHENTICATED if the secret shown has ceased to hold, MESH_ID_TAKEN
   *     if the id has another owner, FAILED_PRECONDITION if the secret is the former one or the
   *     request is not newer than the last
   */
  ColonyEntry rotate(
      ColonyId meshId,
      String proven,
      String next,
      Duration grace,
      Optional<OwnerClaim> claim,
      Instant now) {
    requireOwner(meshId, claim, now);
    ColonyEntry entry =
        owned(meshId, now)
            .filter(held -> held.secrets().hashes(now).contains(proven))
            .orElseThrow(
                () -> new RefusedException(Failure.UNAUTHENTICATED, "the secret was replaced"));
    ColonySecrets secrets = entry.secrets();
    Optional<Owner> owner = entry.owner().flatMap(known -> claim.map(known::after));
    if (secrets.current().equals(next)) {
      return entry.with(secrets, owner); // done before: the answer was lost
    }
    if (!secrets.current().equals(proven)) {
      throw new RefusedException(
          Failure.FAILED_PRECONDITION,
          "this secret was replaced and cannot replace another: use the current one");
    }
    return entry.with(secrets.rotated(next, now.plus(grace)), owner);
  }

  /** Holds an entry; gives back what it replaces. */
  @Nullable ColonyEntry put(ColonyEntry entry) {
    return entries.put(entry.announcement().meshId(), entry);
  }

  /** Lets go of a mesh id; gives back what was held of it. */
  @Nullable ColonyEntry remove(ColonyId meshId) {
    return entries.remove(meshId);
  }

  /** Takes a change back. */
  void restore(ColonyId meshId, @Nullable ColonyEntry before) {
    if (before == null) {
      entries.remove(meshId);
    } else {
      entries.put(meshId, before);
    }
  }

  /** What was announced and has not expired. */
  Optional<ColonyEntry> lookup(ColonyId meshId, Instant now) {
    return Optional.ofNullable(entries.get(meshId)).filter(entry -> isLive(entry, now));
  }

  /** Everything that is held, in the order of the mesh ids. */
  List<ColonyEntry> all() {
    return entries.values().stream()
        .sorted(Comparator.comparing(entry -> entry.announcement().meshId().value()))
        .toList();
  }

  /** How many announcements have not expired. */
  int live(Instant now) {
    return (int) entries.values().stream().filter(entry -> isLive(entry, now)).count();
  }

  /** Mesh ids whose ownership has ended. */
  List<ColonyId> abandoned(Instant now) {
    return entries.values().stream()
        .filter(entry -> !now.isBefore(retention.end(entry)))
        .map(entry -> entry.announcement().meshId())
        .toList();
  }

  void remove(Collection<ColonyId> meshIds) {
    entries.keySet().removeAll(meshIds);
  }

  private static boolean isLive(ColonyEntry entry, Instant now) {
    return now.isBefore(entry.expiresAt());
  }
}
