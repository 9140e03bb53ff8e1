package coral.discovery;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import coral.model.Secret;
import coral.rpc.FailureStatus;
import coral.rpc.RateLimitedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Guards the directory. Hashing and writing happen on threads of their own; what arrives while a
 * write is in flight is written together afterwards. Nothing is answered before it is durable, and
 * nothing is found that is not.
 */
final class Directory extends AbstractBehavior<Directory.Command> {
  /** Ownership ends after days: often enough. */
  private static final Duration PRUNE_INTERVAL = Duration.ofMinutes(10);

  /** Wrong secrets are counted, and told once in such a time: anybody can send them. */
  private static final Duration REPORT_INTERVAL = Duration.ofMinutes(1);

  /** DuckDB needs more than its 512 MB for a transaction of thousands of rows with a key. */
  static final int MAX_BATCH = 500;

  sealed interface Command {}

  /** Announces a colony. Answered with {@link Registered} or {@link Refusal}. */
  record Register(
      Announcement announcement, Secret secret, InetAddress source, ActorRef<Reply> replyTo)
      implements Command {}

  /**
   * Gives a colony another secret. Answered with {@link Rotated} or {@link Refusal}.
   *
   * @param proven hash of the secret that was shown
   * @param next hash of the new one
   * @param grace how long the current one holds on
   */
  record Rotate(
      ColonyId meshId, String proven, String next, Duration grace, ActorRef<Reply> replyTo)
      implements Command {}

  /** Answered with {@link Found} or a {@link Refusal} with NOT_FOUND. */
  record Lookup(ColonyId meshId, ActorRef<Reply> replyTo) implements Command {}

  /** Asks who owns a mesh id, announced at present or not. Answered with {@link Owned}. */
  record FindOwned(ColonyId meshId, ActorRef<Reply> replyTo) implements Command {}

  /** Answered with {@link Counted}. */
  record Count(ActorRef<Reply> replyTo) implements Command {}

  private record Hashed(Register register, Optional<String> hash, @Nullable Throwable failure)
      implements Command {}

  private record Written(@Nullable Throwable failure) implements Command {}

  /** What the actor tells itself from time to time. */
  enum Tick implements Command {
    PRUNE,
    REPORT
  }

  sealed interface Reply {}

  record Registered(Duration lifetime, Instant expiresAt) implements Reply {}

  record Rotated(ColonySecrets secrets) implements Reply {}

  record Found(ColonyEntry entry) implements Reply {}

  record Owned(Optional<ColonyEntry> entry) implements Reply {}

  record Counted(int live) implements Reply {}

  /**
   * Nothing was changed.
   *
   * @param retryAfter when the same may be allowed; zero if time does not mend it
   */
  record Refusal(Refused refused, Duration retryAfter) implements Reply {
    /** The refusal for the edge that fails a call with it. */
    RuntimeException toException() {
      return retryAfter.isZero()
          ? refused.toException()
          : new RateLimitedException(refused, retryAfter);
    }
  }

  /** Writes durably; blocks; throws if nothing was written. */
  interface Writer {
    void write(List<ColonyEntry> entries, List<ColonyId> removed) throws IOException;
  }

  /** An answer that waits for a write. */
  private record Pending(
      ColonyEntry entry, @Nullable ColonyEntry before, Reply answer, ActorRef<Reply> replyTo) {}

  /** What has been decided: the next decision rests on it. */
  private final ColonyDirectory directory;

  /** What has been written: this is what is found. */
  private final ColonyDirectory durable;

  private final SecretCheck secrets;
  private final DiscoveryLimits limits;
  private final Writer writer;
  private final InstantSource clock;
  private final Executor storage;

  private int wrongSecrets;
  private List<Pending> queued = new ArrayList<>();
  private List<ColonyId> abandoned = List.of();
  private List<Pending> inFlight = List.of();
  private boolean writing;

  /**
   * Guards a directory.
   *
   * @param directory with what the store holds
   * @param storage runs writes
   */
  static Behavior<Command> create(
      ColonyDirectory directory,
      Writer writer,
      InstantSource clock,
      SecretCheck secrets,
      DiscoveryLimits limits,
      Executor storage) {
    return Behaviors.withTimers(
        timers -> {
          timers.startTimerWithFixedDelay(Tick.PRUNE, PRUNE_INTERVAL);
          timers.startTimerWithFixedDelay(Tick.REPORT, REPORT_INTERVAL);
          return Behaviors.setup(
              context ->
                  new Directory(context, directory, writer, clock, secrets, limits, storage));
        });
  }

  private Directory(
      ActorContext<Command> context,
      ColonyDirectory directory,
      Writer writer,
      InstantSource clock,
      SecretCheck secrets,
      DiscoveryLimits limits,
      Executor storage) {
    super(context);
    this.directory = directory;
    this.durable = directory.copy();
    this.writer = writer;
    this.clock = clock;
    this.secrets = secrets;
    this.limits = limits;
    this.storage = storage;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Register.class, this::onRegister)
        .onMessage(Hashed.class, this::onHashed)
        .onMessage(Rotate.class, this::onRotate)
        .onMessage(Lookup.class, this::onLookup)
        .onMessage(FindOwned.class, this::onFindOwned)
        .onMessage(Count.class, this::onCount)
        .onMessage(Written.class, this::onWritten)
        .onMessageEquals(Tick.PRUNE, this::onPrune)
        .onMessageEquals(Tick.REPORT, this::onReport)
        .build();
  }

  private Behavior<Command> onRegister(Register register) {
    ColonyId meshId = register.announcement().meshId();
    List<String> owners = directory.owners(meshId, clock.instant());
    if (owners.isEmpty() && !directory.hasRoom(meshId)) {
      // Before any hash is computed: a full directory costs a stranger's request nothing.
      refuse(register.replyTo(), Failure.LIMIT_REACHED, "this directory is full");
      return this;
    }
    try {
      CompletionStage<Optional<String>> hash;
      if (owners.isEmpty()) {
        limits.requireNewColony(register.source());
        hash = secrets.first(meshId, register.secret()).thenApply(Optional::of);
        limits.newColony(register.source());
      } else {
        hash = secrets.match(meshId, register.secret(), owners, register.source());
      }
      getContext()
          .pipeToSelf(
              hash,
              (found, failure) ->
                  new Hashed(register, failure == null ? found : Optional.empty(), failure));
    } catch (RateLimitedException e) {
      refuse(register.replyTo(), e);
    }
    return this;
  }

  private Behavior<Command> onHashed(Hashed hashed) {
    Register register = hashed.register();
    ColonyId meshId = register.announcement().meshId();
    if (hashed.failure() != null) {
      if (FailureStatus.unwrap(hashed.failure()) instanceof RateLimitedException limited) {
        refuse(register.replyTo(), limited);
      } else {
        getContext().getLog().error("A colony secret could not be checked", hashed.failure());
        refuse(register.replyTo(), Failure.INTERNAL, "internal error");
      }
    } else if (hashed.hash().isEmpty()) {
      wrongSecrets++;
      getContext().getLog().debug("The mesh id {} was claimed with another secret", meshId);
      refuse(
          register.replyTo(),
          Failure.MESH_ID_TAKEN,
          "the mesh id " + meshId + " belongs to another colony secret");
    } else {
      List<String> owners = directory.owners(meshId, clock.instant());
      if (!owners.isEmpty() && !owners.contains(hashed.hash().get())) {
        return onRegister(register); // claimed by another registration meanwhile: ask its hash
      }
      announce(register, hashed.hash().get());
    }
    return this;
  }

  private void announce(Register register, String hash) {
    ColonyEntry entry;
    try {
      entry = directory.announce(register.announcement(), hash, clock.instant());
    } catch (RefusedException e) {
      refuse(register.replyTo(), e.refused().failure(), e.refused().message());
      return;
    }
    Registered registered = new Registered(directory.lifetime(), entry.expiresAt());
    queued.add(new Pending(entry, directory.put(entry), registered, register.replyTo()));
    write();
  }

  private Behavior<Command> onRotate(Rotate rotate) {
    ColonyEntry entry;
    try {
      entry =
          directory.rotate(
              rotate.meshId(), rotate.proven(), rotate.next(), rotate.grace(), clock.instant());
    } catch (RefusedException e) {
      refuse(rotate.replyTo(), e.refused().failure(), e.refused().message());
      return this;
    }
    Rotated rotated = new Rotated(entry.secrets());
    queued.add(new Pending(entry, directory.put(entry), rotated, rotate.replyTo()));
    write();
    return this;
  }

  private void write() {
    if (writing || (queued.isEmpty() && abandoned.isEmpty())) {
      return;
    }
    writing = true;
    int count = Math.min(queued.size(), MAX_BATCH);
    inFlight = List.copyOf(queued.subList(0, count));
    queued = new ArrayList<>(queued.subList(count, queued.size()));
    Map<ColonyId, ColonyEntry> last = new LinkedHashMap<>();
    inFlight.forEach(p -> last.put(p.entry().announcement().meshId(), p.entry()));
    List<ColonyEntry> entries = List.copyOf(last.values());
    int ended = Math.min(abandoned.size(), MAX_BATCH);
    List<ColonyId> removed =
        abandoned.subList(0, ended).stream()
            .filter(id -> directory.owned(id, clock.instant()).isEmpty()) // not claimed anew
            .toList();
    abandoned = List.copyOf(abandoned.subList(ended, abandoned.size()));
    Writer to = writer;
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    to.write(entries, removed);
                    return true;
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                },
                storage),
            (done, failure) -> new Written(failure));
  }

  private Behavior<Command> onWritten(Written written) {
    writing = false;
    if (written.failure() == null) {
      for (Pending pending : inFlight) {
        durable.put(pending.entry());
        pending.replyTo().tell(pending.answer());
      }
    } else {
      getContext().getLog().error("The directory could not be written", written.failure());
      // What is queued was decided on top of what failed: both are taken back, the last first.
      List<Pending> failed = new ArrayList<>(inFlight);
      failed.addAll(queued);
      queued = new ArrayList<>();
      for (int i = failed.size() - 1; i >= 0; i--) {
        Pending pending = failed.get(i);
        ColonyId meshId = pending.entry().announcement().meshId();
        directory.restore(meshId, pending.before());
        refuse(
            pending.replyTo(),
            Failure.STORE_UNAVAILABLE,
            "the directory's database could not be written");
      }
    }
    inFlight = List.of();
    write();
    return this;
  }

  private Behavior<Command> onLookup(Lookup lookup) {
    Optional<ColonyEntry> entry = durable.lookup(lookup.meshId(), clock.instant());
    if (entry.isPresent()) {
      lookup.replyTo().tell(new Found(entry.get()));
    } else {
      refuse(
          lookup.replyTo(),
          Failure.NOT_FOUND,
          "no colony announces the mesh id " + lookup.meshId() + " at present");
    }
    return this;
  }

  private Behavior<Command> onFindOwned(FindOwned find) {
    find.replyTo().tell(new Owned(durable.owned(find.meshId(), clock.instant())));
    return this;
  }

  private Behavior<Command> onCount(Count count) {
    count.replyTo().tell(new Counted(durable.live(clock.instant())));
    return this;
  }

  private Behavior<Command> onPrune() {
    List<ColonyId> ended = directory.abandoned(clock.instant());
    directory.remove(ended);
    durable.remove(ended);
    List<ColonyId> all = new ArrayList<>(abandoned);
    all.addAll(ended);
    abandoned = List.copyOf(all);
    write();
    return this;
  }

  private Behavior<Command> onReport() {
    if (wrongSecrets > 0) {
      getContext()
          .getLog()
          .warn("{} claims of mesh ids with another secret were refused", wrongSecrets);
      wrongSecrets = 0;
    }
    return this;
  }

  private static void refuse(ActorRef<Reply> replyTo, Failure failure, String message) {
    replyTo.tell(new Refusal(new Refused(failure, message), Duration.ZERO));
  }

  private static void refuse(ActorRef<Reply> replyTo, RateLimitedException limited) {
    replyTo.tell(new Refusal(limited.refused(), limited.delay()));
  }
}
