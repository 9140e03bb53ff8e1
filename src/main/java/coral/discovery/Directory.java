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
import java.util.List;
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

  sealed interface Command {}

  /**
   * Announces a colony. Answered with {@link Registered} or {@link Refusal}.
   *
   * @param claim empty if nobody has signed it
   */
  record Register(
      Announcement announcement,
      Secret secret,
      Optional<OwnerClaim> claim,
      InetAddress source,
      ActorRef<Reply> replyTo)
      implements Command {}

  /**
   * Gives a colony another secret. Answered with {@link Rotated} or {@link Refusal}.
   *
   * @param proven hash of the secret that was shown
   * @param next hash of the new one
   * @param grace how long the current one holds on
   * @param claim empty if nobody has signed it
   */
  record Rotate(
      ColonyId meshId,
      String proven,
      String next,
      Duration grace,
      Optional<OwnerClaim> claim,
      ActorRef<Reply> replyTo)
      implements Command {}

  /**
   * Frees a mesh id, as discovery's operator wants it. Answered with {@link Forgotten} or {@link
   * Refusal}.
   */
  record Forget(ColonyId meshId, ActorRef<Reply> replyTo) implements Command {}

  /** Answered with {@link Found} or a {@link Refusal} with NOT_FOUND. */
  record Lookup(ColonyId meshId, ActorRef<Reply> replyTo) implements Command {}

  /** Asks who owns a mesh id, announced at present or not. Answered with {@link Owned}. */
  record FindOwned(ColonyId meshId, ActorRef<Reply> replyTo) implements Command {}

  /** Asks for everything that is held. Answered with {@link Listed}. */
  record FindAll(ActorRef<Reply> replyTo) implements Command {}

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

  record Listed(List<ColonyEntry> entries) implements Reply {}

  record Forgotten() implements Reply {}

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

  private final ColonyDirectory directory;
  private final PendingWrites pending;
  private final SecretCheck secrets;
  private final DiscoveryLimits limits;
  private final Writer writer;
  private final InstantSource clock;
  private final Executor storage;
  private final DirectoryNews news;

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
    this.pending = new PendingWrites(directory);
    this.writer = writer;
    this.clock = clock;
    this.secrets = secrets;
    this.limits = limits;
    this.storage = storage;
    this.news = new DirectoryNews(context.getLog());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Register.class, this::onRegister)
        .onMessage(Hashed.class, this::onHashed)
        .onMessage(Rotate.class, this::onRotate)
        .onMessage(Forget.class, this::onForget)
        .onMessage(Lookup.class, this::onLookup)
        .onMessage(FindOwned.class, this::onFindOwned)
        .onMessage(FindAll.class, this::onFindAll)
        .onMessage(Count.class, this::onCount)
        .onMessage(Written.class, this::onWritten)
        .onMessageEquals(Tick.PRUNE, this::onPrune)
        .onMessageEquals(Tick.REPORT, this::onReport)
        .build();
  }

  private Behavior<Command> onRegister(Register register) {
    ColonyId meshId = register.announcement().meshId();
    try {
      // Before any hash is computed: whoever cannot sign for the colony learns nothing of secrets.
      directory.requireOwner(meshId, register.claim(), clock.instant());
    } catch (RefusedException e) {
      news.wrongClaim(meshId);
      limits.unproven(register.source());
      refuse(register.replyTo(), e);
      return this;
    }
    List<String> hashes = directory.secrets(meshId, clock.instant());
    if (hashes.isEmpty() && !directory.hasRoom(meshId)) {
      // Before any hash is computed: a full directory costs a stranger's request nothing.
      refuse(register.replyTo(), Failure.LIMIT_REACHED, "this directory is full");
      return this;
    }
    try {
      CompletionStage<Optional<String>> hash;
      if (hashes.isEmpty()) {
        limits.requireNewColony(register.source());
        hash = secrets.first(meshId, register.secret()).thenApply(Optional::of);
        limits.newColony(register.source());
      } else {
        hash = secrets.match(meshId, register.secret(), hashes, register.source());
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
      news.wrongClaim(meshId);
      String message = "the mesh id " + meshId + " belongs to another colony secret";
      refuse(register.replyTo(), Failure.MESH_ID_TAKEN, message);
    } else {
      List<String> hashes = directory.secrets(meshId, clock.instant());
      if (!hashes.isEmpty() && !hashes.contains(hashed.hash().get())) {
        return onRegister(register); // claimed by another registration meanwhile: ask its hash
      }
      announce(register, hashed.hash().get());
    }
    return this;
  }

  private void announce(Register register, String hash) {
    ColonyEntry entry;
    try {
      entry = directory.announce(register.announcement(), hash, register.claim(), clock.instant());
    } catch (RefusedException e) {
      refuse(register.replyTo(), e);
      return;
    }
    pending.put(entry, new Registered(directory.lifetime(), entry.expiresAt()), register.replyTo());
    write();
  }

  private Behavior<Command> onRotate(Rotate rotate) {
    ColonyEntry entry;
    try {
      entry =
          directory.rotate(
              rotate.meshId(),
              rotate.proven(),
              rotate.next(),
              rotate.grace(),
              rotate.claim(),
              clock.instant());
    } catch (RefusedException e) {
      refuse(rotate.replyTo(), e);
      return this;
    }
    pending.put(entry, new Rotated(entry.secrets()), rotate.replyTo());
    write();
    return this;
  }

  private Behavior<Command> onForget(Forget forget) {
    if (directory.owned(forget.meshId(), clock.instant()).isEmpty()) {
      refuse(forget.replyTo(), Failure.NOT_FOUND, "nobody owns the mesh id " + forget.meshId());
      return this;
    }
    pending.forget(forget.meshId(), new Forgotten(), forget.replyTo());
    write();
    return this;
  }

  private void write() {
    Optional<PendingWrites.Batch> next = pending.next(clock.instant());
    if (next.isEmpty()) {
      return;
    }
    PendingWrites.Batch batch = next.get();
    Writer to = writer;
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    to.write(batch.entries(), batch.removed());
                    return true;
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                },
                storage),
            (done, failure) -> new Written(failure));
  }

  private Behavior<Command> onWritten(Written written) {
    if (written.failure() == null) {
      for (PendingWrites.Change change : pending.written()) {
        news.tell(change);
        change.replyTo().tell(change.answer());
      }
    } else {
      getContext().getLog().error("The directory could not be written", written.failure());
      for (PendingWrites.Change change : pending.failed()) {
        refuse(
            change.replyTo(),
            Failure.STORE_UNAVAILABLE,
            "the directory's database could not be written");
      }
    }
    write();
    return this;
  }

  private Behavior<Command> onLookup(Lookup lookup) {
    Optional<ColonyEntry> entry = pending.durable().lookup(lookup.meshId(), clock.instant());
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
    find.replyTo().tell(new Owned(pending.durable().owned(find.meshId(), clock.instant())));
    return this;
  }

  private Behavior<Command> onFindAll(FindAll find) {
    find.replyTo().tell(new Listed(pending.durable().all()));
    return this;
  }

  private Behavior<Command> onCount(Count count) {
    count.replyTo().tell(new Counted(pending.durable().live(clock.instant())));
    return this;
  }

  private Behavior<Command> onPrune() {
    pending.prune(clock.instant());
    write();
    return this;
  }

  private Behavior<Command> onReport() {
    news.report();
    return this;
  }

  private static void refuse(ActorRef<Reply> replyTo, Failure failure, String message) {
    replyTo.tell(new Refusal(new Refused(failure, message), Duration.ZERO));
  }

  private static void refuse(ActorRef<Reply> replyTo, RefusedException e) {
    replyTo.tell(new Refusal(e.refused(), Duration.ZERO));
  }

  private static void refuse(ActorRef<Reply> replyTo, RateLimitedException limited) {
    replyTo.tell(new Refusal(limited.refused(), limited.delay()));
  }
}
