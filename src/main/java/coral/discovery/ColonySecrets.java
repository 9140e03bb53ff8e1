package coral.discovery;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The secrets of a colony, as {@link SecretHash} writes them.
 *
 * @param current the one in use
 * @param former the one before it, which holds for a while after a rotation
 */
record ColonySecrets(String current, Optional<Former> former) {
  /**
   * A secret that was replaced.
   *
   * @param endsAt from when it proves nothing any more
   */
  record Former(String hash, Instant endsAt) {}

  /** One secret. */
  static ColonySecrets of(String current) {
    return new ColonySecrets(current, Optional.empty());
  }

  /** What holds at a time, without what has ended. */
  ColonySecrets at(Instant now) {
    return new ColonySecrets(current, former.filter(before -> now.isBefore(before.endsAt())));
  }

  /** The hashes that hold at a time, the current one first. */
  List<String> hashes(Instant now) {
    return at(now).former.map(before -> List.of(current, before.hash())).orElse(List.of(current));
  }

  /** Another secret is the current one; the present one holds until {@code formerEndsAt}. */
  ColonySecrets rotated(String next, Instant formerEndsAt) {
    return new ColonySecrets(next, Optional.of(new Former(current, formerEndsAt)));
  }
}
