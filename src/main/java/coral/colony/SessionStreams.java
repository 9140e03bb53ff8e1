package coral.colony;

import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.session.AgentSession;
import coral.session.CloseReason;
import coral.session.Notice;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityRef;
import org.apache.pekko.event.Logging;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.BufferOverflowException;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Flow;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.typed.javadsl.ActorSource;

/** The streams of this node between agents and their {@link AgentSession}s. */
final class SessionStreams {
  /**
   * Notices that an agent may be behind. They are few and small, so an agent that lets this many
   * wait reads nothing: it is closed with {@link CloseReason#RESYNC}, never silently behind.
   */
  static final int BUFFER = 16;

  /** Told to the agent by {@link CloseReason#RESYNC}; it is no error of the colony. */
  private static final OverflowStrategy RESYNC =
      OverflowStrategy.fail().withLogLevel(Logging.DebugLevel());

  /** Messages that an agent may send in a second; more are read more slowly, not refused. */
  private static final int MESSAGES_PER_SECOND = 20;

  private record Open(X509Certificate certificate, CompletionStage<Done> end) {}

  private final ActorSystem<?> system;
  private final ClusterSharding sharding;
  private final Predicate<X509Certificate> accepted;
  private final Map<ActorRef<Notice>, Open> open = new ConcurrentHashMap<>();
  private volatile boolean stopping;

  /**
   * @param accepted whether a certificate is still good: asked at every heartbeat, must not block
   */
  SessionStreams(
      ActorSystem<?> system, ClusterSharding sharding, Predicate<X509Certificate> accepted) {
    this.system = system;
    this.sharding = sharding;
    this.accepted = accepted;
  }

  /**
   * Opens a stream; it becomes the agent's session. It ends when either side ends it, and with the
   * first heartbeat after its certificate has expired or was superseded: then the agent is told to
   * start again, and is refused by the handshake unless it has a better one.
   *
   * @param certificate that the agent opened the stream with
   * @param incoming what the agent sends
   * @param read reads a message as what the session is told; empty for one of no meaning to it
   * @return what to send, {@link Notice.Opened} first
   */
  <M> Source<Notice, NotUsed> open(
      AgentId agentId,
      X509Certificate certificate,
      Source<M, NotUsed> incoming,
      BiFunction<ActorRef<Notice>, M, ? extends Optional<? extends AgentSession.Command>> read) {
    Pair<ActorRef<Notice>, Source<Notice, NotUsed>> materialized = notices(system);
    ActorRef<Notice> stream = materialized.first();
    EntityRef<AgentSession.Command> session = session(agentId);
    Source<Notice, NotUsed> notices =
        materialized
            .second()
            .watchTermination(
                (notUsed, terminated) -> {
                  open.put(stream, new Open(certificate, terminated));
                  terminated.whenComplete((done, failure) -> open.remove(stream));
                  if (stopping) {
                    stream.tell(new Notice.Closed(CloseReason.COLONY_STOPPING));
                  } else {
                    session.tell(new AgentSession.Open(Protobuf.serial(certificate), stream));
                  }
                  return notUsed;
                });
    Sink<M, NotUsed> messages =
        Flow.<M>create()
            .throttle(MESSAGES_PER_SECOND, Duration.ofSeconds(1))
            .toMat(
                Sink.foreach(
                    message -> {
                      if (accepted.test(certificate)) {
                        read.apply(stream, message).ifPresent(session::tell);
                      } else {
                        stream.tell(new Notice.Closed(CloseReason.CERTIFICATE_SUPERSEDED));
                      }
                    }),
                Keep.left());
    return incoming.via(Flow.fromSinkAndSourceCoupled(messages, notices));
  }

  /** What is told to the reference comes out of the source, which ends behind {@code Closed}. */
  static Pair<ActorRef<Notice>, Source<Notice, NotUsed>> notices(ActorSystem<?> system) {
    Pair<ActorRef<Notice>, Source<Notice, NotUsed>> materialized =
        ActorSource.<Notice>actorRef(notice -> false, notice -> Optional.empty(), BUFFER, RESYNC)
            .preMaterialize(system);
    return Pair.create(
        materialized.first(),
        materialized
            .second()
            .recover(BufferOverflowException.class, () -> new Notice.Closed(CloseReason.RESYNC))
            .takeWhile(notice -> !(notice instanceof Notice.Closed), true));
  }

  private EntityRef<AgentSession.Command> session(AgentId agentId) {
    return sharding.entityRefFor(AgentSession.TYPE, agentId.value());
  }

  /** Tells all agents that have a session here. */
  void tellAll(Notice notice) {
    tellAll(certificate -> true, notice);
  }

  /** Tells those agents that have a session here with such a certificate. */
  void tellAll(Predicate<X509Certificate> which, Notice notice) {
    open.forEach(
        (stream, session) -> {
          if (which.test(session.certificate())) {
            stream.tell(notice);
          }
        });
  }

  /** Ends the session of an agent that turned out to hold no address. */
  void deregister(AgentId agentId) {
    session(agentId).tell(new AgentSession.Deregister());
  }

  /**
   * @throws RefusedException NOT_READY if the colony stops
   */
  void requireOpen() {
    if (stopping) {
      throw new RefusedException(Failure.NOT_READY, "the colony is stopping");
    }
  }

  /** Tells all agents that the colony stops; completes when they all have been told. */
  CompletionStage<Void> stop() {
    stopping = true;
    open.keySet().forEach(stream -> stream.tell(new Notice.Closed(CloseReason.COLONY_STOPPING)));
    return CompletableFuture.allOf(
        open.values().stream()
            .map(Open::end)
            .map(end -> end.toCompletableFuture().exceptionally(failure -> Done.getInstance()))
            .toArray(CompletableFuture[]::new));
  }
}
