package coral.session;

import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.ClusterMessage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * One agent as the colony sees it; a sharded entity. At most one stream is its session: a newer one
 * supersedes it, and whatever an older one still says, its end included, changes nothing.
 *
 * <p>The generation of a session is the time it was opened, in milliseconds since 1970, or one more
 * than the last. So it grows within the life of this actor, and across restarts of the colony
 * without anything stored, as long as the colony's clock is not set back by more than it was down.
 */
public final class AgentSession extends AbstractBehavior<AgentSession.Command> {
  /** The kind of entity; the entity id is the agent id. */
  public static final EntityTypeKey<Command> TYPE =
      EntityTypeKey.create(Command.class, "agent-session");

  /** A session that is taken over may be a lost connection, or a stolen certificate. */
  private static final Logger audit = LoggerFactory.getLogger("coral.audit");

  /** What a session is told. */
  public sealed interface Command extends ClusterMessage {}

  /**
   * A stream of the agent is there and becomes its session.
   *
   * @param stream gets every {@link Notice}; ends the session when it terminates
   * @param certificateSerial of the agent's certificate, in hexadecimal digits
   */
  public record Open(String certificateSerial, ActorRef<Notice> stream) implements Command {}

  /**
   * The agent is alive.
   *
   * @param stream whose heartbeat it is
   * @param probes since the last heartbeat
   */
  public record Heartbeat(
      ActorRef<Notice> stream, long sequence, Optional<TunnelStatistics> tunnel, List<Probe> probes)
      implements Command {
    public Heartbeat {
      probes = List.copyOf(probes);
    }
  }

  /**
   * What the agent's host is connected to now, in place of what was told before.
   *
   * @param stream whose word it is
   */
  public record Observed(ActorRef<Notice> stream, ConnectionReport report) implements Command {}

  /** The agent's address was released: ends its session and forgets the agent. */
  public record Deregister() implements Command {}

  /**
   * Some right of the agent has ended: ends its session, unless that was opened with a certificate
   * that is still good.
   *
   * @param goodSerials in hexadecimal digits; empty for an agent that must not come back
   */
  public record Expel(CloseReason reason, Set<String> goodSerials) implements Command {
    public Expel {
      goodSerials = Set.copyOf(goodSerials);
    }
  }

  /** Ends the actor; given to sharding as its stop message. */
  public record Stop() implements Command {}

  /** It may be time to judge again. */
  private record Judge() implements Command {}

  /**
   * The session of one agent.
   *
   * @param heartbeatInterval what agents are told
   * @param directory is told of every change
   * @param connections is told what the agent has observed, for as long as its session lasts
   * @param shard where the entity asks to be stopped
   */
  public static Behavior<Command> create(
      AgentId agentId,
      Duration heartbeatInterval,
      InstantSource clock,
      AuditSink sink,
      ActorRef<PresenceDirectory.Command> directory,
      ActorRef<ConnectionDirectory.Command> connections,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new AgentSession(
                        context,
                        timers,
                        agentId,
                        heartbeatInterval,
                        clock,
                        sink,
                        directory,
                        connections,
                        shard)));
  }

  private final TimerScheduler<Command> timers;
  private final AgentId agentId;
  private final Duration heartbeatInterval;
  private final InstantSource clock;
  private final AuditSink sink;
  private final ActorRef<PresenceDirectory.Command> directory;
  private final ActorRef<ConnectionDirectory.Command> connections;
  private final ActorRef<ClusterSharding.ShardCommand> shard;

  private @Nullable ActorRef<Notice> current;
  private @Nullable AgentPresence known;

  private AgentSession(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      AgentId agentId,
      Duration heartbeatInterval,
      InstantSource clock,
      AuditSink sink,
      ActorRef<PresenceDirectory.Command> directory,
      ActorRef<ConnectionDirectory.Command> connections,
      ActorRef<ClusterSharding.ShardCommand> shard) {
    super(context);
    this.timers = timers;
    this.agentId = agentId;
    this.heartbeatInterval = heartbeatInterval;
    this.clock = clock;
    this.sink = sink;
    this.directory = directory;
    this.connections = connections;
    this.shard = shard;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Heartbeat.class, this::onHeartbeat)
        .onMessage(Observed.class, this::onObserved)
        .onMessage(Open.class, this::onOpen)
        .onMessage(Judge.class, judge -> onJudge())
        .onMessage(Deregister.class, deregister -> onDeregister())
        .onMessage(Expel.class, this::onExpel)
        .onMessage(Stop.class, stop -> onStop())
        .onSignal(Terminated.class, this::onStreamTerminated)
        .build();
  }

  private Behavior<Command> onOpen(Open open) {
    if (open.stream().equals(current)) {
      return this;
    }
    Instant now = clock.instant();
    AgentPresence last = known;
    if (current != null && last != null) {
      audit.warn(
          "session superseded agent={} generation={} serial={} by={} heard={} ago",
          agentId,
          last.generation(),
          last.certificateSerial(),
          open.certificateSerial(),
          Duration.between(last.lastSeen(), now));
      sink.record(
          AuditEvent.of(AuditEvent.Kind.SESSION_SUPERSEDED)
              .by("agent/" + agentId)
              .about(agentId)
              .detail(
                  "generation "
                      + last.generation()
                      + ", serial "
                      + last.certificateSerial()
                      + ", by serial "
                      + open.certificateSerial()
                      + "; heard of "
                      + Duration.between(last.lastSeen(), now).toMillis()
                      + " ms ago"));
    }
    close(CloseReason.SUPERSEDED);
    long generation =
        last == null ? now.toEpochMilli() : Math.max(last.generation() + 1, now.toEpochMilli());
    current = open.stream();
    getContext().watch(open.stream());
    open.stream().tell(new Notice.Opened(generation, heartbeatInterval));
    publish(
        new AgentPresence(
            agentId,
            Presence.HEALTHY,
            true,
            generation,
            now,
            open.certificateSerial(),
            last == null ? Optional.empty() : last.tunnel(),
            last == null ? Optional.empty() : last.roundTripIpv4(),
            last == null ? Optional.empty() : last.roundTripIpv6()));
    judgeLater(now, now);
    return this;
  }

  private Behavior<Command> onHeartbeat(Heartbeat heartbeat) {
    AgentPresence last = known;
    if (last == null || !heartbeat.stream().equals(current)) {
      return this;
    }
    Optional<Duration> ipv4 = last.roundTripIpv4();
    Optional<Duration> ipv6 = last.roundTripIpv6();
    for (Probe probe : heartbeat.probes()) {
      if (probe.ipv6()) {
        ipv6 = probe.roundTrip();
      } else {
        ipv4 = probe.roundTrip();
      }
    }
    publish(
        new AgentPresence(
            agentId,
            Presence.HEALTHY,
            true,
            last.generation(),
            clock.instant(),
            last.certificateSerial(),
            heartbeat.tunnel().or(last::tunnel),
            ipv4,
            ipv6));
    heartbeat.stream().tell(new Notice.HeartbeatReceived(heartbeat.sequence()));
    return this;
  }

  private Behavior<Command> onObserved(Observed observed) {
    if (observed.stream().equals(current)) {
      connections.tell(new ConnectionDirectory.Reported(agentId, observed.report()));
    }
    return this;
  }

  /**
   * One timer at a time, that finds out when it fires how long the agent has really been silent:
   * cheaper than a timer set anew by each heartbeat.
   */
  private Behavior<Command> onJudge() {
    AgentPresence last = known;
    if (last == null) {
      return this;
    }
    Instant now = clock.instant();
    Presence presence = Presence.at(last.lastSeen(), now, heartbeatInterval);
    if (presence == Presence.UNHEALTHY) {
      // A stream that lives and says nothing for ten intervals is a connection that has died
      // without a word, or an agent that has; either starts again.
      close(CloseReason.RESYNC);
      publish(last(last, Presence.UNHEALTHY, false));
      shard.tell(new ClusterSharding.Passivate<>(getContext().getSelf()));
      return this;
    }
    if (presence != last.presence()) {
      publish(last(last, presence, last.connected()));
    }
    judgeLater(last.lastSeen(), now);
    return this;
  }

  private Behavior<Command> onStreamTerminated(Terminated terminated) {
    AgentPresence last = known;
    if (last != null && current != null && terminated.getRef().path().equals(current.path())) {
      current = null;
      connections.tell(new ConnectionDirectory.Forget(agentId));
      publish(last(last, last.presence(), false));
    }
    return this;
  }

  private Behavior<Command> onDeregister() {
    close(CloseReason.DEREGISTERED);
    known = null;
    timers.cancel(Judge.class);
    directory.tell(new PresenceDirectory.Forget(agentId));
    shard.tell(new ClusterSharding.Passivate<>(getContext().getSelf()));
    return this;
  }

  private Behavior<Command> onExpel(Expel expel) {
    AgentPresence last = known;
    if (current == null || last == null) {
      passivateUnknown();
      return this;
    }
    if (!expel.goodSerials().contains(last.certificateSerial())) {
      // Each renewal ends a session; only a revocation is news.
      Level level = expel.reason() == CloseReason.REVOKED ? Level.WARN : Level.INFO;
      audit
          .atLevel(level)
          .log(
              "session ended agent={} generation={} serial={} reason={}",
              agentId,
              last.generation(),
              last.certificateSerial(),
              expel.reason());
      close(expel.reason());
      publish(last(last, last.presence(), false));
    }
    return this;
  }

  /** Somebody spoke of an agent that was never here: this actor was started for that alone. */
  private void passivateUnknown() {
    if (known == null) {
      shard.tell(new ClusterSharding.Passivate<>(getContext().getSelf()));
    }
  }

  /** A session that was opened while the shard made up its mind to stop this actor starts again. */
  private Behavior<Command> onStop() {
    close(CloseReason.RESYNC);
    return Behaviors.stopped();
  }

  private void close(CloseReason reason) {
    ActorRef<Notice> stream = current;
    current = null;
    if (stream != null) {
      getContext().unwatch(stream);
      stream.tell(new Notice.Closed(reason));
      connections.tell(new ConnectionDirectory.Forget(agentId));
    }
  }

  private void publish(AgentPresence presence) {
    known = presence;
    directory.tell(new PresenceDirectory.Update(presence));
  }

  private void judgeLater(Instant lastSeen, Instant now) {
    Presence.untilWorse(lastSeen, now, heartbeatInterval)
        .ifPresent(delay -> timers.startSingleTimer(Judge.class, new Judge(), delay));
  }

  private static AgentPresence last(AgentPresence last, Presence presence, boolean connected) {
    return new AgentPresence(
        last.agentId(),
        presence,
        connected,
        last.generation(),
        last.lastSeen(),
        last.certificateSerial(),
        last.tunnel(),
        last.roundTripIpv4(),
        last.roundTripIpv6());
  }
}
