package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.agent.JoinFailure.Remedy;
import coral.model.Endpoint;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Renews the agent's certificate in time, by {@link RenewalSchedule}, and when the colony demands
 * it. What goes wrong is tried again after longer and longer pauses and disturbs nobody: the
 * certificate in use is good until another one is on disk.
 */
final class CertificateRenewal extends AbstractBehavior<CertificateRenewal.Command> {
  sealed interface Command {}

  /** A session stands on these credentials: whether they are due is looked up at once. */
  record Connected(Endpoint endpoint, Credentials credentials) implements Command {}

  /** Whatever the time, as soon as there is a session. */
  enum Demanded implements Command {
    INSTANCE
  }

  private enum Check implements Command {
    INSTANCE
  }

  private record Done(Optional<Credentials> renewed) implements Command {}

  private record Failed(JoinFailure failure) implements Command {}

  /** These credentials are on disk, and to be used from now on. */
  record Renewed(Credentials credentials) {}

  /** {@link Enrolment#renewed}. */
  interface Steps {
    Optional<Credentials> renewed(Endpoint endpoint, Credentials inUse, boolean due)
        throws JoinException, IOException;
  }

  private final TimerScheduler<Command> timers;
  private final Steps steps;
  private final InstantSource clock;
  private final BackOff backOff;
  private final DoubleSupplier random;
  private final Executor blocking;
  private final ActorRef<Renewed> parent;

  /** Empty before the first session, and from a renewal until its certificate is in use. */
  private @Nullable Connected connected;

  private boolean isDemanded;
  private boolean isBusy;
  private int failures;

  /**
   * @param steps block; run on {@code blocking}
   * @param random from 0 (included) to 1 (excluded), for the pauses
   */
  static Behavior<Command> create(
      Steps steps,
      InstantSource clock,
      BackOff backOff,
      DoubleSupplier random,
      Executor blocking,
      ActorRef<Renewed> parent) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new CertificateRenewal(
                        context, timers, steps, clock, backOff, random, blocking, parent)));
  }

  private CertificateRenewal(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Steps steps,
      InstantSource clock,
      BackOff backOff,
      DoubleSupplier random,
      Executor blocking,
      ActorRef<Renewed> parent) {
    super(context);
    this.timers = timers;
    this.steps = steps;
    this.clock = clock;
    this.backOff = backOff;
    this.random = random;
    this.blocking = blocking;
    this.parent = parent;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Connected.class, this::onConnected)
        .onMessageEquals(Demanded.INSTANCE, this::onDemanded)
        .onMessageEquals(Check.INSTANCE, this::check)
        .onMessage(Done.class, this::onDone)
        .onMessage(Failed.class, failed -> onFailed(failed.failure()))
        .build();
  }

  private Behavior<Command> onConnected(Connected now) {
    connected = now;
    boolean isPausing = failures > 0 && timers.isTimerActive(Check.INSTANCE);
    return isPausing ? this : check();
  }

  private Behavior<Command> onDemanded() {
    isDemanded = true;
    return failures > 0 ? this : check();
  }

  private Behavior<Command> check() {
    Connected current = connected;
    if (current == null || isBusy) {
      return this;
    }
    isBusy = true;
    boolean due = isDemanded || !clock.instant().isBefore(schedule(current).due());
    getContext()
        .pipeToSelf(
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    return steps.renewed(current.endpoint(), current.credentials(), due);
                  } catch (JoinException | IOException e) {
                    throw new CompletionException(e);
                  }
                },
                blocking),
            (renewed, failure) -> failure == null ? new Done(renewed) : failed(failure));
    return this;
  }

  private static Failed failed(Throwable thrown) {
    Throwable cause = thrown instanceof CompletionException ? thrown.getCause() : thrown;
    if (cause instanceof JoinException refused) {
      return new Failed(refused.failure());
    }
    return new Failed(
        cause instanceof IOException
            ? new JoinFailure(Kind.FILES_FAILED, String.valueOf(cause.getMessage()))
            : JoinFailure.defect(thrown));
  }

  private Behavior<Command> onDone(Done done) {
    isBusy = false;
    failures = 0;
    if (done.renewed().isEmpty()) {
      if (isDemanded) {
        return check(); // the demand came while it was looked up whether a renewal is due
      }
      timers.startSingleTimer(Check.INSTANCE, schedule(current()).checkInterval());
      return this;
    }
    isDemanded = false;
    connected = null; // until the new one is in use
    timers.cancel(Check.INSTANCE);
    parent.tell(new Renewed(done.renewed().get()));
    return this;
  }

  private Behavior<Command> onFailed(JoinFailure failure) {
    isBusy = false;
    failures++;
    Duration pause = pause(failure);
    X509Certificate certificate = current().credentials().identity().certificate();
    Instant end = certificate.getNotAfter().toInstant();
    getContext()
        .getLog()
        .warn(
            "The certificate, good until {}, could not be renewed: {}; the tunnel and the session"
                + " stay as they are; next try in {} s",
            end,
            failure.message(),
            Math.max(1, pause.toSeconds()));
    timers.startSingleTimer(Check.INSTANCE, pause);
    return this;
  }

  /** A certificate of minutes cannot wait for an hour; but only people mend some failures. */
  private Duration pause(JoinFailure failure) {
    Duration grown = backOff.after(failures, random);
    Duration interval = schedule(current()).checkInterval();
    Duration pause = grown.compareTo(interval) < 0 ? grown : interval;
    if (failure.kind().remedy(true) != Remedy.RETRY) {
      Duration slow = backOff.slowly(random);
      pause = pause.compareTo(slow) < 0 ? slow : pause;
    }
    return BackOff.obeying(pause, failure.retryAfter(), random);
  }

  /** There is one as long as something is under way. */
  private Connected current() {
    return Objects.requireNonNull(connected, "no renewal without a session");
  }

  private static RenewalSchedule schedule(Connected connected) {
    return RenewalSchedule.of(connected.credentials().identity().certificate());
  }
}
