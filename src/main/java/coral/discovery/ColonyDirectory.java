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

  /** The hash of the secret that owns a mesh id; empty if nobody does. */
  Optional<String> owner(ColonyId meshId, Instant now) {
    return Optional.ofNullable(entries.get(meshId))
        .filter(entry -> now.isBefore(retention.end(entry)))
        .map(ColonyEntry::secretHash);
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
    Optional<String> owner = owner(announcement.meshId(), now);
    if (owner.isPresent() && !owner.get().equals(secretHash)) {
      throw new RefusedException(
          Failure.MESH_ID_TAKEN,
          "the mesh id " + announcement.meshId() + " belongs to another colony secret");
    }
    if (!hasRoom(announcement.meshId())) {
      throw new RefusedException(
          Failure.LIMIT_REACHED, "this directory holds " + maxColonies + " colonies, its limit");
    }
    ColonyEntry before = entries.get(announcement.meshId());
    Instant ownedSince = owner.isPresent() && before != null ? before.ownedSince() : now;
    return new ColonyEntry(announcement, secretHash, now, now.plus(lifetime), ownedSince);
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
