package coral.audit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/** Has the records of past hours signed, when it begins and whenever an hour is over. */
final class RootSealer extends AbstractBehavior<RootSealer.Command> {
  /** What the sealer is told. */
  sealed interface Command {}

  /** The log has been found in order: sign what is to be signed, then go on by the clock. */
  record Begin() implements Command {}

  private record HasSealed(@Nullable Throwable failure) implements Command {}

  private enum Timer implements Command {
    SEAL
  }

  private static final Duration SEAL_AGAIN = Duration.ofMinutes(1);

  private final TimerScheduler<Command> timers;
  private final RootSealing sealing;
  private final InstantSource clock;
  private final Disk disk;
  private final ActorRef<AuditLog.Command> log;
  private boolean isSealing;

  /**
   * @param log gets {@link AuditLog.Sealed} each time
   */
  static Behavior<Command> create(
      RootSealing sealing, InstantSource clock, Disk disk, ActorRef<AuditLog.Command> log) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new RootSealer(context, timers, sealing, clock, disk, log)));
  }

  private RootSealer(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      RootSealing sealing,
      InstantSource clock,
      Disk disk,
      ActorRef<AuditLog.Command> log) {
    super(context);
    this.timers = timers;
    this.sealing = sealing;
    this.clock = clock;
    this.disk = disk;
    this.log = log;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Begin.class, begin -> seal())
        .onMessageEquals(Timer.SEAL, this::seal)
        .onMessage(HasSealed.class, this::onHasSealed)
        .build();
  }

  private Behavior<Command> seal() {
    if (isSealing) {
      return this;
    }
    isSealing = true;
    Instant now = clock.instant();
    getContext()
        .pipeToSelf(disk.call(() -> sealing.seal(now)), (root, failure) -> new HasSealed(failure));
    return this;
  }

  private Behavior<Command> onHasSealed(HasSealed result) {
    isSealing = false;
    if (result.failure() != null) {
      getContext()
          .getLog()
          .error("The audit records of the past hour are not signed", Disk.cause(result.failure()));
      timers.startSingleTimer(Timer.SEAL, SEAL_AGAIN);
      return this;
    }
    Instant now = clock.instant();
    Instant nextHour = now.truncatedTo(ChronoUnit.HOURS).plus(Duration.ofHours(1));
    timers.startSingleTimer(Timer.SEAL, Duration.between(now, nextHour));
    log.tell(new AuditLog.Sealed());
    return this;
  }
}
