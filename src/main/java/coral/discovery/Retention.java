package coral.discovery;

import java.time.Duration;
import java.time.Instant;

/**
 * How long a mesh id stays with its owner after its last announcement expired. Who announced it
 * only briefly keeps it briefly: otherwise a stranger could fill the directory in an afternoon and
 * keep it full for a month.
 *
 * @param brief of an id that was not announced for long enough
 * @param establishedAfter from the first announcement to the last, to have been long enough
 * @param established of any other id
 */
record Retention(Duration brief, Duration establishedAfter, Duration established) {
  /** When the ownership ends unless there is another announcement. */
  Instant end(ColonyEntry entry) {
    Duration announced = Duration.between(entry.ownedSince(), entry.lastSeen());
    return entry.expiresAt().plus(announced.compareTo(establishedAfter) < 0 ? brief : established);
  }
}
