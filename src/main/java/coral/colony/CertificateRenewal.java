package coral.colony;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
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
 * Has the certificate of the gRPC port looked at once a day, for a colony that runs for longer than
 * its certificate. A renewal that fails is tried again the next day; a third of a year is left for
 * somebody to read about it.
 */
final class CertificateRenewal extends AbstractBehavior<CertificateRenewal.Command> {
  static final Duration INTERVAL = Duration.ofDays(1);

  sealed interface Command {}

  /** On a day's timer; told by nobody but a test. */
  enum Look implements Command {
    INSTANCE
  }

  private record Looked(@Nullable Throwable failure) implements Command {}

  private final Supplier<CompletionStage<Done>> renewIfOld;

  /**
   * @param renewIfOld must not block
   */
  static Behavior<Command> create(Supplier<CompletionStage<Done>> renewIfOld) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new CertificateRenewal(context, timers, renewIfOld)));
  }

  private CertificateRenewal(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Supplier<CompletionStage<Done>> renewIfOld) {
    super(context);
    this.renewIfOld = renewIfOld;
    timers.startTimerWithFixedDelay(Look.INSTANCE, INTERVAL);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessageEquals(Look.INSTANCE, this::onLook)
        .onMessage(Looked.class, this::onLooked)
        .build();
  }

  private Behavior<Command> onLook() {
    getContext().pipeToSelf(renewIfOld.get(), (done, failure) -> new Looked(failure));
    return this;
  }

  private Behavior<Command> onLooked(Looked looked) {
    if (looked.failure() != null) {
      getContext()
          .getLog()
          .error(
              "The gRPC port's certificate was not renewed, next attempt in a day",
              looked.failure());
    }
    return this;
  }
}
