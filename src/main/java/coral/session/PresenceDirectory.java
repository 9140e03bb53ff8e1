package coral.session;

import coral.model.AgentId;
import coral.model.ClusterMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * What is last known of every agent since the colony started; a cluster singleton. It holds as many
 * entries as there are agents with an address, and is asked for pages of them.
 *
 * <p>When agents were last seen is written behind: once a minute, everything that changed in one
 * batch, so that an agent costs at most one row a minute however often it is heard.
 */
public final class PresenceDirectory extends AbstractBehavior<PresenceDirectory.Command> {
  /** RFD 019 keeps {@code last_seen} for people and for clean-up, who need no better than this. */
  static final Duration WRITE_INTERVAL = Duration.ofMinutes(1);

  /** What the directory is told and asked. */
  public sealed interface Command extends ClusterMessage {}

  /** A session changed. */
  record Update(AgentPresence presence) implements Command {}

  /** An agent is no member any more. */
  record Forget(AgentId agentId) implements Command {}

  /**
   * Asks what is known of these agents; answered with {@link Known}.
   *
   * @param agentIds at most 1,000 of one page
   */
  public record Describe(List<AgentId> agentIds, ActorRef<Known> replyTo) implements Command {
    public Describe {
      agentIds = List.copyOf(agentIds);
    }
  }

  /** Asks how many agents have a session; answered with {@link Connected}. */
  public record CountConnected(ActorRef<Connected> replyTo) implements Command {}

  /** Has somebody told of every change from now on; again changes nothing. */
  public record Subscribe(ActorRef<Changed> subscriber) implements Command {}

  /** Ends a subscription; so does the end of the subscriber. */
  public record Unsubscribe(ActorRef<Changed> subscriber) implements Command {}

  /** Writes what is not written yet: the colony stops. */
  public record Flush(ActorRef<Flushed> replyTo) implements Command {}

  /** What is known of the agents asked for; without those of which nothing is. */
  public record Known(List<AgentPresence> presences) implements ClusterMessage {
    public Known {
      presences = List.copyOf(presences);
    }
  }

  /**
   * Told to subscribers: there is something new to know of an agent.
   *
   * @param routine it was heard again, and is as it was
   */
  public record Changed(AgentId agentId, boolean routine) implements ClusterMessage {}

  /** How many agents have a session. */
  public record Connected(int agents) implements ClusterMessage {}

  /**
   * The end of a {@link Flush}.
   *
   * @param complete whether everything is written
   */
  public record Flushed(boolean complete) implements ClusterMessage {}

  private record WriteBehind() implements Command {}

  private record Written(Map<AgentId, Instant> batch, @Nullable Throwable failure)
      implements Command {}

  /**
   * The directory.
   *
   * @param writeLastSeen writes a batch; must not block
   */
  public static Behavior<Command> create(
      Function<Map<AgentId, Instant>, CompletionStage<Done>> writeLastSeen) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(timers -> new PresenceDirectory(context, timers, writeLastSeen)));
  }

  private final Function<Map<AgentId, Instant>, CompletionStage<Done>> writeLastSeen;
  private final Map<AgentId, AgentPresence> presences = new HashMap<>();
  private final Set<ActorRef<Changed>> subscribers = new HashSet<>();
  private final List<ActorRef<Flushed>> flushing = new ArrayList<>();
  private Map<AgentId, Instant> unwritten = new HashMap<>();
  private boolean writing;
  private int connected;

  private PresenceDirectory(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      Function<Map<AgentId, Instant>, CompletionStage<Done>> writeLastSeen) {
    super(context);
    this.writeLastSeen = writeLastSeen;
    timers.startTimerWithFixedDelay(new WriteBehind(), WRITE_INTERVAL);
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Update.class, this::onUpdate)
        .onMessage(Forget.class, this::onForget)
        .onMessage(Describe.class, this::onDescribe)
        .onMessage(CountConnected.class, this::onCountConnected)
        .onMessage(Subscribe.class, this::onSubscribe)
        .onMessage(Unsubscribe.class, this::onUnsubscribe)
        .onMessage(WriteBehind.class, tick -> onWriteBehind())
        .onMessage(Written.class, this::onWritten)
        .onMessage(Flush.class, this::onFlush)
        .build();
  }

  private Behavior<Command> onUpdate(Update update) {
    AgentPresence presence = update.presence();
    AgentPresence last = presences.put(presence.agentId(), presence);
    connected += (presence.connected() ? 1 : 0) - (last != null && last.connected() ? 1 : 0);
    if (last == null || !last.lastSeen().equals(presence.lastSeen())) {
      unwritten.put(presence.agentId(), presence.lastSeen());
    }
    tellSubscribers(presence.agentId(), last != null && isLike(presence, last));
    return this;
  }

  private static boolean isLike(AgentPresence presence, AgentPresence last) {
    return presence.presence() == last.presence()
        && presence.connected() == last.connected()
        && presence.generation() == last.generation();
  }

  private void tellSubscribers(AgentId agentId, boolean routine) {
    subscribers.forEach(subscriber -> subscriber.tell(new Changed(agentId, routine)));
  }

  private Behavior<Command> onSubscribe(Subscribe subscribe) {
    if (subscribers.add(subscribe.subscriber())) {
      getContext().watchWith(subscribe.subscriber(), new Unsubscribe(subscribe.subscriber()));
    }
    return this;
  }

  private Behavior<Command> onUnsubscribe(Unsubscribe unsubscribe) {
    if (subscribers.remove(unsubscribe.subscriber())) {
      getContext().unwatch(unsubscribe.subscriber());
    }
    return this;
  }

  private Behavior<Command> onForget(Forget forget) {
    AgentPresence last = presences.remove(forget.agentId());
    connected -= last != null && last.connected() ? 1 : 0;
    unwritten.remove(forget.agentId());
    tellSubscribers(forget.agentId(), false);
    return this;
  }

  private Behavior<Command> onDescribe(Describe describe) {
    List<AgentPresence> known = new ArrayList<>(describe.agentIds().size());
    for (AgentId agentId : describe.agentIds()) {
      AgentPresence presence = presences.get(agentId);
      if (presence != null) {
        known.add(presence);
      }
    }
    describe.replyTo().tell(new Known(known));
    return this;
  }

  private Behavior<Command> onCountConnected(CountConnected count) {
    count.replyTo().tell(new Connected(connected));
    return this;
  }

  private Behavior<Command> onWriteBehind() {
    if (!writing && !unwritten.isEmpty()) {
      Map<AgentId, Instant> batch = unwritten;
      unwritten = new HashMap<>();
      writing = true;
      getContext()
          .pipeToSelf(
              writeLastSeen.apply(Map.copyOf(batch)),
              (done, failure) -> new Written(batch, failure));
    }
    return this;
  }

  private Behavior<Command> onWritten(Written written) {
    writing = false;
    Throwable failure = written.failure();
    if (failure != null) {
      getContext()
          .getLog()
          .warn(
              "last_seen of {} agents was not written, next attempt with the next batch: {}",
              written.batch().size(),
              failure.getMessage());
      // What was heard since is newer; who was forgotten since stays forgotten.
      written
          .batch()
          .forEach(
              (agentId, lastSeen) -> {
                if (presences.containsKey(agentId)) {
                  unwritten.putIfAbsent(agentId, lastSeen);
                }
              });
      finishFlush(false);
    } else if (!flushing.isEmpty()) {
      onWriteBehind();
      if (!writing) {
        finishFlush(true);
      }
    }
    return this;
  }

  private Behavior<Command> onFlush(Flush flush) {
    flushing.add(flush.replyTo());
    onWriteBehind();
    if (!writing) {
      finishFlush(true);
    }
    return this;
  }

  private void finishFlush(boolean complete) {
    flushing.forEach(replyTo -> replyTo.tell(new Flushed(complete)));
    flushing.clear();
  }
}
