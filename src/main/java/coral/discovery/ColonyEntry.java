package coral.discovery;

import java.time.Instant;
import java.util.Optional;

/**
 * What the directory holds about one mesh id.
 *
 * @param secrets that registration tokens are sold for
 * @param owner empty for a colony that has shown no key yet; then its secrets own the id
 * @param lastSeen when it was last announced
 * @param expiresAt until when it can be looked up; ownership goes on
 * @param ownedSince when its owner announced it first
 */
record ColonyEntry(
    Announcement announcement,
    ColonySecrets secrets,
    Optional<Owner> owner,
    Instant lastSeen,
    Instant expiresAt,
    Instant ownedSince) {
  /** The same with other secrets, as its owner wants it. */
  ColonyEntry with(ColonySecrets others, Optional<Owner> as) {
    return new ColonyEntry(announcement, others, as, lastSeen, expiresAt, ownedSince);
  }
}
