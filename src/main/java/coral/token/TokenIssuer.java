package coral.token;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Signs registration tokens for those who have shown a colony's secret, and rotates discovery's
 * keys: by time, and when asked. Keys are stored before they are shown or used.
 */
public final class TokenIssuer extends AbstractBehavior<TokenIssuer.Command> {
  /** Rotations are a matter of days, and a store that failed is tried again as often. */
  static final Duration CHECK_INTERVAL = Duration.ofMinutes(1);

  /** What the issuer is asked. */
  public sealed interface Command {}

  /**
   * Sign a token for an agent whose right to it has been checked.
   *
   * @param keyHash the key that shall be certified
   * @param wireGuardKey not beside {@code keyHash}
   * @param replyTo gets {@link Issued}, or {@link Refusal}: INVALID_ARGUMENT, LIMIT_REACHED
   */
  public record Issue(
      AgentId agentId,
      ColonyId colonyId,
      Optional<PublicKeyHash> keyHash,
      Optional<WireGuardKey> wireGuardKey,
      ActorRef<Reply> replyTo)
      implements Command {}

  /**
   * The keys to publish.
   *
   * @param replyTo gets {@link Published}
   */
  public record GetKeys(ActorRef<Reply> replyTo) implements Command {}

  /**
   * Let the next key sign from now on.
   *
   * @param replyTo gets {@link Published} once it does, or {@link Refusal}: FAILED_PRECONDITION if
   *     the next key has not been published for long enough, STORE_UNAVAILABLE
   */
  public record Rotate(ActorRef<Reply> replyTo) implements Command {}

  private record Signed(
      @Nullable Issued issued, @Nullable Throwable failure, ActorRef<Reply> replyTo)
      implements Command {}

  private record Stored(SigningKeys keys, @Nullable Throwable failure) implements Command {}

  private enum Check implements Command {
    INSTANCE
  }

  /** What the issuer answers. */
  public sealed interface Reply {}

  /**
   * A token was signed.
   *
   * @param compact the token itself: for the agent that asked, and for nobody's log
   */
  public record Issued(String compact, RegistrationToken token) implements Reply {
    /** Without the token. */
    @Override
    public String toString() {
      return "Issued[" + token.id() + " to " + token.agentId() + "]";
    }
  }

  /** All keys in the order in which they came. */
  public record Published(List<PublishedKey> keys) implements Reply {
    public Published {
      keys = List.copyOf(keys);
    }

    /** The key that signs. */
    public PublishedKey current() {
      return keys.stream()
          .filter(key -> key.state() == PublishedKey.State.CURRENT)
          .findFirst()
          .orElseThrow();
    }
  }

  /** Nothing was changed. */
  public record Refusal(Refused refused) implements Reply {}

  /** Keeps keys over a restart. */
  @FunctionalInterface
  public interface Store {
    /**
     * Replaces what was stored. Blocks; the keys survive a power failure on return.
     *
     * @throws IOException if that is not certain
     */
    void save(SigningKeys keys) throws IOException;
  }

  private final TokenSettings settings;
  private final Store store;
  private final InstantSource clock;
  private final SecureRandom random;
  private final Executor signing;
  private final Executor storage;
  private final List<ActorRef<Reply>> rotationWaiters = new ArrayList<>();
  private SigningKeys keys;
  private int beingSigned;
  private boolean storing;

  /**
   * The issuer of a discovery.
   *
   * @param keys as they are stored
   * @param signing runs what takes 40 microseconds of a core; of a bounded number of threads
   * @param storage runs what blocks
   */
  public static Behavior<Command> create(
      SigningKeys keys,
      TokenSettings settings,
      Store store,
      InstantSource clock,
      SecureRandom random,
      Executor signing,
      Executor storage) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> {
                  context.getSelf().tell(Check.INSTANCE); // a rotation may have come due meanwhile
                  timers.startTimerWithFixedDelay(Check.INSTANCE, CHECK_INTERVAL);
                  return new TokenIssuer(
                      context, keys, settings, store, clock, random, signing, storage);
                }));
  }

  private TokenIssuer(
      ActorContext<Command> context,
      SigningKeys keys,
      TokenSettings settings,
      Store store,
      InstantSource clock,
      SecureRandom random,
      Executor signing,
      Executor storage) {
    super(context);
    this.keys = keys;
    this.settings = settings;
    this.store = store;
    this.clock = clock;
    this.random = random;
    this.signing = signing;
    this.storage = storage;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Issue.class, this::onIssue)
        .onMessage(Signed.class, this::onSigned)
        .onMessage(GetKeys.class, this::onGetKeys)
        .onMessage(Rotate.class, this::onRotate)
        .onMessage(Stored.class, this::onStored)
        .onMessageEquals(Check.INSTANCE, this::onCheck)
        .build();
  }

  private Behavior<Command> onIssue(Issue issue) {
    if (beingSigned >= settings.maxWaiting()) {
      refuse(
          issue.replyTo(),
          new Refused(
              Failure.LIMIT_REACHED,
              settings.maxWaiting() + " tokens wait to be signed; ask again in a second"));
      return this;
    }
    if (issue.keyHash().isPresent() && issue.wireGuardKey().isPresent()) {
      refuse(
          issue.replyTo(),
          new Refused(
              Failure.INVALID_ARGUMENT,
              "a token is bound to the key of a certificate or to a WireGuard key, not to both"));
      return this;
    }
    beingSigned++;
    SigningKey key = keys.current();
    Instant now = clock.instant();
    SecureRandom ids = random;
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(() -> sign(issue, key, now, ids), signing),
            (issued, failure) -> new Signed(issued, failure, issue.replyTo()));
    return this;
  }

  private static Issued sign(Issue issue, SigningKey key, Instant now, SecureRandom ids) {
    RegistrationToken token =
        RegistrationToken.create(
            issue.agentId(), issue.colonyId(), issue.keyHash(), issue.wireGuardKey(), now, ids);
    return new Issued(key.sign(token), token);
  }

  private Behavior<Command> onSigned(Signed signed) {
    beingSigned--;
    if (signed.issued() != null) {
      signed.replyTo().tell(signed.issued());
    } else {
      getContext().getLog().error("A token could not be signed", signed.failure());
      refuse(
          signed.replyTo(),
          new Refused(Failure.INTERNAL, "the token could not be signed; ask again"));
    }
    return this;
  }

  private Behavior<Command> onGetKeys(GetKeys get) {
    get.replyTo().tell(new Published(keys.published()));
    return this;
  }

  private Behavior<Command> onRotate(Rotate rotate) {
    if (storing) {
      rotationWaiters.add(rotate.replyTo()); // the rotation under way is the one that was asked for
      return this;
    }
    try {
      rotationWaiters.add(rotate.replyTo());
      this.rotate();
    } catch (RefusedException e) {
      rotationWaiters.remove(rotate.replyTo());
      refuse(rotate.replyTo(), e.refused());
    }
    return this;
  }

  private Behavior<Command> onCheck() {
    if (!storing && keys.isRotationDue(clock.instant(), settings)) {
      rotate();
    }
    return this;
  }

  private void rotate() {
    SigningKeys rotated = keys.rotated(clock.instant(), settings, random);
    storing = true;
    Store to = store;
    getContext()
        .pipeToSelf(
            CompletableFuture.runAsync(
                () -> {
                  try {
                    to.save(rotated);
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                },
                storage),
            (done, failure) -> new Stored(rotated, failure));
  }

  private Behavior<Command> onStored(Stored stored) {
    storing = false;
    Reply reply;
    if (stored.failure() == null) {
      keys = stored.keys();
      getContext()
          .getLog()
          .info("Tokens are signed with the key {}", keys.current().publicKey().id());
      reply = new Published(keys.published());
    } else {
      getContext()
          .getLog()
          .error(
              "The signing keys could not be stored; the key {} keeps signing, next try in {} s",
              keys.current().publicKey().id(),
              CHECK_INTERVAL.toSeconds(),
              stored.failure());
      reply =
          new Refusal(
              new Refused(
                  Failure.STORE_UNAVAILABLE,
                  "the signing keys could not be stored, so the present one keeps signing; see the"
                      + " log of discovery"));
    }
    rotationWaiters.forEach(waiter -> waiter.tell(reply));
    rotationWaiters.clear();
    return this;
  }

  private static void refuse(ActorRef<Reply> replyTo, Refused refused) {
    replyTo.tell(new Refusal(refused));
  }
}
