package coral.discovery;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Who may announce which mesh id, and what was announced. An announcement lives for a time; the
 * mesh id stays with its secret for longer, so that a colony that was away for a week finds its
 * name free. Knows neither clock nor disk.
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

  /** The hashes of the secrets that own a mesh id now; none if nobody does. */
  List<String> owners(ColonyId meshId, Instant now) {
    return owned(meshId, now).map(entry -> entry.secrets().hashes(now)).orElse(List.of());
  }

  /** Whether another mesh id can be held. */
  boolean hasRoom(ColonyId meshId) {
    return entries.containsKey(meshId) || entries.size() < maxColonies;
  }

  /**
   * The entry that an announcement makes; changes nothing.
   *
   * @param secretHash of a secret that has been found to own the mesh id, or of a first one
   * @throws RefusedException LIMIT_REACHED, or MESH_ID_TAKEN if the id has another owner
   */
  ColonyEntry announce(Announcement announcement, String secretHash, Instant now) {
    Optional<ColonyEntry> before = owned(announcement.meshId(), now);
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
        now,
        now.plus(lifetime),
        before.map(ColonyEntry::ownedSince).orElse(now));
  }

  /**
   * The entry that a rotation of the secret makes; changes nothing. Only the current secret can be
   * replaced by another: the former one may be what was given away.
   *
   * @param proven hash of the secret that was shown
   * @param next hash of the new secret
   * @param grace how long the current secret holds on
   * @throws RefusedException UNAUTHENTICATED if the secret shown has ceased to hold,
   *     FAILED_PRECONDITION if it is the former one
   */
  ColonyEntry rotate(ColonyId meshId, String proven, String next, Duration grace, Instant now) {
    ColonyEntry entry =
        owned(meshId, now)
            .filter(held -> held.secrets().hashes(now).contains(proven))
            .orElseThrow(
                () -> new RefusedException(Failure.UNAUTHENTICATED, "the secret was replaced"));
    ColonySecrets secrets = entry.secrets();
    if (secrets.current().equals(next)) {
      return entry; // done before: the answer was lost
    }
    if (!secrets.current().equals(proven)) {
      throw new RefusedException(
          Failure.FAILED_PRECONDITION,
          "this secret was replaced and cannot replace another: use the current one");
    }
    return entry.with(secrets.rotated(next, now.plus(grace)));
  }

  /** Holds an entry; gives back what it replaces. */
  @Nullable ColonyEntry put(ColonyEntry entry) {
    return entries.put(entry.announcement().meshId(), entry);
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
