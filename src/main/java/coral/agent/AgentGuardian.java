package coral.agent;

import coral.agent.JoinFailure.Kind;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * The root of an agent's actors: writes the report, and decides when the agent is done and with
 * which exit code.
 */
final class AgentGuardian extends AbstractBehavior<AgentGuardian.Command> {
  sealed interface Command {}

  /** Leaves the mesh and ends the process; nothing is wrong. */
  enum Stop implements Command {
    INSTANCE
  }

  /** There is no member any more, and no listener. */
  private enum Ended implements Command {
    INSTANCE
  }

  private enum TooLate implements Command {
    INSTANCE
  }

  private record Happened(AgentEvent event) implements Command {}

  private record ForwardingClosed() implements Command {}

  /** Makes an actor that tells what happens to it. */
  interface Part<T> {
    Behavior<T> behavior(ActorRef<AgentEvent> listener);
  }

  /**
   * The first command.
   *
   * @param member joins and stays
   * @param forwarding hears of all that happens to the member; empty without a listener
   */
  record Begin(Part<MeshMember.Command> member, Optional<Part<Forwarding.Command>> forwarding)
      implements Command {}

  private final AgentSettings settings;
  private final Consumer<AgentEvent> writer;
  private final CompletableFuture<Integer> exitCode;
  private final ActorRef<AgentEvent> listener;
  private @Nullable ActorRef<MeshMember.Command> member;
  private @Nullable ActorRef<Forwarding.Command> forwarding;
  private int code;
  private Optional<JoinFailure> lastFailure = Optional.empty();

  /**
   * @param exitCode completed when the interface is removed
   */
  static Behavior<Command> create(
      AgentSettings settings, Consumer<AgentEvent> writer, CompletableFuture<Integer> exitCode) {
    return Behaviors.setup(context -> new AgentGuardian(context, settings, writer, exitCode));
  }

  private AgentGuardian(
      ActorContext<Command> context,
      AgentSettings settings,
      Consumer<AgentEvent> writer,
      CompletableFuture<Integer> exitCode) {
    super(context);
    this.settings = settings;
    this.writer = writer;
    this.exitCode = exitCode;
    this.listener = context.messageAdapter(AgentEvent.class, Happened::new);
    if (settings.once()) {
      context.scheduleOnce(settings.onceTimeout(), context.getSelf(), TooLate.INSTANCE);
    }
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Begin.class, this::onBegin)
        .onMessage(Happened.class, this::onHappened)
        .onMessage(ForwardingClosed.class, closed -> onForwardingClosed())
        .onMessageEquals(Stop.INSTANCE, this::onStop)
        .onMessageEquals(TooLate.INSTANCE, this::onTooLate)
        .onMessageEquals(Ended.INSTANCE, this::end)
        .onSignal(ChildFailed.class, this::onDefect)
        .onSignal(Terminated.class, terminated -> onTerminated())
        .build();
  }

  private Behavior<Command> onBegin(Begin begin) {
    if (begin.forwarding().isPresent()) {
      forwarding =
          getContext()
              .spawn(
                  begin.forwarding().get().behavior(listener),
                  "forwarding",
                  DispatcherSelector.fromConfig("coral.agent.blocking-dispatcher"));
      getContext().watch(forwarding);
    }
    member = getContext().spawn(begin.member().behavior(listener), "mesh-member");
    getContext().watch(member);
    return this;
  }

  private Behavior<Command> onHappened(Happened happened) {
    AgentEvent event = happened.event();
    if (event instanceof AgentEvent.Stopped && lastFailure.isPresent() && code != 0) {
      event = new AgentEvent.Stopped(lastFailure);
    }
    writer.accept(event);
    if (forwarding != null) {
      forwarding.tell(new Forwarding.Happened(event));
    }
    if (event instanceof AgentEvent.Failed failed) {
      lastFailure = Optional.of(failed.failure());
    } else if (event instanceof AgentEvent.Stopped stopped) {
      code = stopped.reason().isPresent() ? 1 : 0;
    } else if (event instanceof AgentEvent.Joined joined && settings.once()) {
      ProbeResult probe = joined.report().probe();
      if (!probe.isComplete()) {
        fail(
            new JoinFailure(
                Kind.TUNNEL_SILENT, "no echo from " + probe.silent() + " through the tunnel"));
      }
      leave();
    }
    return this;
  }

  /** What is under way goes through the tunnel, so that the listener is closed first. */
  private Behavior<Command> onStop() {
    if (!closeForwarding()) {
      leave();
    }
    return this;
  }

  private boolean closeForwarding() {
    if (forwarding == null) {
      return false;
    }
    forwarding.tell(
        new Forwarding.Close(
            getContext().messageAdapter(Done.class, done -> new ForwardingClosed())));
    return true;
  }

  private Behavior<Command> onForwardingClosed() {
    if (forwarding != null) {
      getContext().unwatch(forwarding);
      forwarding = null;
    }
    leave();
    return this;
  }

  private void leave() {
    if (member != null) {
      member.tell(MeshMember.Leave.INSTANCE);
    } else {
      getContext().getSelf().tell(Ended.INSTANCE);
    }
  }

  private Behavior<Command> onTooLate() {
    Duration bound = settings.onceTimeout();
    String why =
        lastFailure.map(JoinFailure::message).orElse("the last step has not come to an end");
    fail(
        new JoinFailure(
            lastFailure.map(JoinFailure::kind).orElse(Kind.COLONY_UNREACHABLE),
            "no member after " + bound.toSeconds() + " s: " + why));
    leave();
    return this;
  }

  private void fail(JoinFailure failure) {
    getContext().getLog().error("{}", failure.message());
    lastFailure = Optional.of(failure);
    code = 1;
  }

  /** Pekko has logged the exception, and the interface was removed by the actor's end. */
  private Behavior<Command> onDefect(ChildFailed failed) {
    if (forwarding != null && failed.getRef().path().equals(forwarding.path())) {
      forwarding = null;
      fail(JoinFailure.defect(failed.cause()));
      leave();
      return this;
    }
    code = 1;
    return onTerminated();
  }

  private Behavior<Command> onTerminated() {
    member = null;
    return closeForwarding() ? this : end();
  }

  private Behavior<Command> end() {
    exitCode.complete(code);
    return Behaviors.stopped();
  }
}
