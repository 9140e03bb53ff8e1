package coral.address;

import coral.model.Authentication;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.model.Refused;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.SnapshotAdapter;
import org.apache.pekko.persistence.typed.SnapshotFailed;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * The event-sourced child of {@link IpAllocator}: decides a batch, persists its events in one
 * write, then answers. It fails with the journal and is started afresh by its parent, because the
 * table is changed before the write is durable.
 */
final class AllocationJournal
    extends EventSourcedBehavior<AllocationJournal.Batch, AllocationEvent, AllocationTable> {
  /**
   * Bounds the events to replay: reading 20,000 takes less than half a second. Each snapshot has
   * all addresses, so with 65,000 of them one for every 10,000 events takes half as long as the
   * events.
   */
  static final int EVENTS_PER_SNAPSHOT = 20_000;

  /** The last one, and the one before in case that the last cannot be read. */
  private static final int SNAPSHOTS_KEPT = 2;

  private static final int MAX_PAGE = 10_000;

  /** Requests to decide in order and to write together. */
  record Batch(List<IpAllocator.Request> requests) {}

  static Behavior<Batch> create(
      MeshSubnet subnet,
      Instant started,
      InstantSource clock,
      ChangeFeed feed,
      ActorRef<IpAllocator.Command> allocator) {
    return Behaviors.setup(
        context -> new AllocationJournal(context, subnet, started, clock, feed, allocator));
  }

  private final MeshSubnet subnet;
  private final Instant started;
  private final InstantSource clock;
  private final ChangeFeed feed;
  private final ActorRef<IpAllocator.Command> allocator;
  private final ActorContext<Batch> context;
  private final List<AllocationEvent> replayed = new ArrayList<>();
  private boolean recovering = true;

  private AllocationJournal(
      ActorContext<Batch> context,
      MeshSubnet subnet,
      Instant started,
      InstantSource clock,
      ChangeFeed feed,
      ActorRef<IpAllocator.Command> allocator) {
    super(PersistenceId.ofUniqueId(IpAllocator.PERSISTENCE_ID));
    this.context = context;
    this.subnet = subnet;
    this.started = started;
    this.clock = clock;
    this.feed = feed;
    this.allocator = allocator;
  }

  @Override
  public AllocationTable emptyState() {
    return new AllocationTable(subnet);
  }

  @Override
  public CommandHandler<Batch, AllocationEvent, AllocationTable> commandHandler() {
    return newCommandHandlerBuilder().forAnyState().onCommand(Batch.class, this::onBatch).build();
  }

  private Effect<AllocationEvent, AllocationTable> onBatch(AllocationTable table, Batch batch) {
    Instant now = clock.instant();
    AllocationDraft draft = new AllocationDraft(table, started, now);
    List<Answer> answers = new ArrayList<>(batch.requests().size());
    for (IpAllocator.Request request : batch.requests()) {
      answers.add(answer(draft, request));
    }
    List<AllocationEvent> events = draft.events();
    return (events.isEmpty() ? Effect().none() : Effect().persist(events))
        .thenRun(committed -> onCommitted(committed, batch, answers, events));
  }

  /** What to reply once the batch is durable; reads are answered from the table as it is then. */
  private interface Answer {
    IpAllocator.Reply from(AllocationTable committed);
  }

  private static Answer answer(AllocationDraft draft, IpAllocator.Request request) {
    if (request instanceof IpAllocator.Allocate allocate) {
      IpAllocator.Reply reply = draft.decide(allocate).reply();
      return committed -> reply;
    }
    if (request instanceof IpAllocator.Release release) {
      IpAllocator.Reply reply = draft.decide(release).reply();
      return committed -> reply;
    }
    if (request instanceof IpAllocator.Reserve reserve) {
      IpAllocator.Reply reply = draft.decide(reserve).reply();
      return committed -> reply;
    }
    if (request instanceof IpAllocator.Find find) {
      return committed -> find(committed, find);
    }
    if (request instanceof IpAllocator.ListAllocations list) {
      return committed -> page(committed, list);
    }
    return committed ->
        new IpAllocator.Usage(
            committed.size(),
            committed.capacity(),
            committed.size(Authentication.TOKEN),
            committed.size(Authentication.COLONY_SECRET));
  }

  private static IpAllocator.Reply find(AllocationTable table, IpAllocator.Find find) {
    AllocationSnapshot.Entry entry = table.find(find.agentId());
    return entry != null
        ? AllocationTable.allocation(entry)
        : new IpAllocator.Refusal(
            new Refused(Failure.NOT_FOUND, "agent " + find.agentId() + " holds no address"));
  }

  private static IpAllocator.Reply page(AllocationTable table, IpAllocator.ListAllocations list) {
    if (list.fromHostNumber() < 0 || list.limit() < 1 || list.limit() > MAX_PAGE) {
      return new IpAllocator.Refusal(
          new Refused(
              Failure.INVALID_ARGUMENT, "a page has 1 to " + MAX_PAGE + " allocations, from 0"));
    }
    return table.page(list.fromHostNumber(), list.limit());
  }

  private void onCommitted(
      AllocationTable table, Batch batch, List<Answer> answers, List<AllocationEvent> events) {
    long sequenceNumber = lastSequenceNumber(context) - events.size();
    for (AllocationEvent event : events) {
      feed.committed(++sequenceNumber, event);
    }
    for (int i = 0; i < answers.size(); i++) {
      batch.requests().get(i).replyTo().tell(answers.get(i).from(table));
    }
    allocator.tell(IpAllocator.Written.INSTANCE);
  }

  @Override
  public EventHandler<AllocationTable, AllocationEvent> eventHandler() {
    return (table, event) -> {
      event.applyTo(table);
      if (recovering && feed.isLive()) {
        replayed.add(event);
      }
      return table;
    };
  }

  @Override
  public SignalHandler<AllocationTable> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::onRecovered)
        .onSignal(
            SnapshotFailed.class,
            (table, failed) ->
                context
                    .getLog()
                    .warn(
                        "no snapshot of the addresses was saved, the journal has all of them: {}",
                        failed.failure().getMessage()))
        .build();
  }

  private void onRecovered(AllocationTable table) {
    recovering = false;
    long last = lastSequenceNumber(context);
    long sequenceNumber = last - replayed.size();
    for (AllocationEvent event : replayed) {
      feed.committed(++sequenceNumber, event);
    }
    replayed.clear();
    feed.recovered(last);
    allocator.tell(new IpAllocator.Recovered(last));
  }

  /** All events are kept: they are the truth, and the tables are rebuilt from them. */
  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(EVENTS_PER_SNAPSHOT, SNAPSHOTS_KEPT);
  }

  /** Copies on this thread: a snapshot is serialized on another one while the table changes. */
  @Override
  public SnapshotAdapter<AllocationTable> snapshotAdapter() {
    return new SnapshotAdapter<>() {
      @Override
      public Object toJournal(AllocationTable table) {
        return table.snapshot();
      }

      @Override
      public AllocationTable fromJournal(Object snapshot) {
        return AllocationTable.restore(subnet, (AllocationSnapshot) snapshot);
      }
    };
  }
}
