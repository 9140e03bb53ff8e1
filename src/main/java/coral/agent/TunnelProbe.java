package coral.agent;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;

/** Probes the tunnel at an interval, one probe at a time, whatever the control connection does. */
final class TunnelProbe extends AbstractBehavior<TunnelProbe.Command> {
  sealed interface Command {}

  private enum Tick implements Command {
    INSTANCE
  }

  private record Done(ProbeResult result) implements Command {}

  private record Failed(Throwable cause) implements Command {}

  private final Supplier<ProbeResult> probe;
  private final Duration interval;
  private final Executor blocking;
  private final ActorRef<ProbeResult> listener;
  private final TimerScheduler<Command> timers;
  private boolean wasComplete = true;

  /**
   * @param probe blocks; runs on {@code blocking}
   * @param interval between the end of one and the start of the next
   */
  static Behavior<Command> create(
      Supplier<ProbeResult> probe,
      Duration interval,
      Executor blocking,
      ActorRef<ProbeResult> listener) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new TunnelProbe(context, timers, probe, interval, blocking, listener)));
  }

  private TunnelProbe(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Supplier<ProbeResult> probe,
      Duration interval,
      Executor blocking,
      ActorRef<ProbeResult> listener) {
    super(context);
    this.timers = timers;
    this.probe = probe;
    this.interval = interval;
    this.blocking = blocking;
    this.listener = listener;
    again();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessageEquals(Tick.INSTANCE, this::onTick)
        .onMessage(Done.class, this::onDone)
        .onMessage(Failed.class, this::onFailed)
        .build();
  }

  private Behavior<Command> onTick() {
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(probe, blocking),
            (result, failure) -> failure == null ? new Done(result) : new Failed(failure));
    return this;
  }

  private Behavior<Command> onDone(Done done) {
    ProbeResult result = done.result();
    if (!result.isComplete()) {
      getContext().getLog().warn("No echo from {} through the tunnel", result.silent());
    } else if (!wasComplete) {
      getContext().getLog().info("The tunnel answers again");
    }
    wasComplete = result.isComplete();
    again();
    listener.tell(result);
    return this;
  }

  private Behavior<Command> onFailed(Failed failed) {
    getContext().getLog().warn("The tunnel could not be probed: {}", failed.cause().toString());
    again();
    return this;
  }

  private void again() {
    timers.startSingleTimer(Tick.INSTANCE, interval);
  }
}
