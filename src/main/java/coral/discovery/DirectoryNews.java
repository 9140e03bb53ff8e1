package coral.discovery;

import coral.model.ColonyId;
import java.util.Optional;
import org.slf4j.Logger;

/**
 * What the directory tells people in its log. What strangers can cause is counted, and told
 * together.
 */
final class DirectoryNews {
  private final Logger log;
  private int wrongClaims;

  DirectoryNews(Logger log) {
    this.log = log;
  }

  /** Somebody other than its owner claimed a mesh id. */
  void wrongClaim(ColonyId meshId) {
    wrongClaims++;
    log.debug("The mesh id {} was claimed by somebody else", meshId);
  }

  /** Tells what was counted since the last time. */
  void report() {
    if (wrongClaims > 0) {
      log.warn("{} claims of mesh ids by others than their owners were refused", wrongClaims);
      wrongClaims = 0;
    }
  }

  /** Tells of a change that somebody should look at: it happens once in a colony's life. */
  void tell(PendingWrites.Change change) {
    Optional<ColonyEntry> before = Optional.ofNullable(change.before());
    Optional<Owner> owner = Optional.ofNullable(change.entry()).flatMap(ColonyEntry::owner);
    if (change.entry() == null) {
      log.warn("The mesh id {} is forgotten, and free for whoever comes first", change.meshId());
    } else if (owner.isPresent() && before.isPresent() && before.get().owner().isEmpty()) {
      log.warn(
          "The mesh id {}, so far that of everybody who has its secret, belongs to the owner key {}"
              + " from now on: compare it with the one in the colony's log",
          change.meshId(),
          owner.get().key());
    }
  }
}
