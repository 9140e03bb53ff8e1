package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.certificate.TrustBundle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the host a member of the colony's mesh: has {@link JoinColony} join, opens the session,
 * obeys what comes down it, and has it joined again when the session is lost. The interface
 * outlives every session, so a tunnel that works keeps working; it is removed when this actor
 * stops.
 */
final class MeshMember extends AbstractBehavior<MeshMember.Command> {
  sealed interface Command {}

  /** Ends the session, removes the interface and stops. */
  enum Leave implements Command {
    INSTANCE
  }

  private record Outcome(JoinColony.Outcome outcome) implements Command {}

  private record Received(int session, SessionMessage message) implements Command {}

  private record Probed(ProbeResult result) implements Command {}

  private record DeviceLost(String cause) implements Command {}

  private record ColonyApplied(@Nullable Throwable failure) implements Command {}

  private record Renewed(Credentials credentials) implements Command {}

  private record Deregistered(@Nullable Throwable failure) implements Command {}

  private record BundleKept(Optional<Long> version, @Nullable Throwable failure)
      implements Command {}

  /** Whoever stops a proxy waits for it, also while the colony is away. */
  private static final Duration LEAVE_TIMEOUT = Duration.ofSeconds(3);

  private final AgentDependencies with;
  private final ActorRef<AgentEvent> listener;
  private final ActorRef<JoinColony.Command> joining;
  private final ActorRef<CertificateRenewal.Command> renewal;

  /** What the current session stands on; empty before the first. */
  private JoinColony.@Nullable Joined joined;

  private long sessionStartedAt;
  private int sessions;
  private @Nullable ActorRef<ColonySession.Command> session;
  private @Nullable ActorRef<TunnelProbe.Command> tunnelProbe;

  /**
   * @param listener hears of every step, every failure, every probe; {@link AgentEvent.Stopped} is
   *     the last
   */
  static Behavior<Command> create(AgentDependencies dependencies, ActorRef<AgentEvent> listener) {
    return Behaviors.setup(context -> new MeshMember(context, dependencies, listener));
  }

  private MeshMember(
      ActorContext<Command> context,
      AgentDependencies dependencies,
      ActorRef<AgentEvent> listener) {
    super(context);
    this.with = dependencies;
    this.listener = listener;
    ActorRef<Command> self = context.getSelf();
    with.tunnel().onFailure(cause -> self.tell(new DeviceLost(cause)));
    this.joining =
        context.spawn(
            JoinColony.create(
                with, context.messageAdapter(JoinColony.Outcome.class, Outcome::new), listener),
            "join-colony");
    context.watch(joining); // its failure is the end of this actor too
    this.renewal =
        context.spawn(
            CertificateRenewal.create(
                with.enrolment()::renewed,
                with.clock(),
                with.settings().renewalBackOff(),
                with.random(),
                with.blocking(),
                context.messageAdapter(
                    CertificateRenewal.Renewed.class, told -> new Renewed(told.credentials()))),
            "certificate-renewal");
    context.watch(renewal); // without it the certificate would run out in silence
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Outcome.class, this::onOutcome)
        .onMessage(Received.class, this::onReceived)
        .onMessage(ColonyApplied.class, this::onColonyApplied)
        .onMessage(Probed.class, this::onProbed)
        .onMessage(Renewed.class, this::onRenewed)
        .onMessage(BundleKept.class, this::onBundleKept)
        .onMessage(DeviceLost.class, this::onDeviceLost)
        .onMessage(Deregistered.class, this::onDeregistered)
        .onMessageEquals(Leave.INSTANCE, this::onLeave)
        .onSignal(PostStop.class, signal -> onPostStop())
        .build();
  }

  private Behavior<Command> onOutcome(Outcome told) {
    if (told.outcome() instanceof JoinColony.GaveUp gaveUp) {
      return stop(Optional.of(gaveUp.reason()));
    }
    joined = (JoinColony.Joined) told.outcome();
    openSession(joined.result());
    return this;
  }

  private void openSession(JoinResult join) {
    endSession(); // the one whose certificate was renewed, if it is still there
    int number = ++sessions;
    sessionStartedAt = with.nanoTime().getAsLong();
    ActorRef<Command> self = getContext().getSelf();
    Credentials credentials = join.credentials();
    session =
        getContext()
            .spawn(
                ColonySession.create(
                    events ->
                        with.colony()
                            .openSession(
                                join.endpoint(),
                                credentials.trust(),
                                credentials.identity(),
                                events),
                    with.tunnel()::statistics,
                    () -> with.observer().apply(join.membership()),
                    with.blocking(),
                    with.settings().callTimeout(),
                    Optional.of(join.probe()),
                    message -> self.tell(new Received(number, message))),
                "session-" + number);
  }

  private Behavior<Command> onReceived(Received received) {
    if (received.session() != sessions) {
      return this; // of a session that was given up
    }
    SessionMessage message = received.message();
    if (message instanceof SessionMessage.Opened opened) {
      onOpened(opened);
    } else if (message instanceof SessionMessage.HeartbeatReceived) {
      joining.tell(JoinColony.SessionConfirmed.INSTANCE);
    } else if (message instanceof SessionMessage.ColonyChanged changed) {
      applyColony(changed);
    } else if (message instanceof SessionMessage.BundleOffered offered) {
      takeBundle(offered.bundle());
    } else if (message instanceof SessionMessage.RenewalDemanded) {
      getContext().getLog().info("The colony demands a renewal of the certificate");
      renewal.tell(CertificateRenewal.Demanded.INSTANCE);
    } else if (message instanceof SessionMessage.Ended last) {
      session = null;
      listener.tell(new AgentEvent.SessionLost(last.reason()));
      if (last.reason().kind() == Kind.REVOKED) {
        leaveTunnel(last.reason());
      }
      joining.tell(new JoinColony.SessionEnded(last.reason()));
    }
    return this;
  }

  private void onOpened(SessionMessage.Opened opened) {
    joining.tell(JoinColony.SessionOpened.INSTANCE);
    Duration took = Duration.ofNanos(with.nanoTime().getAsLong() - sessionStartedAt);
    getContext().getLog().info("{}", JoinStep.OPEN_SESSION.line(took));
    listener.tell(new AgentEvent.StepDone(JoinStep.OPEN_SESSION, took, ""));
    JoinReport report = JoinReport.of(with, current(), took);
    JoinResult join = current().result();
    renewal.tell(new CertificateRenewal.Connected(join.endpoint(), join.credentials()));
    getContext()
        .getLog()
        .info(
            "{} is a member of {} as {} and {} (session {})",
            report.agentId(),
            report.colonyId(),
            report.addresses().ipv4Text(),
            report.addresses().ipv6Text(),
            opened.generation());
    listener.tell(new AgentEvent.Joined(report, join));
    if (tunnelProbe == null) {
      tunnelProbe =
          getContext()
              .spawn(
                  TunnelProbe.create(
                      () -> probe(with),
                      with.settings().probeInterval(),
                      with.blocking(),
                      getContext().messageAdapter(ProbeResult.class, Probed::new)),
                  "tunnel-probe-" + sessions);
    }
  }

  /** Runs on a blocking thread. */
  private static ProbeResult probe(AgentDependencies with) {
    try {
      return with.tunnel().probe(with.settings().probeTimeout());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Behavior<Command> onProbed(Probed probed) {
    if (session != null) {
      session.tell(new ColonySession.Probed(probed.result()));
    }
    listener.tell(new AgentEvent.Probed(probed.result()));
    return this;
  }

  private void applyColony(SessionMessage.ColonyChanged changed) {
    JoinColony.Joined before = current();
    Membership known = before.result().membership();
    if (known.colonyKey().equals(changed.key())
        && known.colonyEndpoints().equals(changed.endpoints())) {
      return; // a colony tells it at the start of each session
    }
    getContext()
        .getLog()
        .warn("The colony's WireGuard socket is now at {}: {}", changed.endpoints(), changed.key());
    Membership membership = known.withColony(changed.key(), changed.endpoints());
    joined = before.withMembership(membership);
    int silences = before.result().attempt().silences();
    JoinSteps steps = with.steps();
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    steps.addColony(membership, silences);
                    return Done.done();
                  } catch (JoinException e) {
                    throw new CompletionException(e.getMessage(), e);
                  }
                },
                with.blocking()),
            (done, failure) -> new ColonyApplied(failure));
  }

  private Behavior<Command> onColonyApplied(ColonyApplied applied) {
    if (applied.failure() != null) {
      getContext().getLog().warn("Change failed: {}", applied.failure().getMessage());
    }
    return this;
  }

  /**
   * Joins again with the new certificate. The session goes on until then, but is not listened to:
   * the colony ends it when it first sees the new certificate.
   */
  private Behavior<Command> onRenewed(Renewed renewed) {
    listener.tell(new AgentEvent.Renewed(renewed.credentials()));
    sessions++;
    joining.tell(JoinColony.Reconnect.INSTANCE);
    return this;
  }

  private void takeBundle(TrustBundle bundle) {
    Enrolment enrolment = with.enrolment();
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return enrolment.take(bundle);
                  } catch (JoinException | IOException e) {
                    throw new CompletionException(e);
                  }
                },
                with.blocking()),
            (version, failure) ->
                new BundleKept(failure == null ? version : Optional.empty(), failure));
  }

  private Behavior<Command> onBundleKept(BundleKept kept) {
    if (kept.failure() != null) {
      getContext()
          .getLog()
          .warn("The trust bundle could not be kept: {}", kept.failure().toString());
    } else if (session != null && kept.version().isPresent()) {
      session.tell(new ColonySession.BundleTaken(kept.version().get()));
    }
    return this;
  }

  /** A revoked agent is no peer any more; its interface stays, empty, for when it may come back. */
  private void leaveTunnel(JoinFailure reason) {
    getContext().getLog().error("{}; the tunnel is closed", reason.message());
    if (tunnelProbe != null) {
      getContext().stop(tunnelProbe);
      tunnelProbe = null;
    }
    with.tunnel().disconnect();
  }

  private void endSession() {
    if (session != null) {
      getContext().stop(session);
      session = null;
    }
  }

  /** An agent comes back to its addresses; a proxy gives them up, and leaves nothing behind. */
  private Behavior<Command> onLeave() {
    JoinColony.Joined last = joined;
    if (last == null || !with.settings().isStandaloneProxy()) {
      return stop(Optional.empty());
    }
    getContext().unwatch(joining);
    getContext().stop(joining);
    endSession();
    sessions++; // what it still says is not listened to
    JoinResult join = last.result();
    getContext()
        .pipeToSelf(
            CompletableFuture.runAsync(
                    () -> {
                      try {
                        with.colony()
                            .deregister(
                                join.endpoint(),
                                join.credentials().trust(),
                                join.credentials().identity());
                      } catch (JoinException e) {
                        throw new CompletionException(e.getMessage(), e);
                      }
                    },
                    with.blocking())
                .orTimeout(LEAVE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS),
            (done, failure) -> new Deregistered(failure));
    joined = null;
    return this;
  }

  private Behavior<Command> onDeregistered(Deregistered told) {
    if (told.failure() != null) {
      getContext()
          .getLog()
          .warn(
              "The colony keeps the addresses of {} until it is told to release them: {}",
              with.settings().agentId(),
              Objects.toString(told.failure().getMessage(), "it does not answer"));
    }
    return stop(Optional.empty());
  }

  private Behavior<Command> onDeviceLost(DeviceLost lost) {
    JoinFailure failure =
        new JoinFailure(Kind.DEVICE_LOST, "the interface is lost: " + lost.cause());
    listener.tell(new AgentEvent.Failed(JoinStep.CREATE_INTERFACE, failure, Optional.empty()));
    return stop(Optional.of(failure));
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

  /** There is one as long as there is a session. */
  private JoinColony.Joined current() {
    return Objects.requireNonNull(joined, "no session without a join");
  }
}
