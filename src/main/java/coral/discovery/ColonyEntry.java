package coral.discovery;

import java.time.Instant;

/**
 * What the directory holds about one mesh id.
 *
 * @param secrets that own the id
 * @param lastSeen when it was last announced
 * @param expiresAt until when it can be looked up; ownership goes on
 * @param ownedSince when its owner announced it first
 */
record ColonyEntry(
    Announcement announcement,
    ColonySecrets secrets,
    Instant lastSeen,
    Instant expiresAt,
    Instant ownedSince) {
  /** The same with other secrets. */
  ColonyEntry with(ColonySecrets other) {
    return new ColonyEntry(announcement, other, lastSeen, expiresAt, ownedSince);
  }
}
