package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.agent.JoinReport.StepTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Joins the colony: takes the {@link JoinStep}s in order, and all of them again, after a pause,
 * when one fails or the session that followed is lost. Decides what to do about every failure.
 */
final class JoinColony extends AbstractBehavior<JoinColony.Command> {
  sealed interface Command {}

  /** The session is open: the host is a member. */
  enum SessionOpened implements Command {
    INSTANCE
  }

  /** The colony takes the session seriously: its loss would be a new trouble. */
  enum SessionConfirmed implements Command {
    INSTANCE
  }

  /** The session is over, or could not be opened: joins again if that makes sense. */
  record SessionEnded(JoinFailure reason) implements Command {}

  /** There is a newer certificate: joins again with it, unless it is at it anyway. */
  enum Reconnect implements Command {
    INSTANCE
  }

  private enum Retry implements Command {
    INSTANCE
  }

  /**
   * @param startedAt and {@code endedAt}: of the monotonic clock, in nanoseconds
   */
  private record StepDone(JoinStep step, long startedAt, long endedAt, String detail)
      implements Command {}

  private record Completed(JoinResult result) implements Command {}

  private record Failed(JoinStep step, JoinFailure failure) implements Command {}

  /** What the parent hears. */
  sealed interface Outcome {}

  /**
   * The session can be opened.
   *
   * @param took from creating the interface to the first probe answered, failed attempts included;
   *     empty for a member
   * @param steps in their order, as they went last
   */
  record Joined(JoinResult result, Optional<Duration> took, List<StepTime> steps)
      implements Outcome {
    Joined {
      steps = List.copyOf(steps);
    }

    /** The same of a colony that has moved or changed its key. */
    Joined withMembership(Membership membership) {
      return new Joined(result.withMembership(membership), took, steps);
    }
  }

  /** There is no sense in another attempt. */
  record GaveUp(JoinFailure reason) implements Outcome {}

  private final AgentDependencies with;
  private final TimerScheduler<Command> timers;
  private final ActorRef<Outcome> parent;
  private final ActorRef<AgentEvent> listener;
  private final OutageLog outage;

  private final Map<JoinStep, Duration> stepTimes = new EnumMap<>(JoinStep.class);
  private String requestId;
  private int failures;
  private int silences;
  private boolean buyCertificate;
  private boolean boughtAgain;
  private boolean isMember;
  private boolean isRevoked;
  private boolean isAttempting;

  /** This join has come to its end: what follows is another, with another request id. */
  private boolean isComplete;

  private @Nullable Long interfaceCreatedAt;
  private long lastStepEndedAt;

  /**
   * @param listener hears of every step and every failure
   */
  static Behavior<Command> create(
      AgentDependencies dependencies, ActorRef<Outcome> parent, ActorRef<AgentEvent> listener) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new JoinColony(context, timers, dependencies, parent, listener)));
  }

  private JoinColony(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      AgentDependencies dependencies,
      ActorRef<Outcome> parent,
      ActorRef<AgentEvent> listener) {
    super(context);
    this.timers = timers;
    this.with = dependencies;
    this.parent = parent;
    this.listener = listener;
    this.outage = new OutageLog(context.getLog(), with.nanoTime());
    this.requestId = with.requestIds().get();
    attempt();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(StepDone.class, this::onStepDone)
        .onMessage(Completed.class, this::onCompleted)
        .onMessage(Failed.class, failed -> onAttemptFailed(failed))
        .onMessageEquals(Retry.INSTANCE, this::attempt)
        .onMessageEquals(Reconnect.INSTANCE, this::onReconnect)
        .onMessageEquals(SessionOpened.INSTANCE, this::onSessionOpened)
        .onMessageEquals(SessionConfirmed.INSTANCE, this::onSessionConfirmed)
        .onMessage(SessionEnded.class, ended -> onFailed(JoinStep.OPEN_SESSION, ended.reason()))
        .build();
  }

  private Behavior<Command> attempt() {
    isAttempting = true;
    JoinAttempt attempt = new JoinAttempt(requestId, silences, buyCertificate, isMember);
    ActorRef<Command> self = getContext().getSelf();
    JoinSteps steps = with.steps();
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return steps.run(
                        attempt,
                        (step, startedAt, endedAt, detail) ->
                            self.tell(new StepDone(step, startedAt, endedAt, detail)));
                  } catch (StepFailedException e) {
                    throw new CompletionException(e);
                  }
                },
                with.blocking()),
            (result, failure) -> failure == null ? new Completed(result) : failed(failure));
    return this;
  }

  private static Failed failed(Throwable thrown) {
    Throwable cause = thrown instanceof CompletionException ? thrown.getCause() : thrown;
    return cause instanceof StepFailedException failed
        ? new Failed(failed.step(), failed.failure())
        : new Failed(JoinStep.FIND_COLONY, JoinFailure.defect(thrown));
  }

  private Behavior<Command> onStepDone(StepDone done) {
    Duration took = Duration.ofNanos(done.endedAt() - done.startedAt());
    lastStepEndedAt = done.endedAt();
    if (done.step() == JoinStep.CERTIFICATE) {
      buyCertificate = false;
    }
    if (done.step() == JoinStep.CREATE_INTERFACE) {
      if (interfaceCreatedAt == null) {
        interfaceCreatedAt = done.startedAt();
      }
      stepTimes.putIfAbsent(done.step(), took); // created once, found in every later attempt
    } else {
      stepTimes.put(done.step(), took);
    }
    outage.done(done.step(), took);
    listener.tell(new AgentEvent.StepDone(done.step(), took, done.detail()));
    return this;
  }

  private Behavior<Command> onAttemptFailed(Failed failed) {
    isAttempting = false;
    return onFailed(failed.step(), failed.failure());
  }

  private Behavior<Command> onReconnect() {
    if (isAttempting || timers.isTimerActive(Retry.INSTANCE)) {
      return this; // it reads what is on disk
    }
    nextJoin();
    return attempt();
  }

  private Behavior<Command> onCompleted(Completed completed) {
    isAttempting = false;
    List<StepTime> times = new ArrayList<>();
    stepTimes.forEach((step, took) -> times.add(new StepTime(step, took)));
    parent.tell(new Joined(completed.result(), joinTook(), times));
    return this;
  }

  private Optional<Duration> joinTook() {
    return isMember || interfaceCreatedAt == null
        ? Optional.empty()
        : Optional.of(Duration.ofNanos(lastStepEndedAt - interfaceCreatedAt));
  }

  private Behavior<Command> onSessionOpened() {
    isMember = true;
    isRevoked = false;
    isComplete = true;
    outage.recovered();
    return this;
  }

  private Behavior<Command> onSessionConfirmed() {
    failures = 0;
    boughtAgain = false;
    return this;
  }

  /** One place for everything that goes wrong. */
  private Behavior<Command> onFailed(JoinStep step, JoinFailure failure) {
    boolean certificateIsNoUse =
        failure.kind() == Kind.CERTIFICATE_REFUSED || failure.kind() == Kind.CERTIFICATE_EXPIRED;
    isRevoked |= failure.kind() == Kind.REVOKED;
    if (certificateIsNoUse
        && !boughtAgain
        && !isRevoked
        && with.settings().credentials().canPay()) {
      getContext().getLog().warn("{}; buying a new certificate", failure.message());
      boughtAgain = true;
      buyCertificate = true;
      return attempt();
    }
    failures++;
    BackOff backOff = with.settings().backOff();
    switch (failure.kind().remedy(isMember)) {
      case RETRY -> {
        Duration pause = backOff.after(failures, with.random());
        retryIn(BackOff.obeying(pause, failure.retryAfter(), with.random()), step, failure);
      }
      case RETRY_SLOWLY -> retryIn(backOff.slowly(with.random()), step, failure);
      case STOP -> {
        listener.tell(new AgentEvent.Failed(step, failure, Optional.empty()));
        parent.tell(new GaveUp(failure));
      }
    }
    return this;
  }

  private void retryIn(Duration pause, JoinStep step, JoinFailure failure) {
    String stays = isMember && !isRevoked ? "the tunnel stays as it is; " : "";
    outage.failed(step, failure, stays + "next try in " + pause.toMillis() + " ms");
    if (failure.kind() == Kind.TUNNEL_SILENT) {
      silences++;
    }
    nextJoin();
    timers.startSingleTimer(Retry.INSTANCE, pause);
    listener.tell(new AgentEvent.Failed(step, failure, Optional.of(pause)));
  }

  private void nextJoin() {
    if (isComplete) {
      requestId = with.requestIds().get();
      isComplete = false;
    }
  }
}
