package coral.discovery;

import coral.model.ColonyId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * What was decided and is not durable yet, in the order of the decisions. One batch is written at a
 * time; what is decided meanwhile waits for the next, and rests on it: if a write fails, everything
 * that waits is taken back with it.
 */
final class PendingWrites {
  /** DuckDB needs more than its 512 MB for a transaction of thousands of rows with a key. */
  static final int MAX_BATCH = 500;

  /**
   * A change, and the answer that waits for it.
   *
   * @param entry what is held then; null if the mesh id is let go of
   * @param before what was held before it
   */
  record Change(
      ColonyId meshId,
      @Nullable ColonyEntry entry,
      @Nullable ColonyEntry before,
      Directory.Reply answer,
      ActorRef<Directory.Reply> replyTo) {}

  /** What to write in one transaction. */
  record Batch(List<ColonyEntry> entries, List<ColonyId> removed) {}

  /** What has been decided: the next decision rests on it. */
  private final ColonyDirectory decided;

  /** What has been written: this is what is found. */
  private final ColonyDirectory durable;

  private List<Change> queued = new ArrayList<>();
  private List<Change> inFlight = List.of();
  private List<ColonyId> abandoned = List.of();
  private boolean writing;

  /**
   * Nothing is pending yet.
   *
   * @param decided with what the store holds
   */
  PendingWrites(ColonyDirectory decided) {
    this.decided = decided;
    this.durable = decided.copy();
  }

  /** What has been decided. */
  ColonyDirectory decided() {
    return decided;
  }

  /** What has been written. */
  ColonyDirectory durable() {
    return durable;
  }

  /** Holds an entry. */
  void put(ColonyEntry entry, Directory.Reply answer, ActorRef<Directory.Reply> replyTo) {
    ColonyId meshId = entry.announcement().meshId();
    queued.add(new Change(meshId, entry, decided.put(entry), answer, replyTo));
  }

  /** Lets go of a mesh id. */
  void forget(ColonyId meshId, Directory.Reply answer, ActorRef<Directory.Reply> replyTo) {
    queued.add(new Change(meshId, null, decided.remove(meshId), answer, replyTo));
  }

  /** Lets go of what nobody owns any more; nobody waits for it. */
  void prune(Instant now) {
    List<ColonyId> ended = decided.abandoned(now);
    decided.remove(ended);
    durable.remove(ended);
    List<ColonyId> all = new ArrayList<>(abandoned);
    all.addAll(ended);
    abandoned = List.copyOf(all);
  }

  /** What to write now; empty if there is nothing, or the last batch is not written yet. */
  Optional<Batch> next(Instant now) {
    if (writing || (queued.isEmpty() && abandoned.isEmpty())) {
      return Optional.empty();
    }
    writing = true;
    int count = Math.min(queued.size(), MAX_BATCH);
    inFlight = List.copyOf(queued.subList(0, count));
    queued = new ArrayList<>(queued.subList(count, queued.size()));
    Map<ColonyId, Optional<ColonyEntry>> last = new LinkedHashMap<>();
    inFlight.forEach(change -> last.put(change.meshId(), Optional.ofNullable(change.entry())));
    List<ColonyEntry> entries = new ArrayList<>();
    List<ColonyId> removed = new ArrayList<>();
    last.forEach((meshId, entry) -> entry.ifPresentOrElse(entries::add, () -> removed.add(meshId)));
    int ended = Math.min(abandoned.size(), MAX_BATCH);
    abandoned.subList(0, ended).stream()
        .filter(id -> !last.containsKey(id) && decided.owned(id, now).isEmpty()) // not claimed anew
        .forEach(removed::add);
    abandoned = List.copyOf(abandoned.subList(ended, abandoned.size()));
    return Optional.of(new Batch(List.copyOf(entries), List.copyOf(removed)));
  }

  /** The batch is durable: what to answer. */
  List<Change> written() {
    writing = false;
    List<Change> done = inFlight;
    inFlight = List.of();
    for (Change change : done) {
      if (change.entry() == null) {
        durable.remove(change.meshId());
      } else {
        durable.put(change.entry());
      }
    }
    return done;
  }

  /** The batch was not written: what to refuse, the last decision first. */
  List<Change> failed() {
    writing = false;
    List<Change> all = new ArrayList<>(inFlight);
    all.addAll(queued);
    inFlight = List.of();
    queued = new ArrayList<>();
    List<Change> failed = new ArrayList<>();
    for (int i = all.size() - 1; i >= 0; i--) {
      Change change = all.get(i);
      decided.restore(change.meshId(), change.before());
      failed.add(change);
    }
    return failed;
  }
}
