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
 * Something that the colony does at discovery at once, and again after a while, for ever. Discovery
 * that is down is a warning: agents that know where the colony is do not need it, and tunnels never
 * do.
 */
final class DiscoveryTask extends AbstractBehavior<DiscoveryTask.Command> {
  static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

  /**
   * What is done.
   *
   * @param done what to log when it was done for the first time
   * @param notDone what to say before the reason why it was not
   * @param interval until it is done again
   */
  record Task(String done, String notDone, Duration interval) {}

  /** RFD 005: an entry lives for 300 s, so four renewals may be lost. */
  static final Task ANNOUNCEMENT =
      new Task(
          "Announced to discovery",
          "the colony is not announced to discovery",
          Duration.ofSeconds(60));

  /** A new key is published days before it signs, and a token of an unknown one is a reason too. */
  static final Task KEYS =
      new Task(
          "The keys of registration tokens are read",
          "the keys of registration tokens are not read from discovery",
          Duration.ofHours(1));

  sealed interface Command {}

  private record Call() implements Command {}

  private record Called(@Nullable Throwable failure) implements Command {}

  /**
   * Does it at once.
   *
   * @param call does it once; must not block
   * @param problem is set to what is wrong, and to empty when it is mended
   */
  static Behavior<Command> create(
      Task task, Supplier<CompletionStage<Done>> call, AtomicReference<Optional<String>> problem) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new DiscoveryTask(context, timers, task, call, problem)));
  }

  private final TimerScheduler<Command> timers;
  private final Task task;
  private final Supplier<CompletionStage<Done>> call;
  private final AtomicReference<Optional<String>> problem;
  private Duration pause = FIRST_PAUSE;
  private boolean done;

  private DiscoveryTask(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Task task,
      Supplier<CompletionStage<Done>> call,
      AtomicReference<Optional<String>> problem) {
    super(context);
    this.timers = timers;
    this.task = task;
    this.call = call;
    this.problem = problem;
    context.getSelf().tell(new Call());
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Call.class, again -> onCall())
        .onMessage(Called.class, this::onCalled)
        .build();
  }

  private Behavior<Command> onCall() {
    getContext().pipeToSelf(call.get(), (done, failure) -> new Called(failure));
    return this;
  }

  private Behavior<Command> onCalled(Called outcome) {
    Throwable failure = outcome.failure();
    if (failure == null) {
      if (!done) {
        getContext().getLog().info("{}", task.done());
      }
      done = true;
      pause = FIRST_PAUSE;
      timers.startSingleTimer(new Call(), task.interval());
      problem.set(Optional.empty());
      return this;
    }
    Throwable cause = coral.rpc.FailureStatus.unwrap(failure);
    String sentence = task.notDone() + ": " + cause.getMessage();
    done = false;
    long millis = pause.toMillis();
    timers.startSingleTimer(
        new Call(),
        Duration.ofMillis(millis / 2 + ThreadLocalRandom.current().nextLong(millis / 2 + 1)));
    Duration doubled = pause.multipliedBy(2);
    pause = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
    // The same trouble is told once, not with each attempt.
    if (!problem.getAndSet(Optional.of(sentence)).equals(Optional.of(sentence))) {
      getContext().getLog().warn("{}; it goes on trying", sentence);
    }
    return this;
  }
}
