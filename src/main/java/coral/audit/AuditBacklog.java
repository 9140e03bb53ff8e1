package coral.audit;

import coral.model.AuditEvent.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * How much may be recorded, and waits to be. Strangers cause refusals, as many as they like, and
 * records are kept for ever: so of each kind of refusal there is one record in a second, after a
 * reserve that is enough for what people do wrong. The others are counted. Thread-safe.
 */
public final class AuditBacklog {
  /** Refusals of one kind that are recorded at once. */
  static final int REFUSAL_RESERVE = 500;

  /** What a reserve grows by one in: a flood of a day takes some tens of megabytes of disk. */
  static final Duration REFUSAL_INTERVAL = Duration.ofSeconds(1);

  /** Everything that waits; what was done finds room where refusals do not. */
  static final int MAX_EVENTS = 30_000;

  /** Refusals find room while not more waits than this. */
  static final int MAX_BEFORE_REFUSALS = 10_000;

  private final InstantSource clock;
  private final AtomicInteger events = new AtomicInteger();
  private final AtomicLong refusalsNotRecorded = new AtomicLong();
  private final LongAdder allRefusalsNotRecorded = new LongAdder();

  /** When each kind's reserve will be full again. */
  private final Map<Kind, Instant> full = new EnumMap<>(Kind.class);

  public AuditBacklog(InstantSource clock) {
    this.clock = clock;
  }

  /** Takes the place of one event; false if there is none left for its kind. */
  boolean enter(Kind kind) {
    if (kind.isRefusal() && !mayRecord(kind)) {
      notRecorded();
      return false;
    }
    int limit = kind.isRefusal() ? MAX_BEFORE_REFUSALS : MAX_EVENTS;
    if (events.incrementAndGet() <= limit) {
      return true;
    }
    events.decrementAndGet();
    if (kind.isRefusal()) {
      notRecorded();
    }
    return false;
  }

  private void notRecorded() {
    refusalsNotRecorded.incrementAndGet();
    allRefusalsNotRecorded.increment();
  }

  private synchronized boolean mayRecord(Kind kind) {
    Instant now = clock.instant();
    Instant before = full.getOrDefault(kind, now);
    Instant taken = (before.isBefore(now) ? now : before).plus(REFUSAL_INTERVAL);
    // A clock that was set back far is no reason to record nothing until it has caught up.
    Instant emptyAt = now.plus(REFUSAL_INTERVAL.multipliedBy(REFUSAL_RESERVE));
    if (before.isAfter(emptyAt)) {
      full.put(kind, emptyAt);
      return false;
    }
    if (taken.isAfter(emptyAt)) {
      return false;
    }
    full.put(kind, taken);
    return true;
  }

  /** How many events wait to be recorded. */
  public int waiting() {
    return events.get();
  }

  /** The refusals that found no place, and of which only the number is recorded. */
  public long refusalsNotRecorded() {
    return allRefusalsNotRecorded.sum();
  }

  /** Gives a place back. */
  void leave() {
    events.decrementAndGet();
  }

  /** The refusals that found no place since the last time that this was asked. */
  long takeRefusalsNotRecorded() {
    return refusalsNotRecorded.getAndSet(0);
  }

  boolean hasRefusalsNotRecorded() {
    return refusalsNotRecorded.get() > 0;
  }

  /** Counts again what was taken and not recorded after all. */
  void putBack(long refusals) {
    refusalsNotRecorded.addAndGet(refusals);
  }
}
