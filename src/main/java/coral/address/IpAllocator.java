package coral.address;

import coral.model.AgentId;
import coral.model.ClusterMessage;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.model.Refused;
import coral.model.WireGuardKey;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Gives every agent its address and takes it back. Requests wait here while a write is in flight
 * and are then decided and persisted together by {@link AllocationJournal}; nothing is answered
 * before it is durable.
 *
 * <p>If the journal cannot be written or read, whatever waits and whatever comes is refused at once
 * with {@link Failure#STORE_UNAVAILABLE}, while the journal is read again after a growing pause. A
 * request that was refused so may have been carried out: asked again with the same request id, it
 * gets the right answer. If the journal does not fit the subnet, everything is refused with {@link
 * Failure#FAILED_PRECONDITION} until the process is started with the right one.
 */
public final class IpAllocator extends AbstractBehavior<IpAllocator.Command> {
  /** The one journal of a colony's addresses. */
  public static final String PERSISTENCE_ID = "ip-allocator";

  /** What the allocator is asked. */
  public sealed interface Command extends ClusterMessage {}

  /** A command that is answered, always with exactly one reply. */
  public sealed interface Request extends Command {
    ActorRef<Reply> replyTo();
  }

  /**
   * Asks for the agent's address; answered with an {@link Allocation} or a {@link Refusal}.
   *
   * <p>The agent that holds an address gets the same again, with its key replaced if that is
   * another one and nobody's. A request id belongs to its agent. It is spent by the change that it
   * made, so that a retry changes nothing, and one that comes after the agent has moved on is
   * refused.
   *
   * <p>A registration token that let the agent in is spent in the same write; the same agent gets
   * the same answer for it again as long as it keeps the key.
   *
   * @param requestId at most 128 characters; empty for none
   */
  public record Allocate(
      AgentId agentId,
      WireGuardKey wireGuardKey,
      String requestId,
      Registrant registrant,
      ActorRef<Reply> replyTo)
      implements Request {
    /** Asks for an agent with a certificate that says nothing of its host. */
    public Allocate(
        AgentId agentId, WireGuardKey wireGuardKey, String requestId, ActorRef<Reply> replyTo) {
      this(agentId, wireGuardKey, requestId, Registrant.certified(""), replyTo);
    }
  }

  /**
   * Holds an address for an agent that has none; answered with a {@link Reservation} or a {@link
   * Refusal}. The agent gets it at its first {@link Allocate}; {@link Release} ends it before.
   *
   * @param actor who asks, for the audit
   * @param source where that comes from, for the audit
   * @param requestId what the call is known by, for the audit
   */
  public record Reserve(
      AgentId agentId,
      int hostNumber,
      String actor,
      String source,
      String requestId,
      ActorRef<Reply> replyTo)
      implements Request {}

  /**
   * Takes the agent's address back, or what is reserved for it; answered with {@link Released} or a
   * {@link Refusal}.
   */
  public record Release(AgentId agentId, ActorRef<Reply> replyTo) implements Request {}

  /** Asks what the agent holds; answered with an {@link Allocation} or a {@link Refusal}. */
  public record Find(AgentId agentId, ActorRef<Reply> replyTo) implements Request {}

  /**
   * Asks for allocations by host number; answered with {@link Allocations} or a {@link Refusal}.
   *
   * @param fromHostNumber the first host number of the page; 0 for the first page
   * @param limit at most 10,000
   */
  public record ListAllocations(int fromHostNumber, int limit, ActorRef<Reply> replyTo)
      implements Request {}

  /** Asks how full the subnet is; answered with {@link Usage} or a {@link Refusal}. */
  public record GetUsage(ActorRef<Reply> replyTo) implements Request {}

  /** What the allocator answers. */
  public sealed interface Reply extends ClusterMessage
      permits Allocation, Reservation, Released, Refusal, Allocations, Usage {}

  /** The address is anybody's again. */
  public record Released(AgentId agentId, int hostNumber) implements Reply {}

  /** Nothing was changed, or, if the store failed, nobody can say. */
  public record Refusal(Refused refused) implements Reply {}

  /**
   * One page of what is held.
   *
   * @param allocations by host number
   * @param reservations those among them, by host number
   * @param nextHostNumber where the next page starts; 0 after the last
   * @param capacity how many agents the subnet can hold
   */
  public record Allocations(
      List<Allocation> allocations,
      List<Reservation> reservations,
      int nextHostNumber,
      int capacity)
      implements Reply {
    public Allocations {
      allocations = List.copyOf(allocations);
      reservations = List.copyOf(reservations);
    }
  }

  /**
   * How many addresses are held, of how many.
   *
   * @param held by agents, and those that are reserved
   * @param byToken how many of the holders last showed a registration token alone
   * @param byColonySecret how many of them last showed the colony's secret alone
   */
  public record Usage(int held, int capacity, int byToken, int byColonySecret) implements Reply {}

  /**
   * Everything that was in the mailbox when this was sent is in the queue.
   *
   * @param waited how many requests were in the queue then
   */
  private record Flush(int waited) implements Command {}

  /** The pause after a failure is over. */
  private enum Reopen implements Command {
    INSTANCE
  }

  /** The journal was read to its end. */
  record Recovered(long sequenceNumber) implements Command {}

  /** The batch is durable and answered. */
  enum Written implements Command {
    INSTANCE
  }

  /**
   * The bounds of the allocator.
   *
   * @param store what holds the journal, for messages: the path of the database file
   * @param queueLimit requests that may wait for a write; those beyond are refused
   * @param batchLimit requests in one write
   * @param firstPause between a failure of the journal and the next attempt; doubled by each
   *     failure
   * @param longestPause the most that the pause grows to
   */
  public record Settings(
      String store, int queueLimit, int batchLimit, Duration firstPause, Duration longestPause) {
    /** 10,000 waiting, 256 in one write, pauses of 0.2 s to 5 s. */
    public static Settings of(String store) {
      return new Settings(store, 10_000, 256, Duration.ofMillis(200), Duration.ofSeconds(5));
    }
  }

  private enum Journal {
    /** Being read for the first time: requests wait. */
    OPENING,
    READY,
    WRITING,
    /** Failed, or being read again after it failed: requests are refused. */
    FAILED
  }

  /**
   * The allocator of one colony; a cluster singleton.
   *
   * @param afterCommit called on the actor's thread with each durable change; must not block
   */
  public static Behavior<Command> create(
      MeshSubnet subnet,
      InstantSource clock,
      Settings settings,
      Consumer<AllocationChange> afterCommit) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new IpAllocator(
                        context, timers, subnet, clock, settings, new ChangeFeed(afterCommit))));
  }

  private final TimerScheduler<Command> timers;
  private final MeshSubnet subnet;
  private final InstantSource clock;
  private final Instant started;
  private final Settings settings;
  private final ChangeFeed feed;
  private final ArrayDeque<Request> waiting = new ArrayDeque<>();
  private List<Request> inFlight = List.of();
  private Journal journal = Journal.OPENING;
  private ActorRef<AllocationJournal.Batch> writer;
  private boolean flushing;
  private Duration pause;
  private @Nullable Refused refused;

  private IpAllocator(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      MeshSubnet subnet,
      InstantSource clock,
      Settings settings,
      ChangeFeed feed) {
    super(context);
    this.timers = timers;
    this.subnet = subnet;
    this.clock = clock;
    this.started = clock.instant();
    this.settings = settings;
    this.feed = feed;
    this.pause = settings.firstPause();
    this.writer = open();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Request.class, this::onRequest)
        .onMessage(Flush.class, this::onFlush)
        .onMessageEquals(Written.INSTANCE, this::onWritten)
        .onMessage(Recovered.class, this::onRecovered)
        .onMessageEquals(Reopen.INSTANCE, this::onReopen)
        .onSignal(ChildFailed.class, this::onJournalFailed)
        .onSignal(Terminated.class, this::onJournalStopped)
        .build();
  }

  private Behavior<Command> onRequest(Request request) {
    if (refused != null) {
      request.replyTo().tell(new Refusal(refused));
    } else if (waiting.size() >= settings.queueLimit()) {
      request.replyTo().tell(new Refusal(queueFull()));
    } else {
      waiting.add(request);
      flushLater();
    }
    return this;
  }

  /** Behind what is in the mailbox by now, so that requests which came together go together. */
  private void flushLater() {
    if (journal == Journal.READY && !flushing) {
      flushing = true;
      getContext().getSelf().tell(new Flush(waiting.size()));
    }
  }

  /**
   * Writes, unless requests are coming in right now: a write costs as much as a hundred requests
   * more in it. Each turn waits for what is in the mailbox and for nothing else, so a lone request
   * waits for one turn, and a stream of them until the batch is full.
   */
  private Behavior<Command> onFlush(Flush flush) {
    flushing = false;
    if (flush.waited() < waiting.size() && waiting.size() < settings.batchLimit()) {
      flushLater();
    } else {
      write();
    }
    return this;
  }

  private void write() {
    if (journal == Journal.READY && !waiting.isEmpty()) {
      List<Request> batch = new ArrayList<>(Math.min(settings.batchLimit(), waiting.size()));
      while (batch.size() < settings.batchLimit() && !waiting.isEmpty()) {
        batch.add(waiting.remove());
      }
      inFlight = batch;
      journal = Journal.WRITING;
      writer.tell(new AllocationJournal.Batch(batch));
    }
  }

  private Behavior<Command> onWritten() {
    inFlight = List.of();
    journal = Journal.READY;
    pause = settings.firstPause();
    if (!waiting.isEmpty()) {
      // Those who were just answered may ask again at once.
      flushLater();
    }
    return this;
  }

  private Behavior<Command> onRecovered(Recovered recovered) {
    getContext()
        .getLog()
        .debug("addresses read from the journal up to {}", recovered.sequenceNumber());
    if (journal == Journal.FAILED) {
      getContext().getLog().info("the address journal in {} can be used again", settings.store());
    }
    journal = Journal.READY;
    refused = null;
    write();
    return this;
  }

  private Behavior<Command> onJournalFailed(ChildFailed failed) {
    for (Throwable t = failed.cause(); t != null; t = t.getCause()) {
      if (t instanceof JournalDoesNotFitException) {
        getContext().getLog().error("the address journal does not fit: {}", t.getMessage());
        refuseAll(
            new Refused(
                Failure.FAILED_PRECONDITION,
                t.getMessage() + " (journal in " + settings.store() + ")"));
        return this;
      }
    }
    String why = reason(failed.cause());
    getContext().getLog().error("addresses cannot be kept, next attempt in {}: {}", pause, why);
    refuseAll(new Refused(Failure.STORE_UNAVAILABLE, why + "; ask again later"));
    timers.startSingleTimer(Reopen.INSTANCE, pause);
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(settings.longestPause()) < 0 ? doubled : settings.longestPause();
    return this;
  }

  /** The journal's actor stops of itself only with the whole system. */
  private Behavior<Command> onJournalStopped(Terminated terminated) {
    refuseAll(new Refused(Failure.NOT_READY, "the colony is stopping"));
    return this;
  }

  private Behavior<Command> onReopen() {
    writer = open();
    return this;
  }

  private ActorRef<AllocationJournal.Batch> open() {
    ActorRef<AllocationJournal.Batch> opened =
        getContext()
            .spawnAnonymous(
                AllocationJournal.create(
                    subnet, started, clock, feed, getContext().getSelf().narrow()));
    getContext().watch(opened);
    return opened;
  }

  private void refuseAll(Refused why) {
    journal = Journal.FAILED;
    refused = why;
    Refusal refusal = new Refusal(why);
    inFlight.forEach(request -> request.replyTo().tell(refusal));
    waiting.forEach(request -> request.replyTo().tell(refusal));
    inFlight = List.of();
    waiting.clear();
  }

  private Refused queueFull() {
    return new Refused(
        Failure.LIMIT_REACHED,
        settings.queueLimit() + " requests for addresses are waiting: ask again later");
  }

  /** Pekko wraps what the store said, and the store may wrap what its driver said. */
  private String reason(Throwable failure) {
    Throwable cause = failure;
    while (!(cause instanceof IOException) && cause.getCause() != null) {
      cause = cause.getCause();
    }
    String message = String.valueOf(cause.getMessage());
    return message.contains(settings.store())
        ? message
        : "the database " + settings.store() + " failed: " + message;
  }
}
