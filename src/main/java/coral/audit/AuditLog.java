package coral.audit;

import coral.model.AuditEvent;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
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
  private sealed interface Entry extends Command {}

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

  private record HasSealed(@Nullable Throwable failure) implements Command {}

  private record WaitIsOver(Await await) implements Command {}

  private enum Timer implements Command {
    READ,
    SEAL
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

  /** A write that was begun and not yet found to have succeeded or failed. */
  private record Attempt(
      List<Entry> entries,
      List<AuditRecord> records,
      Map<String, Long> journals,
      long refusalsNotRecorded,
      AuditChain after) {}

  /** Records of one write: enough that its commit does not count. */
  private static final int RECORDS_PER_WRITE = 1_000;

  /** How much of the end of the chain is verified before it goes on. */
  static final int VERIFIED_AT_START = 1_000;

  /** Those who wait for a record: each is a call of an administrator. */
  static final int MAX_WAITING = 64;

  private static final Duration MIN_BACK_OFF = Duration.ofMillis(200);
  private static final Duration MAX_BACK_OFF = Duration.ofSeconds(10);
  private static final Duration SEAL_AGAIN = Duration.ofMinutes(1);

  private final TimerScheduler<Command> timers;
  private final AuditStore store;
  private final RootSealing sealing;
  private final InstantSource clock;
  private final Executor blocking;
  private final AuditBacklog backlog;
  private final Deque<Entry> queue = new ArrayDeque<>();
  private final Map<String, Long> journals = new HashMap<>();
  private final List<FindPosition> askedForPosition = new ArrayList<>();
  private final List<Await> waiting = new ArrayList<>();

  /** Null while what is in the store is not known. */
  private @Nullable AuditChain chain;

  private @Nullable Attempt attempt;

  /** Why nothing can be recorded now; null while that is possible or not yet known. */
  private @Nullable Refused unavailable;

  private boolean isSealing;
  private Duration backOff = MIN_BACK_OFF;

  /**
   * The log in one store. Whoever sends {@link FindPosition} first hears whether it is in order: if
   * its last records do not verify, everything is refused for good.
   *
   * @param blocking runs what waits for the disk
   * @param backlog that of the {@link AuditQueue} in front
   */
  public static Behavior<Command> create(
      AuditStore store,
      ColonyId colony,
      AuditSigner signer,
      InstantSource clock,
      Executor blocking,
      AuditBacklog backlog) {
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
                        blocking,
                        backlog)));
  }

  private AuditLog(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      AuditStore store,
      RootSealing sealing,
      InstantSource clock,
      Executor blocking,
      AuditBacklog backlog) {
    super(context);
    this.timers = timers;
    this.store = store;
    this.sealing = sealing;
    this.clock = clock;
    this.blocking = blocking;
    this.backlog = backlog;
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
        .onMessage(HasSealed.class, this::onHasSealed)
        .onMessageEquals(Timer.READ, this::read)
        .onMessageEquals(Timer.SEAL, this::seal)
        .build();
  }

  // What is recorded

  private Behavior<Command> onEntry(Entry entry) {
    if (unavailable != null && asks(entry)) {
      refuse(entry, unavailable);
    } else {
      queue.add(entry);
      write();
    }
    return this;
  }

  private void write() {
    if (chain == null || attempt != null) {
      return;
    }
    if (queue.isEmpty() && !backlog.hasRefusalsNotRecorded()) {
      return;
    }
    Attempt next = nextAttempt(chain);
    attempt = next;
    if (next.records().isEmpty() && next.journals().isEmpty()) {
      succeed(next);
      return;
    }
    getContext()
        .pipeToSelf(
            onDisk(
                () -> {
                  store.append(next.records(), next.journals());
                  return Done.getInstance();
                }),
            (done, failure) -> new HasWritten(failure));
  }

  private Attempt nextAttempt(AuditChain from) {
    List<Entry> entries = new ArrayList<>();
    List<AuditRecord> records = new ArrayList<>();
    Map<String, Long> positions = new HashMap<>();
    AuditChain end = from;
    long notRecorded = backlog.takeRefusalsNotRecorded();
    if (notRecorded > 0) {
      AuditEvent counted =
          AuditEvent.of(AuditEvent.Kind.REFUSALS_NOT_RECORDED)
              .detail("refusals not recorded: " + notRecorded);
      end = add(end, counted, clock.instant(), records);
    }
    while (!queue.isEmpty() && records.size() < RECORDS_PER_WRITE) {
      Entry entry = queue.remove();
      if (entry instanceof Append append) {
        end = add(end, append.event(), append.at(), records);
      } else if (entry instanceof AppendJournaled group) {
        long position =
            positions.getOrDefault(group.journal(), journals.getOrDefault(group.journal(), 0L));
        if (leavesAGap(group, position)) {
          refuse(entry, new Refused(Failure.INTERNAL, gap(group, position)));
          continue;
        }
        for (JournaledEvent event : group.events()) {
          if (event.sequenceNumber() > position) {
            for (AuditEvent meaning : event.meaning()) {
              end = add(end, meaning, event.at(), records);
            }
            position = event.sequenceNumber();
            positions.put(group.journal(), position);
          }
        }
      }
      entries.add(entry);
    }
    return new Attempt(entries, records, positions, notRecorded, end);
  }

  private static boolean leavesAGap(AppendJournaled group, long position) {
    return !group.events().isEmpty() && group.events().get(0).sequenceNumber() > position + 1;
  }

  private static String gap(AppendJournaled group, long position) {
    return "the audit log has recorded the journal "
        + group.journal()
        + " up to "
        + position
        + ", not up to the event before "
        + group.events().get(0).sequenceNumber();
  }

  private static AuditChain add(
      AuditChain chain, AuditEvent event, Instant at, List<AuditRecord> records) {
    AuditRecord record = chain.next(event, at);
    records.add(record);
    return chain.with(record);
  }

  private Behavior<Command> onHasWritten(HasWritten result) {
    Attempt finished = attempt;
    if (finished == null) {
      return this;
    }
    if (result.failure() == null) {
      succeed(finished);
    } else {
      getContext()
          .getLog()
          .warn("{} records may not be in the audit log", finished.records().size(), cause(result));
      chain = null;
      read();
    }
    return this;
  }

  private static @Nullable Throwable cause(HasWritten result) {
    return unwrap(result.failure());
  }

  private void succeed(Attempt finished) {
    attempt = null;
    chain = finished.after();
    journals.putAll(finished.journals());
    for (Entry entry : finished.entries()) {
      answer(entry, new Recorded());
    }
    wake();
    write();
  }

  // What there is

  private Behavior<Command> read() {
    getContext()
        .pipeToSelf(
            onDisk(() -> store.contents(VERIFIED_AT_START)),
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
    if (!isSealing) {
      seal();
    }
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
    Attempt undecided = attempt;
    if (undecided == null) {
      return;
    }
    attempt = null;
    if (undecided.after().equals(found)) {
      succeed(undecided);
      return;
    }
    backlog.putBack(undecided.refusalsNotRecorded());
    refuseAll(undecided.entries(), storeUnavailable("it could not be written"));
    List<Entry> again = undecided.entries().stream().filter(entry -> !asks(entry)).toList();
    for (int i = again.size() - 1; i >= 0; i--) {
      queue.addFirst(again.get(i));
    }
  }

  private void onUnreadable(@Nullable Throwable failure) {
    Throwable cause = unwrap(failure);
    getContext()
        .getLog()
        .error("The audit log cannot be read, next try in {} ms", backOff.toMillis(), cause);
    giveUpOnWhoAsks(
        storeUnavailable(cause instanceof IOException ? String.valueOf(cause.getMessage()) : ""));
    timers.startSingleTimer(Timer.READ, backOff);
    Duration doubled = backOff.multipliedBy(2);
    backOff = doubled.compareTo(MAX_BACK_OFF) < 0 ? doubled : MAX_BACK_OFF;
  }

  /** For good: what would be added could not be trusted more than what it is added to. */
  private void onBroken(BrokenChainException broken) {
    getContext().getLog().error("Nothing is recorded any more", broken);
    giveUpOnWhoAsks(new Refused(Failure.FAILED_PRECONDITION, String.valueOf(broken.getMessage())));
  }

  /** Who waits for an answer is told; what nobody waits for stays. */
  private void giveUpOnWhoAsks(Refused why) {
    unavailable = why;
    refuseAll(queue, why);
    queue.removeIf(AuditLog::asks);
    Attempt undecided = attempt;
    if (undecided != null) {
      refuseAll(undecided.entries(), why);
      attempt =
          new Attempt(
              undecided.entries().stream().filter(entry -> !asks(entry)).toList(),
              undecided.records(),
              undecided.journals(),
              undecided.refusalsNotRecorded(),
              undecided.after());
    }
    askedForPosition.forEach(asked -> asked.replyTo().tell(new Refusal(why)));
    askedForPosition.clear();
  }

  private static Refused storeUnavailable(String why) {
    return new Refused(
        Failure.STORE_UNAVAILABLE,
        "the audit log cannot be used now" + (why.isEmpty() ? "" : ": " + why) + "; try again");
  }

  // Who asks

  private static boolean asks(Entry entry) {
    return !(entry instanceof Append append) || append.replyTo().isPresent();
  }

  private void refuseAll(Iterable<Entry> entries, Refused why) {
    for (Entry entry : entries) {
      if (asks(entry)) {
        refuse(entry, why);
      }
    }
  }

  private void refuse(Entry entry, Refused why) {
    answer(entry, new Refusal(why));
  }

  private void answer(Entry entry, Reply reply) {
    if (entry instanceof Append append) {
      backlog.leave();
      append.replyTo().ifPresent(replyTo -> replyTo.tell(reply));
    } else if (entry instanceof AppendJournaled group) {
      group.replyTo().tell(reply);
    } else if (entry instanceof Flush flush) {
      flush.replyTo().tell(reply);
    }
  }

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
    } else if (waiting.size() >= MAX_WAITING) {
      await
          .replyTo()
          .tell(
              new Refusal(
                  new Refused(
                      Failure.LIMIT_REACHED,
                      MAX_WAITING + " callers wait for audit records; try again later")));
    } else {
      waiting.add(await);
      timers.startSingleTimer(await, new WaitIsOver(await), await.atMost());
    }
    return this;
  }

  private Behavior<Command> onWaitIsOver(WaitIsOver over) {
    if (waiting.remove(over.await())) {
      over.await().replyTo().tell(new Reached(chain == null ? 0 : chain.length()));
    }
    return this;
  }

  private void wake() {
    long length = chain == null ? 0 : chain.length();
    waiting.removeIf(
        await -> {
          if (length <= await.after()) {
            return false;
          }
          timers.cancel(await);
          await.replyTo().tell(new Reached(length));
          return true;
        });
  }

  // What is signed

  private Behavior<Command> seal() {
    if (chain == null) {
      timers.startSingleTimer(Timer.SEAL, SEAL_AGAIN);
      return this;
    }
    isSealing = true;
    Instant now = clock.instant();
    getContext()
        .pipeToSelf(onDisk(() -> sealing.seal(now)), (root, failure) -> new HasSealed(failure));
    return this;
  }

  private Behavior<Command> onHasSealed(HasSealed result) {
    isSealing = false;
    if (result.failure() != null) {
      getContext()
          .getLog()
          .error("The audit records of the past hour are not signed", unwrap(result.failure()));
      timers.startSingleTimer(Timer.SEAL, SEAL_AGAIN);
      return this;
    }
    Instant now = clock.instant();
    Instant nextHour = now.truncatedTo(ChronoUnit.HOURS).plus(Duration.ofHours(1));
    timers.startSingleTimer(Timer.SEAL, Duration.between(now, nextHour));
    write(); // the number of refusals that came after the last record
    return this;
  }

  // Off the actor

  private <T> CompletionStage<T> onDisk(Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    try {
      blocking.execute(
          () -> {
            try {
              result.complete(work.call());
            } catch (IOException | GeneralSecurityException | RuntimeException e) {
              result.completeExceptionally(e);
            } catch (Exception e) {
              result.completeExceptionally(new IllegalStateException(e));
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(e);
    }
    return result;
  }

  private static @Nullable Throwable unwrap(@Nullable Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }
}
