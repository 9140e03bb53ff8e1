package coral.audit;

import coral.model.AuditEvent;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * The one writer of the log of a colony. What gathers while a write is in flight is written
 * together in the next. After a write that failed it reads again what there is, so that nothing is
 * recorded twice when the write had reached the disk after all, and nothing is lost that somebody
 * was not told of.
 */
public final class AuditLog extends AbstractBehavior<AuditLog.Command> {
  /** What the log is asked. */
  public sealed interface Command {}

  /** What waits for the next write. */
  sealed interface Entry extends Command {}

  /**
   * Record an event that has its place in the {@link AuditBacklog}.
   *
   * @param replyTo gets {@link Recorded} when it is on disk, or {@link Refusal} with
   *     STORE_UNAVAILABLE; without it the event waits until the store is there again
   */
  record Append(AuditEvent event, Instant at, Optional<ActorRef<Reply>> replyTo) implements Entry {}

  /**
   * Record what events of a journal mean, once: those that have been recorded are passed over.
   *
   * @param events follow each other
   * @param replyTo gets {@link Recorded} when all are on disk, or {@link Refusal}: with
   *     STORE_UNAVAILABLE, or with INTERNAL when an event before them has not been recorded
   */
  public record AppendJournaled(
      String journal, List<JournaledEvent> events, ActorRef<Reply> replyTo) implements Entry {
    public AppendJournaled {
      events = List.copyOf(events);
    }
  }

  /**
   * Say when everything that came before is on disk.
   *
   * @param replyTo gets {@link Recorded} or {@link Refusal} with STORE_UNAVAILABLE
   */
  public record Flush(ActorRef<Reply> replyTo) implements Entry {}

  /**
   * Up to which event a journal has been recorded.
   *
   * @param replyTo gets {@link Position} or {@link Refusal} with STORE_UNAVAILABLE
   */
  public record FindPosition(String journal, ActorRef<Reply> replyTo) implements Command {}

  /**
   * Wait until there are more records than these.
   *
   * @param atMost the longest wait
   * @param replyTo gets {@link Reached}, also when nothing came, or {@link Refusal} with
   *     LIMIT_REACHED when too many wait
   */
  public record Await(long after, Duration atMost, ActorRef<Reply> replyTo) implements Command {}

  private record HasRead(AuditStore.@Nullable Contents contents, @Nullable Throwable failure)
      implements Command {}

  private record HasWritten(@Nullable Throwable failure) implements Command {}

  /** The time of one that waits has come. */
  record WaitIsOver(Await await) implements Command {}

  /** The records of past hours are signed: a time to write what is not urgent. */
  record Sealed() implements Command {}

  private enum Timer implements Command {
    READ
  }

  /** What the log answers. */
  public sealed interface Reply {}

  /** It is on disk. */
  public record Recorded() implements Reply {}

  /** The last event of a journal that has been recorded; 0 if none. */
  public record Position(long sequenceNumber) implements Reply {}

  /** How many records there are now. */
  public record Reached(long length) implements Reply {}

  /** It was not recorded, or, for STORE_UNAVAILABLE, that is not known. */
  public record Refusal(Refused refused) implements Reply {}

  /** How much of the end of the chain is verified before it goes on. */
  static final int VERIFIED_AT_START = 1_000;

  private static final Duration MIN_BACK_OFF = Duration.ofMillis(200);
  private static final Duration MAX_BACK_OFF = Duration.ofSeconds(10);

  private final TimerScheduler<Command> timers;
  private final AuditStore store;
  private final ActorRef<RootSealer.Command> sealer;
  private final InstantSource clock;
  private final Disk disk;
  private final PendingWrites writes;
  private final Consumer<AuditRecord> recorded;
  private final Map<String, Long> journals = new HashMap<>();
  private final List<FindPosition> askedForPosition = new ArrayList<>();
  private final RecordWaiters waiters;

  /** Null while what is in the store is not known. */
  private @Nullable AuditChain chain;

  /** Why nothing can be recorded now; null while that is possible or not yet known. */
  private @Nullable Refused unavailable;

  private Duration backOff = MIN_BACK_OFF;

  /**
   * The log in one store. Whoever sends {@link FindPosition} first hears whether it is in order: if
   * its last records do not verify, everything is refused for good.
   *
   * @param blocking runs what waits for the disk
   * @param backlog that of the {@link AuditQueue} in front
   * @param recorded hears of records that are on disk, each once since this log was started; must
   *     not block
   */
  public static Behavior<Command> create(
      AuditStore store,
      ColonyId colony,
      AuditSigner signer,
      InstantSource clock,
      Executor blocking,
      AuditBacklog backlog,
      Consumer<AuditRecord> recorded) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new AuditLog(
                        context,
                        timers,
                        store,
                        new RootSealing(store, colony, signer),
                        clock,
                        new Disk(blocking),
                        backlog,
                        recorded)));
  }

  private AuditLog(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      AuditStore store,
      RootSealing sealing,
      InstantSource clock,
      Disk disk,
      AuditBacklog backlog,
      Consumer<AuditRecord> recorded) {
    super(context);
    this.timers = timers;
    this.store = store;
    this.clock = clock;
    this.disk = disk;
    this.writes = new PendingWrites(backlog);
    this.recorded = recorded;
    this.waiters = new RecordWaiters(timers);
    this.sealer =
        context.spawn(RootSealer.create(sealing, clock, disk, context.getSelf()), "root-sealer");
    read();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Entry.class, this::onEntry)
        .onMessage(FindPosition.class, this::onFindPosition)
        .onMessage(Await.class, this::onAwait)
        .onMessage(WaitIsOver.class, this::onWaitIsOver)
        .onMessage(HasRead.class, this::onHasRead)
        .onMessage(HasWritten.class, this::onHasWritten)
        .onMessage(Sealed.class, this::onSealed)
        .onMessageEquals(Timer.READ, this::read)
        .build();
  }

  // What is recorded

  private Behavior<Command> onEntry(Entry entry) {
    if (unavailable != null && PendingWrites.asks(entry)) {
      writes.refuse(entry, unavailable);
    } else {
      writes.add(entry);
      write();
    }
    return this;
  }

  private void write() {
    if (chain != null) {
      writes.begin(chain, journals, clock.instant()).ifPresent(this::write);
    }
  }

  private void write(WriteAttempt attempt) {
    if (attempt.records().isEmpty() && attempt.journals().isEmpty()) {
      succeed(attempt);
      return;
    }
    getContext()
        .pipeToSelf(
            disk.call(
                () -> {
                  store.append(attempt.records(), attempt.journals());
                  return Done.getInstance();
                }),
            (done, failure) -> new HasWritten(failure));
  }

  private Behavior<Command> onHasWritten(HasWritten result) {
    writes.underWay().ifPresent(attempt -> onWritten(attempt, result.failure()));
    return this;
  }

  private void onWritten(WriteAttempt attempt, @Nullable Throwable failure) {
    if (failure == null) {
      succeed(attempt);
      return;
    }
    getContext()
        .getLog()
        .warn(
            "{} records may not be in the audit log",
            attempt.records().size(),
            Disk.cause(failure));
    chain = null;
    read();
  }

  private void succeed(WriteAttempt finished) {
    chain = finished.after();
    journals.putAll(finished.journals());
    finished.records().forEach(recorded);
    writes.end(finished);
    waiters.wake(finished.after().length());
    write();
  }

  // What there is

  private Behavior<Command> read() {
    getContext()
        .pipeToSelf(
            disk.call(() -> store.contents(VERIFIED_AT_START)),
            (contents, failure) -> new HasRead(contents, failure));
    return this;
  }

  private Behavior<Command> onHasRead(HasRead result) {
    AuditStore.Contents contents = result.contents();
    if (contents == null) {
      onUnreadable(result.failure());
      return this;
    }
    AuditChain found;
    try {
      found = verified(contents);
    } catch (BrokenChainException e) {
      onBroken(e);
      return this;
    }
    chain = found;
    unavailable = null;
    backOff = MIN_BACK_OFF;
    journals.clear();
    journals.putAll(contents.journals());
    askedForPosition.forEach(this::tellPosition);
    askedForPosition.clear();
    decide(found);
    sealer.tell(new RootSealer.Begin());
    write();
    return this;
  }

  private static AuditChain verified(AuditStore.Contents contents) throws BrokenChainException {
    AuditChain found = AuditChain.ofLast(contents.last(), contents.count());
    if (contents.covered() > found.length()) {
      throw new BrokenChainException(
          found.length() + 1,
          "it is missing: the records up to " + contents.covered() + " were signed");
    }
    return found;
  }

  /** Whether the attempt of which that was not known has reached the disk. */
  private void decide(AuditChain found) {
    writes
        .underWay()
        .ifPresent(
            undecided -> {
              if (undecided.after().equals(found)) {
                succeed(undecided);
              } else {
                writes.undo(undecided);
              }
            });
  }

  private void onUnreadable(@Nullable Throwable failure) {
    Throwable cause = Disk.cause(failure);
    getContext()
        .getLog()
        .error("The audit log cannot be read, next try in {} ms", backOff.toMillis(), cause);
    giveUpOnWhoAsks(
        PendingWrites.storeUnavailable(
            cause instanceof IOException ? String.valueOf(cause.getMessage()) : ""));
    timers.startSingleTimer(Timer.READ, backOff);
    Duration doubled = backOff.multipliedBy(2);
    backOff = doubled.compareTo(MAX_BACK_OFF) < 0 ? doubled : MAX_BACK_OFF;
  }

  /** For good: what would be added could not be trusted more than what it is added to. */
  private void onBroken(BrokenChainException broken) {
    getContext().getLog().error("Nothing is recorded any more", broken);
    getContext().stop(sealer);
    giveUpOnWhoAsks(new Refused(Failure.FAILED_PRECONDITION, String.valueOf(broken.getMessage())));
  }

  private void giveUpOnWhoAsks(Refused why) {
    unavailable = why;
    writes.giveUpOnWhoAsks(why);
    askedForPosition.forEach(asked -> asked.replyTo().tell(new Refusal(why)));
    askedForPosition.clear();
  }

  // Who asks

  private Behavior<Command> onFindPosition(FindPosition asked) {
    if (unavailable != null) {
      asked.replyTo().tell(new Refusal(unavailable));
    } else if (chain == null) {
      askedForPosition.add(asked);
    } else {
      tellPosition(asked);
    }
    return this;
  }

  private void tellPosition(FindPosition asked) {
    asked.replyTo().tell(new Position(journals.getOrDefault(asked.journal(), 0L)));
  }

  // Who waits for records

  private Behavior<Command> onAwait(Await await) {
    AuditChain known = chain;
    if (known != null && known.length() > await.after()) {
      await.replyTo().tell(new Reached(known.length()));
    } else {
      waiters.add(await);
    }
    return this;
  }

  private Behavior<Command> onWaitIsOver(WaitIsOver over) {
    waiters.giveUp(over.await(), chain == null ? 0 : chain.length());
    return this;
  }

  private Behavior<Command> onSealed(Sealed sealed) {
    write(); // the number of refusals that came after the last record
    return this;
  }
}
