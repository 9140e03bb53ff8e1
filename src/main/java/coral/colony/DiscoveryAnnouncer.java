package coral.colony;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Announces the colony to discovery and renews that. Discovery that is down is a warning: agents
 * that know where the colony is do not need it, and tunnels never do.
 */
final class DiscoveryAnnouncer extends AbstractBehavior<DiscoveryAnnouncer.Command> {
  /** RFD 005: an entry lives for 300 s, so four renewals may be lost. */
  static final Duration RENEWAL = Duration.ofSeconds(60);

  static final Duration FIRST_PAUSE = Duration.ofSeconds(1);

  sealed interface Command {}

  private record Announce() implements Command {}

  private record Announced(@Nullable Throwable failure) implements Command {}

  /**
   * The announcer.
   *
   * @param announcement registers the colony once; must not block
   * @param problem is set to what is wrong, and to empty when it is mended
   */
  static Behavior<Command> create(
      Supplier<CompletionStage<Done>> announcement, AtomicReference<Optional<String>> problem) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new DiscoveryAnnouncer(context, timers, announcement, problem)));
  }

  private final TimerScheduler<Command> timers;
  private final Supplier<CompletionStage<Done>> announcement;
  private final AtomicReference<Optional<String>> problem;
  private Duration pause = FIRST_PAUSE;
  private boolean announced;

  private DiscoveryAnnouncer(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Supplier<CompletionStage<Done>> announcement,
      AtomicReference<Optional<String>> problem) {
    super(context);
    this.timers = timers;
    this.announcement = announcement;
    this.problem = problem;
    context.getSelf().tell(new Announce());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Announce.class, announce -> onAnnounce())
        .onMessage(Announced.class, this::onAnnounced)
        .build();
  }

  private Behavior<Command> onAnnounce() {
    getContext().pipeToSelf(announcement.get(), (done, failure) -> new Announced(failure));
    return this;
  }

  private Behavior<Command> onAnnounced(Announced outcome) {
    Throwable failure = outcome.failure();
    if (failure == null) {
      if (!announced) {
        getContext().getLog().info("Announced to discovery");
      }
      announced = true;
      pause = FIRST_PAUSE;
      timers.startSingleTimer(new Announce(), RENEWAL);
      problem.set(Optional.empty());
      return this;
    }
    Throwable cause = coral.rpc.FailureStatus.unwrap(failure);
    String sentence = "the colony is not announced to discovery: " + cause.getMessage();
    announced = false;
    long millis = pause.toMillis();
    timers.startSingleTimer(
        new Announce(),
        Duration.ofMillis(millis / 2 + ThreadLocalRandom.current().nextLong(millis / 2 + 1)));
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(RENEWAL) < 0 ? doubled : RENEWAL;
    // The same trouble is told once, not with each attempt.
    if (!problem.getAndSet(Optional.of(sentence)).equals(Optional.of(sentence))) {
      getContext().getLog().warn("{}; it goes on trying", sentence);
    }
    return this;
  }
}
