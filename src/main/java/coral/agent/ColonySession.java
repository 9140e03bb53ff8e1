package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.agent.SessionStream.Heartbeat;
import coral.agent.observation.Observation;
import coral.agent.observation.ObservationNews;
import coral.wireguard.PeerStatistics;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
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
 * One session with the colony, from the opening of its stream to its end: heartbeats up, messages
 * handed to the parent. Ends itself when the colony stops to answer.
 */
final class ColonySession extends AbstractBehavior<ColonySession.Command> {
  /** As the colony: within three intervals a session is healthy (RFD 005). */
  private static final int INTERVALS_TO_WAIT = 3;

  sealed interface Command {}

  /** To be told with the next heartbeat. */
  record Probed(ProbeResult result) implements Command {}

  /** This version of the trust bundle is on disk. */
  record BundleTaken(long version) implements Command {}

  private record Received(SessionMessage message) implements Command {}

  private record Measured(Optional<PeerStatistics> tunnel) implements Command {}

  private record Observed(Optional<Observation> observation) implements Command {}

  private enum Beat implements Command {
    INSTANCE
  }

  private enum Overdue implements Command {
    INSTANCE
  }

  /** Opens the stream; everything it brings goes to the consumer. */
  interface Opener {
    SessionStream open(Consumer<SessionMessage> listener);
  }

  private final TimerScheduler<Command> timers;
  private final SessionStream stream;
  private final Supplier<Optional<PeerStatistics>> statistics;
  private final Supplier<Optional<Observation>> observe;
  private final ObservationNews news = new ObservationNews();
  private final Executor blocking;
  private final Consumer<SessionMessage> parent;
  private Duration heartbeatInterval;
  private long sequence;
  private @Nullable ProbeResult probe;
  private boolean observing;
  private boolean ended;

  /**
   * @param statistics of the tunnel; may block; runs on {@code blocking}
   * @param observe what the host is connected to, empty if that is not known; may block; runs on
   *     {@code blocking}
   * @param timeout for the stream to open
   * @param parent gets every message, and exactly one {@link SessionMessage.Ended} unless it stops
   *     this actor first
   */
  static Behavior<Command> create(
      Opener opener,
      Supplier<Optional<PeerStatistics>> statistics,
      Supplier<Optional<Observation>> observe,
      Executor blocking,
      Duration timeout,
      Optional<ProbeResult> probe,
      Consumer<SessionMessage> parent) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new ColonySession(
                        context,
                        timers,
                        opener,
                        statistics,
                        observe,
                        blocking,
                        timeout,
                        probe,
                        parent)));
  }

  private ColonySession(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Opener opener,
      Supplier<Optional<PeerStatistics>> statistics,
      Supplier<Optional<Observation>> observe,
      Executor blocking,
      Duration timeout,
      Optional<ProbeResult> probe,
      Consumer<SessionMessage> parent) {
    super(context);
    this.timers = timers;
    this.statistics = statistics;
    this.observe = observe;
    this.blocking = blocking;
    this.parent = parent;
    this.probe = probe.orElse(null);
    this.heartbeatInterval = timeout;
    ActorRef<Command> self = context.getSelf();
    this.stream = opener.open(message -> self.tell(new Received(message)));
    timers.startSingleTimer(Overdue.INSTANCE, timeout);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Received.class, this::onReceived)
        .onMessage(Probed.class, this::onProbed)
        .onMessage(BundleTaken.class, this::onBundleTaken)
        .onMessageEquals(Beat.INSTANCE, this::onBeat)
        .onMessage(Measured.class, this::onMeasured)
        .onMessage(Observed.class, this::onObserved)
        .onMessageEquals(Overdue.INSTANCE, this::onOverdue)
        .onSignal(PostStop.class, signal -> onPostStop())
        .build();
  }

  private Behavior<Command> onReceived(Received received) {
    SessionMessage message = received.message();
    if (message instanceof SessionMessage.Ended last) {
      return end(last);
    }
    if (message instanceof SessionMessage.Opened opened) {
      heartbeatInterval = opened.heartbeatInterval();
      timers.startTimerWithFixedDelay(Beat.INSTANCE, heartbeatInterval);
      onBeat();
    }
    timers.startSingleTimer(Overdue.INSTANCE, heartbeatInterval.multipliedBy(INTERVALS_TO_WAIT));
    parent.accept(message);
    return this;
  }

  private Behavior<Command> onProbed(Probed probed) {
    probe = probed.result();
    return this;
  }

  private Behavior<Command> onBundleTaken(BundleTaken taken) {
    stream.acknowledgeBundle(taken.version());
    return this;
  }

  private Behavior<Command> onBeat() {
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(statistics, blocking),
            (tunnel, failure) -> new Measured(failure == null ? tunnel : Optional.empty()));
    if (!observing) {
      observing = true;
      getContext()
          .pipeToSelf(
              CompletableFuture.supplyAsync(observe, blocking),
              (seen, failure) -> new Observed(failure == null ? seen : Optional.empty()));
    }
    return this;
  }

  private Behavior<Command> onObserved(Observed observed) {
    observing = false;
    observed.observation().flatMap(news::of).ifPresent(stream::report);
    return this;
  }

  private Behavior<Command> onMeasured(Measured measured) {
    sequence++;
    stream.send(new Heartbeat(sequence, measured.tunnel(), Optional.ofNullable(probe)));
    probe = null;
    return this;
  }

  private Behavior<Command> onOverdue() {
    return end(
        new SessionMessage.Ended(
            new JoinFailure(
                Kind.SESSION_LOST,
                sequence == 0
                    ? "the colony did not open the session in time"
                    : "the colony has not answered the last heartbeats")));
  }

  private Behavior<Command> end(SessionMessage.Ended last) {
    ended = true;
    stream.close();
    parent.accept(last);
    return Behaviors.stopped();
  }

  private Behavior<Command> onPostStop() {
    if (!ended) {
      stream.close();
    }
    return this;
  }
}
