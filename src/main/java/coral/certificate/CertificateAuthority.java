package coral.certificate;

import coral.model.AgentId;
import coral.model.ClusterMessage;
import coral.model.Failure;
import coral.model.Refused;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Issues the certificates of agents: the gate in front of the event-sourced {@link
 * CertificateIssuer}. It bounds how many requests are under way, so that the issuer's stash cannot
 * overflow, and it answers for the issuer when its journal fails: everybody who waited is told that
 * the store is unavailable, and the issuer starts again with back-off.
 */
public final class CertificateAuthority extends AbstractBehavior<CertificateAuthority.Command> {
  /** What the authority is asked. */
  public sealed interface Command extends ClusterMessage {}

  /**
   * Issue a certificate to an agent whose right to one has been checked.
   *
   * @param csrPem as the agent sent it; {@link CertificateRequests#verify} sees it first here
   * @param source who asks, for the audit log: an address
   * @param replyTo gets {@link Issued}, or {@link Refusal}: INVALID_ARGUMENT for the request
   *     itself, AGENT_ID_TAKEN if the id or the key is bound otherwise, LIMIT_REACHED,
   *     STORE_UNAVAILABLE
   */
  @SuppressWarnings("ArrayRecordComponent") // a message, compared by nobody
  public record Issue(AgentId agentId, byte[] csrPem, String source, ActorRef<Reply> replyTo)
      implements Command {}

  /**
   * What is known of an agent's certificates.
   *
   * @param replyTo gets {@link AgentCertificate}, or {@link Refusal} with NOT_FOUND
   */
  public record Status(AgentId agentId, ActorRef<Reply> replyTo) implements Command {}

  private record Finished(long ticket, Reply reply) implements Command {}

  private enum StartIssuer implements Command {
    INSTANCE
  }

  /** What the authority answers. */
  public sealed interface Reply extends ClusterMessage {}

  /**
   * A certificate was issued, and journaled.
   *
   * @param chainPem the agent's certificate, then the root
   * @param serial in lower-case hexadecimal digits
   */
  public record Issued(AgentId agentId, String chainPem, String serial, Instant notAfter)
      implements Reply {}

  /**
   * The newest certificate of an agent.
   *
   * @param keyHash the SHA-256 of the SubjectPublicKeyInfo that the agent id is bound to
   */
  public record AgentCertificate(
      AgentId agentId, String keyHash, String serial, Instant issuedAt, Instant notAfter)
      implements Reply {}

  /** Nothing was changed, or, for STORE_UNAVAILABLE, the outcome is unknown: ask again. */
  public record Refusal(Refused refused) implements Reply {}

  private static final Duration MIN_BACK_OFF = Duration.ofMillis(200);
  private static final Duration MAX_BACK_OFF = Duration.ofSeconds(10);

  private final CertificateSettings settings;
  private final String store;
  private final Behavior<CertificateIssuer.Command> issuerBehavior;
  private final TimerScheduler<Command> timers;
  private final ActorRef<CertificateIssuer.Answer> answers;
  private final Map<Long, ActorRef<Reply>> waiting = new HashMap<>();
  private @Nullable ActorRef<CertificateIssuer.Command> issuer;
  private Refusal unavailable;
  private Duration backOff = MIN_BACK_OFF;
  private long lastTicket;

  /**
   * The authority of one colony; there is one such actor.
   *
   * @param index is told of every certificate that is issued or recovered; {@link
   *     CertificateIndex#isComplete} once the journal has been read
   * @param store what holds the journal, for messages: the path of the database file
   * @param signing runs what takes milliseconds of a core; of a bounded number of threads
   */
  public static Behavior<Command> create(
      Authority authority,
      CertificateSettings settings,
      CertificateIndex index,
      String store,
      InstantSource clock,
      Executor signing) {
    Behavior<CertificateIssuer.Command> issuer =
        CertificateIssuer.create(authority, settings, index, clock, signing);
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers -> new CertificateAuthority(context, timers, settings, store, issuer)));
  }

  private CertificateAuthority(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      CertificateSettings settings,
      String store,
      Behavior<CertificateIssuer.Command> issuerBehavior) {
    super(context);
    this.timers = timers;
    this.settings = settings;
    this.store = store;
    this.unavailable = unavailable("it is being opened");
    this.issuerBehavior = issuerBehavior;
    this.answers =
        context.messageAdapter(
            CertificateIssuer.Answer.class,
            answer -> new Finished(answer.ticket(), answer.reply()));
    this.issuer = startIssuer();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Issue.class, this::onIssue)
        .onMessage(Status.class, this::onStatus)
        .onMessage(Finished.class, this::onFinished)
        .onMessageEquals(StartIssuer.INSTANCE, this::onStartIssuer)
        .onSignal(Terminated.class, this::onIssuerStopped)
        .build();
  }

  private Behavior<Command> onIssue(Issue issue) {
    return forward(
        issue.replyTo(),
        (ticket, replyTo) ->
            new CertificateIssuer.Request(
                issue.agentId(), issue.csrPem(), issue.source(), ticket, replyTo));
  }

  private Behavior<Command> onStatus(Status status) {
    return forward(
        status.replyTo(),
        (ticket, replyTo) -> new CertificateIssuer.Find(status.agentId(), ticket, replyTo));
  }

  private interface Question {
    CertificateIssuer.Command ask(long ticket, ActorRef<CertificateIssuer.Answer> replyTo);
  }

  private Behavior<Command> forward(ActorRef<Reply> replyTo, Question question) {
    if (issuer == null) {
      replyTo.tell(unavailable);
    } else if (waiting.size() >= settings.maxWaiting()) {
      replyTo.tell(
          new Refusal(
              new Refused(
                  Failure.LIMIT_REACHED,
                  settings.maxWaiting()
                      + " requests for certificates are waiting; try again later")));
    } else {
      long ticket = ++lastTicket;
      waiting.put(ticket, replyTo);
      issuer.tell(question.ask(ticket, answers));
    }
    return this;
  }

  private Behavior<Command> onFinished(Finished finished) {
    @Nullable ActorRef<Reply> replyTo = waiting.remove(finished.ticket());
    if (replyTo != null) { // null after the issuer failed and everybody was answered
      replyTo.tell(finished.reply());
    }
    backOff = MIN_BACK_OFF;
    return this;
  }

  private Behavior<Command> onIssuerStopped(Terminated stopped) {
    @Nullable Throwable cause = stopped instanceof ChildFailed failed ? failed.getCause() : null;
    getContext()
        .getLog()
        .error(
            "The journal of certificates failed; {} requests are refused, next try in {} ms",
            waiting.size(),
            backOff.toMillis(),
            cause);
    issuer = null;
    unavailable = unavailable(cause == null ? "its reader has stopped" : reason(cause));
    waiting.values().forEach(replyTo -> replyTo.tell(unavailable));
    waiting.clear();
    timers.startSingleTimer(StartIssuer.INSTANCE, backOff);
    Duration doubled = backOff.multipliedBy(2);
    backOff = doubled.compareTo(MAX_BACK_OFF) < 0 ? doubled : MAX_BACK_OFF;
    return this;
  }

  private Behavior<Command> onStartIssuer() {
    issuer = startIssuer();
    return this;
  }

  private ActorRef<CertificateIssuer.Command> startIssuer() {
    ActorRef<CertificateIssuer.Command> started = getContext().spawnAnonymous(issuerBehavior);
    getContext().watch(started);
    return started;
  }

  private Refusal unavailable(String why) {
    return new Refusal(
        new Refused(
            Failure.STORE_UNAVAILABLE,
            "the certificates in the database "
                + store
                + " cannot be used now: "
                + why
                + "; ask again with the same key"));
  }

  /** Pekko wraps what the store said; what a driver or a parser said inside of that is dropped. */
  private static String reason(Throwable failure) {
    Throwable cause = failure;
    while (!(cause instanceof IOException || cause instanceof UncheckedIOException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }
}
