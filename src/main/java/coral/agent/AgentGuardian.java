package coral.agent;

import coral.agent.JoinFailure.Kind;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

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

  private enum TooLate implements Command {
    INSTANCE
  }

  private record Happened(AgentEvent event) implements Command {}

  /** Makes the actor that joins and stays. */
  interface Join {
    Behavior<MeshMember.Command> behavior(ActorRef<AgentEvent> listener);
  }

  private final AgentSettings settings;
  private final EventWriter writer;
  private final CompletableFuture<Integer> exitCode;
  private final ActorRef<MeshMember.Command> member;
  private int code;
  private Optional<JoinFailure> lastFailure = Optional.empty();

  /**
   * @param exitCode completed when the interface is removed
   */
  static Behavior<Command> create(
      AgentSettings settings, EventWriter writer, Join join, CompletableFuture<Integer> exitCode) {
    return Behaviors.setup(context -> new AgentGuardian(context, settings, writer, join, exitCode));
  }

  private AgentGuardian(
      ActorContext<Command> context,
      AgentSettings settings,
      EventWriter writer,
      Join join,
      CompletableFuture<Integer> exitCode) {
    super(context);
    this.settings = settings;
    this.writer = writer;
    this.exitCode = exitCode;
    ActorRef<AgentEvent> listener = context.messageAdapter(AgentEvent.class, Happened::new);
    this.member = context.spawn(join.behavior(listener), "mesh-member");
    context.watch(member);
    if (settings.once()) {
      context.scheduleOnce(settings.onceTimeout(), context.getSelf(), TooLate.INSTANCE);
    }
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Happened.class, this::onHappened)
        .onMessageEquals(Stop.INSTANCE, this::onStop)
        .onMessageEquals(TooLate.INSTANCE, this::onTooLate)
        .onSignal(ChildFailed.class, failed -> onDefect())
        .onSignal(Terminated.class, terminated -> onTerminated())
        .build();
  }

  private Behavior<Command> onHappened(Happened happened) {
    AgentEvent event = happened.event();
    if (event instanceof AgentEvent.Stopped && lastFailure.isPresent() && code != 0) {
      event = new AgentEvent.Stopped(lastFailure);
    }
    writer.write(event);
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
      member.tell(MeshMember.Leave.INSTANCE);
    }
    return this;
  }

  private Behavior<Command> onStop() {
    member.tell(MeshMember.Leave.INSTANCE);
    return this;
  }

  private Behavior<Command> onTooLate() {
    Duration bound = settings.onceTimeout();
    String why =
        lastFailure.map(JoinFailure::message).orElse("the last step has not come to an end");
    fail(
        new JoinFailure(
            lastFailure.map(JoinFailure::kind).orElse(Kind.COLONY_UNREACHABLE),
            "no member after " + bound.toSeconds() + " s: " + why));
    member.tell(MeshMember.Leave.INSTANCE);
    return this;
  }

  private void fail(JoinFailure failure) {
    getContext().getLog().error("{}", failure.message());
    lastFailure = Optional.of(failure);
    code = 1;
  }

  /** Pekko has logged the exception, and the interface was removed by the actor's end. */
  private Behavior<Command> onDefect() {
    code = 1;
    return onTerminated();
  }

  private Behavior<Command> onTerminated() {
    exitCode.complete(code);
    return Behaviors.stopped();
  }
}
