package coral.colony;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.session.PresenceDirectory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Tells watchers which agents have changed. What happens within half a second is told at once, and
 * each agent is looked at once for all watchers; that an agent is still alive is told every ten
 * seconds, or less often of many. While nobody watches nothing is done.
 */
final class AgentChanges extends AbstractBehavior<AgentChanges.Command> {
  static final int MAX_WATCHERS = 64;
  static final Duration PAUSE = Duration.ofMillis(500);
  static final Duration ROUTINE = Duration.ofSeconds(10);

  /** After the agents could not be looked at. */
  static final Duration RETRY = Duration.ofSeconds(5);

  /** Agents in one message. */
  static final int BATCH = 500;

  /** From one full message to the next: 10,000 agents a second are as many as anybody reads. */
  static final Duration BATCH_PAUSE = Duration.ofMillis(50);

  /** Agents of which it is told at once that they are alive; of the others, ten seconds later. */
  static final int ROUTINE_AGENTS = 5_000;

  private static final Set<String> FADING = Set.of("healthy", "degraded");

  /** Where changes go; may be called from any thread, and must not block. */
  interface Watcher {
    /** Whether there was room for it; a watcher that has none is told nothing more. */
    boolean offer(WatchAgentsResponse changes);

    void fail(RefusedException reason);
  }

  sealed interface Command {}

  /** A watcher hears of every change from now on, once it has its answer. */
  record Watch(Watcher watcher, ActorRef<Accepted> replyTo) implements Command {}

  /** The answer to {@link Watch}: whether there was room for one more. */
  record Accepted(boolean watching) {}

  /** A watcher has left. */
  record Leave(Watcher watcher) implements Command {}

  /** Something of an agent has changed, in its session or elsewhere. */
  record Changed(AgentId agentId) implements Command {}

  /** A watcher has been told of an agent otherwise. */
  record Told(Agent agent) implements Command {}

  private record Heard(PresenceDirectory.Changed change) implements Command {}

  private enum Tell implements Command {
    INSTANCE
  }

  private enum Routine implements Command {
    INSTANCE
  }

  private record Looked(
      Set<AgentId> agentIds, @Nullable Map<AgentId, Agent> members, @Nullable Throwable failure)
      implements Command {}

  private final TimerScheduler<Command> timers;
  private final ActorRef<PresenceDirectory.Command> directory;
  private final Function<Set<AgentId>, CompletionStage<Map<AgentId, Agent>>> look;
  private final ActorRef<PresenceDirectory.Changed> subscription;
  private final Set<Watcher> watchers = new HashSet<>();
  private final Set<AgentId> changed = new LinkedHashSet<>();
  private final Set<AgentId> alive = new LinkedHashSet<>();
  private boolean looking;

  /**
   * @param directory tells what changes in sessions
   * @param look at some agents; without those that are no members; must not block
   */
  static Behavior<Command> create(
      ActorRef<PresenceDirectory.Command> directory,
      Function<Set<AgentId>, CompletionStage<Map<AgentId, Agent>>> look) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new AgentChanges(context, timers, directory, look)));
  }

  private AgentChanges(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      ActorRef<PresenceDirectory.Command> directory,
      Function<Set<AgentId>, CompletionStage<Map<AgentId, Agent>>> look) {
    super(context);
    this.timers = timers;
    this.directory = directory;
    this.look = look;
    this.subscription = context.messageAdapter(PresenceDirectory.Changed.class, Heard::new);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Heard.class, this::onHeard)
        .onMessage(Changed.class, this::onChanged)
        .onMessage(Told.class, this::onTold)
        .onMessage(Watch.class, this::onWatch)
        .onMessage(Leave.class, this::onLeave)
        .onMessageEquals(Tell.INSTANCE, this::onTell)
        .onMessageEquals(Routine.INSTANCE, this::onRoutine)
        .onMessage(Looked.class, this::onLooked)
        .build();
  }

  private Behavior<Command> onWatch(Watch watch) {
    boolean room = watchers.size() < MAX_WATCHERS;
    if (room) {
      if (watchers.isEmpty()) {
        directory.tell(new PresenceDirectory.Subscribe(subscription));
        timers.startTimerWithFixedDelay(Routine.INSTANCE, ROUTINE);
      }
      watchers.add(watch.watcher());
    }
    watch.replyTo().tell(new Accepted(room));
    return this;
  }

  private Behavior<Command> onLeave(Leave leave) {
    if (watchers.remove(leave.watcher())) {
      restIfAlone();
    }
    return this;
  }

  private void restIfAlone() {
    if (watchers.isEmpty()) {
      directory.tell(new PresenceDirectory.Unsubscribe(subscription));
      timers.cancelAll();
      changed.clear();
      alive.clear();
    }
  }

  private Behavior<Command> onHeard(Heard heard) {
    if (heard.change().routine()) {
      if (!watchers.isEmpty()) {
        alive.add(heard.change().agentId());
      }
      return this;
    }
    return onChanged(new Changed(heard.change().agentId()));
  }

  private Behavior<Command> onChanged(Changed change) {
    if (!watchers.isEmpty()) {
      changed.add(change.agentId());
      tellAfter(PAUSE);
    }
    return this;
  }

  /**
   * Nobody judges an agent that had no session since the colony started: it gets worse by time
   * alone, and is looked at again until it is as bad as can be.
   */
  private Behavior<Command> onTold(Told told) {
    Agent agent = told.agent();
    if (!watchers.isEmpty() && !agent.getConnected() && FADING.contains(agent.getStatus())) {
      alive.add(new AgentId(agent.getAgentId()));
    }
    return this;
  }

  private void tellAfter(Duration delay) {
    if (!looking && !timers.isTimerActive(Tell.INSTANCE)) {
      timers.startSingleTimer(Tell.INSTANCE, Tell.INSTANCE, delay);
    }
  }

  private Behavior<Command> onRoutine() {
    // It may have started anew since.
    directory.tell(new PresenceDirectory.Subscribe(subscription));
    if (!alive.isEmpty()) {
      move(alive, changed, ROUTINE_AGENTS);
      tellAfter(PAUSE);
    }
    return this;
  }

  private Behavior<Command> onTell() {
    Set<AgentId> batch = new LinkedHashSet<>();
    move(changed, batch, BATCH);
    batch.forEach(alive::remove);
    looking = true;
    getContext()
        .pipeToSelf(look.apply(batch), (members, failure) -> new Looked(batch, members, failure));
    return this;
  }

  /** Those that have waited longest. */
  private static void move(Set<AgentId> from, Set<AgentId> to, int most) {
    Iterator<AgentId> next = from.iterator();
    for (int moved = 0; moved < most && next.hasNext(); moved++) {
      to.add(next.next());
      next.remove();
    }
  }

  private Behavior<Command> onLooked(Looked looked) {
    looking = false;
    Map<AgentId, Agent> members = looked.members();
    if (members == null) {
      getContext()
          .getLog()
          .warn("Watchers cannot be told what has changed: {}", String.valueOf(looked.failure()));
      if (!watchers.isEmpty()) {
        changed.addAll(looked.agentIds());
        tellAfter(RETRY);
      }
      return this;
    }
    WatchAgentsResponse.Builder changes = WatchAgentsResponse.newBuilder().setComplete(true);
    for (AgentId agentId : looked.agentIds()) {
      @Nullable Agent agent = members.get(agentId);
      if (agent == null) {
        changes.addRemovedAgentIds(agentId.value());
      } else {
        changes.addAgents(agent);
        onTold(new Told(agent));
      }
    }
    tell(changes.build());
    if (!changed.isEmpty()) {
      tellAfter(changed.size() >= BATCH ? BATCH_PAUSE : PAUSE);
    }
    return this;
  }

  /** One that does not read is told so, rather than being kept waiting for with all its changes. */
  private void tell(WatchAgentsResponse changes) {
    List<Watcher> slow = new ArrayList<>();
    for (Watcher watcher : watchers) {
      if (!watcher.offer(changes)) {
        slow.add(watcher);
      }
    }
    for (Watcher watcher : slow) {
      watchers.remove(watcher);
      watcher.fail(
          new RefusedException(
              Failure.LIMIT_REACHED,
              "the caller reads more slowly than agents change: watch again to see all"));
    }
    if (!slow.isEmpty()) {
      restIfAlone();
    }
  }
}
