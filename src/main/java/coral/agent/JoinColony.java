package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.agent.JoinProgress.Credentials;
import coral.agent.JoinReport.StepTime;
import coral.model.Endpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Makes the host a member of the colony's mesh and keeps it one: takes the {@link JoinStep}s in
 * order, and all of them again, after a pause, when one fails or the session is lost. The interface
 * outlives every attempt, so a tunnel that works keeps working; it is removed when this actor
 * stops.
 */
final class JoinColony extends AbstractBehavior<JoinColony.Command> {

  sealed interface Command {}

  /** Ends the session, removes the interface and stops. */
  enum Leave implements Command {
    INSTANCE
  }

  private enum Retry implements Command {
    INSTANCE
  }

  /**
   * @param startedAt and {@code endedAt}: of the monotonic clock, in nanoseconds
   */
  private record StepDone(JoinStep step, JoinProgress progress, long startedAt, long endedAt)
      implements Command {
    Duration took() {
      return Duration.ofNanos(endedAt - startedAt);
    }
  }

  private record StepFailed(JoinStep step, JoinFailure failure) implements Command {}

  private record Received(int session, SessionMessage message) implements Command {}

  private record Probed(ProbeResult result) implements Command {}

  private record DeviceLost(String cause) implements Command {}

  private record ColonyApplied(Optional<JoinFailure> failure) implements Command {}

  /**
   * What this actor works with.
   *
   * @param nanoTime a monotonic clock, in nanoseconds
   * @param random from 0 (included) to 1 (excluded), for the jitter
   * @param requestIds a new one at each call
   * @param onHost whether the tunnel ends at an interface of the host, for the report
   * @param blocking where calls that block run
   */
  record Dependencies(
      AgentSettings settings,
      JoinSteps steps,
      ColonyClient colony,
      Tunnel tunnel,
      boolean onHost,
      LongSupplier nanoTime,
      DoubleSupplier random,
      Supplier<String> requestIds,
      Executor blocking) {}

  private final Dependencies with;
  private final TimerScheduler<Command> timers;
  private final ActorRef<AgentEvent> listener;

  private final Map<JoinStep, Duration> stepTimes = new EnumMap<>(JoinStep.class);
  private JoinProgress progress;
  private int failures;
  private boolean isMember;
  private boolean boughtAgain;

  /** This join has come to its end: what follows is another, with another request id. */
  private boolean isComplete;

  private @Nullable Long interfaceCreatedAt;
  private Optional<Duration> joinTook = Optional.empty();
  private long sessionStartedAt;
  private int sessions;
  private @Nullable ActorRef<ColonySession.Command> session;
  private @Nullable ActorRef<TunnelProbe.Command> tunnelProbe;

  /**
   * @param listener hears of every step, every failure, every probe; {@link AgentEvent.Stopped} is
   *     the last
   */
  static Behavior<Command> create(Dependencies dependencies, ActorRef<AgentEvent> listener) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new JoinColony(context, timers, dependencies, listener)));
  }

  private JoinColony(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Dependencies dependencies,
      ActorRef<AgentEvent> listener) {
    super(context);
    this.timers = timers;
    this.with = dependencies;
    this.listener = listener;
    this.progress = JoinProgress.start(with.requestIds().get(), 0, false);
    ActorRef<Command> self = context.getSelf();
    with.tunnel().onFailure(cause -> self.tell(new DeviceLost(cause)));
    run(JoinStep.FIND_COLONY);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(StepDone.class, this::onStepDone)
        .onMessage(StepFailed.class, failed -> failed(failed.step(), failed.failure()))
        .onMessageEquals(Retry.INSTANCE, this::onRetry)
        .onMessage(Received.class, this::onReceived)
        .onMessage(ColonyApplied.class, this::onColonyApplied)
        .onMessage(Probed.class, this::onProbed)
        .onMessage(
            DeviceLost.class,
            lost ->
                failed(
                    JoinStep.CREATE_INTERFACE,
                    new JoinFailure(Kind.DEVICE_LOST, "the interface is lost: " + lost.cause())))
        .onMessageEquals(Leave.INSTANCE, () -> stop(Optional.empty()))
        .onSignal(PostStop.class, signal -> onPostStop())
        .build();
  }

  private Behavior<Command> onStepDone(StepDone done) {
    progress = done.progress();
    if (done.step() == JoinStep.CREATE_INTERFACE && !isMember && interfaceCreatedAt == null) {
      interfaceCreatedAt = done.startedAt();
    }
    if (done.step() == JoinStep.PROBE_TUNNEL && isSilent() && !isMember) {
      return failed(done.step(), silence());
    }
    if (done.step() == JoinStep.PROBE_TUNNEL && interfaceCreatedAt != null) {
      joinTook = Optional.of(Duration.ofNanos(done.endedAt() - interfaceCreatedAt));
      interfaceCreatedAt = null;
    }
    stepDone(done.step(), done.took());
    if (done.step().next() == JoinStep.OPEN_SESSION) {
      openSession();
    } else {
      run(done.step().next());
    }
    return this;
  }

  /** A member whose tunnel is silent opens its session all the same: the colony should know. */
  private boolean isSilent() {
    return !progress.probe().orElseThrow().isAnswered();
  }

  private JoinFailure silence() {
    return new JoinFailure(
        Kind.TUNNEL_SILENT,
        "no echo from "
            + progress.probe().orElseThrow().silent()
            + " through the tunnel; is UDP to "
            + progress.membership().orElseThrow().colonyEndpoints()
            + " let through?");
  }

  private Behavior<Command> onRetry() {
    run(JoinStep.FIND_COLONY);
    return this;
  }

  private Behavior<Command> onReceived(Received received) {
    if (received.session() != sessions) {
      return this; // of a session that was given up
    }
    SessionMessage message = received.message();
    if (message instanceof SessionMessage.Opened opened) {
      joined(opened);
    } else if (message instanceof SessionMessage.HeartbeatReceived) {
      failures = 0; // the colony takes this session seriously: the next loss is a new trouble
      boughtAgain = false;
    } else if (message instanceof SessionMessage.ColonyChanged changed) {
      applyColony(changed);
    } else if (message instanceof SessionMessage.Ended last) {
      session = null;
      return failed(JoinStep.OPEN_SESSION, last.reason());
    }
    return this;
  }

  private void joined(SessionMessage.Opened opened) {
    stepDone(JoinStep.OPEN_SESSION, Duration.ofNanos(now() - sessionStartedAt));
    isMember = true;
    isComplete = true;
    Membership membership = progress.membership().orElseThrow();
    X509Certificate certificate =
        progress.credentials().map(Credentials::identity).orElseThrow().certificate();
    List<StepTime> times = new ArrayList<>();
    stepTimes.forEach((step, took) -> times.add(new StepTime(step, took)));
    JoinReport report =
        new JoinReport(
            with.settings().agentId(),
            with.settings().colonyId(),
            with.tunnel().name(),
            with.onHost(),
            membership.own(),
            certificate.getSerialNumber().toString(16),
            certificate.getNotAfter().toInstant(),
            joinTook,
            times,
            progress.probe().orElseThrow());
    getContext()
        .getLog()
        .info(
            "{} is a member of {} as {} and {} (session {})",
            report.agentId(),
            report.colonyId(),
            report.addresses().ipv4Text(),
            report.addresses().ipv6Text(),
            opened.generation());
    joinTook = Optional.empty();
    listener.tell(new AgentEvent.Joined(report));
    if (tunnelProbe == null) {
      tunnelProbe =
          getContext()
              .spawn(
                  TunnelProbe.create(
                      () -> probe(with),
                      with.settings().probeInterval(),
                      with.blocking(),
                      getContext().messageAdapter(ProbeResult.class, Probed::new)),
                  "tunnel-probe");
    }
  }

  /** Runs on a blocking thread. */
  private static ProbeResult probe(Dependencies with) {
    try {
      return with.tunnel().probe(with.settings().probeTimeout());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void applyColony(SessionMessage.ColonyChanged changed) {
    Membership current = progress.membership().orElseThrow();
    if (current.colonyKey().equals(changed.key())
        && current.colonyEndpoints().equals(changed.endpoints())) {
      return; // a colony tells it at the start of each session
    }
    getContext()
        .getLog()
        .warn("The colony's WireGuard socket is now at {}: {}", changed.endpoints(), changed.key());
    progress = progress.withMembership(current.withColony(changed.key(), changed.endpoints()));
    JoinProgress applied = progress;
    getContext()
        .pipeToSelf(
            supply(() -> with.steps().run(JoinStep.ADD_COLONY, applied)),
            (done, failure) ->
                new ColonyApplied(
                    failure == null ? Optional.empty() : Optional.of(failureOf(failure))));
  }

  private Behavior<Command> onColonyApplied(ColonyApplied applied) {
    applied
        .failure()
        .ifPresent(failure -> getContext().getLog().warn("Change failed: {}", failure.message()));
    return this;
  }

  private Behavior<Command> onProbed(Probed probed) {
    if (session != null) {
      session.tell(new ColonySession.Probed(probed.result()));
    }
    listener.tell(new AgentEvent.Probed(probed.result()));
    return this;
  }

  /** One place for everything that goes wrong. */
  private Behavior<Command> failed(JoinStep step, JoinFailure failure) {
    boolean certificateIsNoUse =
        failure.kind() == Kind.CERTIFICATE_REFUSED || failure.kind() == Kind.CERTIFICATE_EXPIRED;
    if (certificateIsNoUse && !boughtAgain && with.settings().colonySecret().isPresent()) {
      getContext().getLog().warn("{}; buying a new certificate", failure.message());
      boughtAgain = true;
      restart(true);
      run(JoinStep.FIND_COLONY);
      return this;
    }
    failures++;
    switch (failure.kind().remedy(isMember)) {
      case RETRY ->
          retryIn(with.settings().backOff().after(failures, with.random()), step, failure);
      case RETRY_SLOWLY -> retryIn(with.settings().backOff().slowly(with.random()), step, failure);
      case STOP -> {
        listener.tell(new AgentEvent.Failed(step, failure, Optional.empty()));
        return stop(Optional.of(failure));
      }
    }
    return this;
  }

  private void retryIn(Duration pause, JoinStep step, JoinFailure failure) {
    getContext()
        .getLog()
        .warn(
            "{}: {} ({}){}; next try in {} ms",
            step.words(),
            failure.message(),
            failure.kind(),
            isMember ? "; the tunnel stays as it is" : "",
            pause.toMillis());
    int silences = progress.silences() + (failure.kind() == Kind.TUNNEL_SILENT ? 1 : 0);
    progress =
        JoinProgress.start(
            isComplete ? with.requestIds().get() : progress.requestId(),
            silences,
            progress.buyCertificate());
    isComplete = false;
    timers.startSingleTimer(Retry.INSTANCE, pause);
    listener.tell(new AgentEvent.Failed(step, failure, Optional.of(pause)));
  }

  private void restart(boolean buyCertificate) {
    progress = JoinProgress.start(progress.requestId(), progress.silences(), buyCertificate);
  }

  private void run(JoinStep step) {
    JoinProgress before = progress;
    LongSupplier nanoTime = with.nanoTime();
    JoinSteps steps = with.steps();
    getContext()
        .pipeToSelf(
            supply(
                () -> {
                  long startedAt = nanoTime.getAsLong();
                  JoinProgress after = steps.run(step, before);
                  return new StepDone(step, after, startedAt, nanoTime.getAsLong());
                }),
            (done, failure) -> failure == null ? done : new StepFailed(step, failureOf(failure)));
  }

  private void openSession() {
    int number = ++sessions;
    sessionStartedAt = now();
    Credentials credentials = progress.credentials().orElseThrow();
    ActorRef<Command> self = getContext().getSelf();
    Endpoint endpoint = progress.reached().orElseThrow();
    session =
        getContext()
            .spawn(
                ColonySession.create(
                    events ->
                        with.colony()
                            .openSession(
                                endpoint, credentials.pin(), credentials.identity(), events),
                    with.tunnel()::statistics,
                    with.blocking(),
                    with.settings().callTimeout(),
                    progress.probe(),
                    message -> self.tell(new Received(number, message))),
                "session-" + number);
  }

  private void stepDone(JoinStep step, Duration took) {
    if (step == JoinStep.CREATE_INTERFACE) {
      stepTimes.putIfAbsent(step, took); // created once, found in every later attempt
    } else {
      stepTimes.put(step, took);
    }
    getContext()
        .getLog()
        .info("{}: {} ms", step.words(), String.format("%.1f", took.toNanos() / 1e6));
    listener.tell(new AgentEvent.StepDone(step, took));
  }

  private Behavior<Command> stop(Optional<JoinFailure> reason) {
    reason.ifPresent(failure -> getContext().getLog().error("{}", failure.message()));
    onPostStop();
    listener.tell(new AgentEvent.Stopped(reason));
    return Behaviors.stopped();
  }

  /**
   * Closing is quick, and nothing may run after this actor, so it does not go to another thread.
   */
  private Behavior<Command> onPostStop() {
    with.tunnel().close();
    return this;
  }

  private long now() {
    return with.nanoTime().getAsLong();
  }

  /** A step, or something like it. */
  private interface Call<T> {
    T run() throws JoinException;
  }

  private <T> CompletableFuture<T> supply(Call<T> call) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return call.run();
          } catch (JoinException e) {
            throw new CompletionException(e);
          }
        },
        with.blocking());
  }

  private static JoinFailure failureOf(Throwable thrown) {
    Throwable cause = thrown;
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (cause instanceof JoinException join) {
      return join.failure();
    }
    return new JoinFailure(Kind.DEFECT, "a defect of the agent: " + cause);
  }
}
