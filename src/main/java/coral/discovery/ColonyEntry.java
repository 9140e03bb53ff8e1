package coral.discovery;

import java.time.Instant;

/**
 * What the directory holds about one mesh id.
 *
 * @param secretHash of the secret that owns the id, as {@link SecretHash} writes it
 * @param lastSeen when it was last announced
 * @param expiresAt until when it can be looked up; ownership goes on
 * @param ownedSince when its owner announced it first
 */
record ColonyEntry(
    Announcement announcement,
    String secretHash,
    Instant lastSeen,
    Instant expiresAt,
    Instant ownedSince) {}
