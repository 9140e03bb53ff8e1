package coral.certificate;

import coral.model.AgentId;
import coral.model.ClusterMessage;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Refused;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
 * Issues the certificates of a colony's members, and ends them: the gate in front of the
 * event-sourced {@link CertificateIssuer}. It bounds how many requests are under way, by {@link
 * WaitingRooms}, so that the issuer's stash cannot overflow, and it answers for the issuer when its
 * journal fails: everybody who waited is told that the store is unavailable, and the issuer starts
 * again with back-off.
 */
public final class CertificateAuthority extends AbstractBehavior<CertificateAuthority.Command> {
  /** What the authority is asked. */
  public sealed interface Command extends ClusterMessage {}

  /** A command that is answered, always with exactly one reply. */
  public sealed interface Request extends Command {
    ActorRef<Reply> replyTo();
  }

  /**
   * Issue a certificate. The same request id, or the same key, before the certificate was used gets
   * the same certificate again and spends nothing.
   *
   * @param csrPem as the agent sent it; {@link CertificateRequests#verify} sees it first here
   * @param proof that the caller held the id before, if it says so
   * @param origin of the request, for the journal and the audit
   * @param replyTo gets {@link Issued}, or {@link Refusal}: INVALID_ARGUMENT for the request
   *     itself, UNAUTHENTICATED if it is not paid for, AGENT_ID_TAKEN if the id or the key is bound
   *     otherwise, FAILED_PRECONDITION if the identity is frozen or revoked, LIMIT_REACHED,
   *     STORE_UNAVAILABLE
   */
  @SuppressWarnings("ArrayRecordComponent") // a message, compared by nobody
  public record Issue(
      AgentId agentId,
      byte[] csrPem,
      Payment payment,
      Optional<PreviousKeyProof> proof,
      Origin origin,
      ActorRef<Reply> replyTo)
      implements Request {}

  /**
   * End an identity: all its certificates, at once and for good, until {@link AllowRebind}.
   *
   * @param reason for people, at most 255 characters
   * @param replyTo gets {@link Revoked}, again if it was revoked before, or {@link Refusal}:
   *     NOT_FOUND, INVALID_ARGUMENT, STORE_UNAVAILABLE
   */
  public record Revoke(AgentId agentId, String reason, Origin origin, ActorRef<Reply> replyTo)
      implements Request {}

  /**
   * End one certificate by its number, such as the one of an administrator that {@code init} made.
   * If the number is that of a journaled certificate its identity is ended with it.
   *
   * @param serial 32 lower-case hexadecimal digits
   * @param isAdministrators whether the caller has found out that this is the number of a
   *     certificate of this colony which the journal does not know
   * @param replyTo gets {@link Revoked} or {@link Refusal}: NOT_FOUND for a number that nobody
   *     knows, because whoever mistypes one must not believe that it was revoked
   */
  public record RevokeSerial(
      String serial,
      boolean isAdministrators,
      String reason,
      Origin origin,
      ActorRef<Reply> replyTo)
      implements Request {}

  /**
   * Let an id be claimed once by another key, also if it is frozen or revoked.
   *
   * @param ttl up to 24 hours
   * @param replyTo gets {@link RebindAllowed} or {@link Refusal}: NOT_FOUND, INVALID_ARGUMENT
   */
  public record AllowRebind(
      AgentId agentId, Duration ttl, String reason, Origin origin, ActorRef<Reply> replyTo)
      implements Request {}

  /**
   * Make an invitation.
   *
   * @param secretHash of a new secret of {@link InvitationSecrets}, which the caller shows to
   *     whoever asked once this is answered
   * @param agentId the only id that it may be used for; empty if the guest chooses
   * @param role of whoever uses it; not {@link CertificateRole#ADMIN}
   * @param ttl 1 minute to 30 days
   * @param uses 1 to 1,000; more than one only without an agent id
   * @param replyTo gets {@link InvitationCreated} or {@link Refusal}: INVALID_ARGUMENT,
   *     LIMIT_REACHED
   */
  public record CreateInvitation(
      String secretHash,
      Optional<AgentId> agentId,
      CertificateRole role,
      Duration ttl,
      int uses,
      Origin origin,
      ActorRef<Reply> replyTo)
      implements Request {}

  /** List the invitations that are kept; answered with {@link Invitations}. */
  public record ListInvitations(ActorRef<Reply> replyTo) implements Request {}

  /** End an invitation; answered with {@link InvitationRevoked}, or {@link Refusal}: NOT_FOUND. */
  public record RevokeInvitation(String invitationId, Origin origin, ActorRef<Reply> replyTo)
      implements Request {}

  /**
   * What is known of an agent's certificates.
   *
   * @param replyTo gets {@link AgentCertificate}, or {@link Refusal} with NOT_FOUND
   */
  public record Status(AgentId agentId, ActorRef<Reply> replyTo) implements Request {}

  /**
   * A certificate was used by whoever holds its key: if it is the newest of its agent, the one
   * before it ends now. Not answered; {@link CertificateIndex} tells it.
   */
  public record CertificateUsed(AgentId agentId, String serial) implements Command {}

  private record Finished(long ticket, Reply reply) implements Command {}

  private enum StartIssuer implements Command {
    INSTANCE
  }

  private enum Promoted implements Command {
    INSTANCE
  }

  /** What the authority answers. */
  public sealed interface Reply extends ClusterMessage {}

  /**
   * A certificate was issued, and journaled.
   *
   * @param chainPem the certificate, then the intermediate that signed it
   * @param serial in lower-case hexadecimal digits
   */
  public record Issued(AgentId agentId, String chainPem, String serial, Instant notAfter)
      implements Reply {}

  /**
   * An identity and its newest certificate.
   *
   * @param keyHash the SHA-256 of the SubjectPublicKeyInfo of the newest certificate
   * @param state whether its certificates are good
   */
  public record AgentCertificate(
      AgentId agentId,
      CertificateRole role,
      IdentityState state,
      String keyHash,
      String serial,
      Instant issuedAt,
      Instant notAfter)
      implements Reply {}

  /**
   * An identity, or a single certificate, has ended.
   *
   * @param serials of the certificates that have not expired yet
   */
  public record Revoked(Optional<AgentId> agentId, List<String> serials) implements Reply {
    public Revoked {
      serials = List.copyOf(serials);
    }
  }

  /** The id may be claimed once until then. */
  public record RebindAllowed(AgentId agentId, Instant until) implements Reply {}

  /** An invitation was made. */
  public record InvitationCreated(Invitation invitation) implements Reply {}

  /** The invitations that are kept, the newest first. */
  public record Invitations(List<Invitation> invitations) implements Reply {
    public Invitations {
      invitations = List.copyOf(invitations);
    }
  }

  /** The invitation can be used no more. */
  public record InvitationRevoked(Invitation invitation) implements Reply {}

  /** Nothing was changed, or, for STORE_UNAVAILABLE, the outcome is unknown: ask again. */
  public record Refusal(Refused refused) implements Reply {}

  private static final Duration MIN_BACK_OFF = Duration.ofMillis(200);
  private static final Duration MAX_BACK_OFF = Duration.ofSeconds(10);

  private final CertificateSettings settings;
  private final CertificateIndex index;
  private final String store;
  private final Behavior<CertificateIssuer.Command> issuerBehavior;
  private final TimerScheduler<Command> timers;
  private final ActorRef<CertificateIssuer.Answer> answers;
  private final ActorRef<CertificateIssuer.Promoted> promotions;
  private final WaitingRooms waiting;

  /** Certificates that were used for the first time, while others are being journaled. */
  private final Map<AgentId, String> used = new LinkedHashMap<>();

  private boolean promoting;
  private @Nullable ActorRef<CertificateIssuer.Command> issuer;
  private Refusal unavailable;
  private Duration backOff = MIN_BACK_OFF;

  /**
   * The authority of one colony; there is one such actor.
   *
   * @param blocked keys that get no certificate
   * @param index is told of every certificate that is issued or recovered; {@link
   *     CertificateIndex#isComplete} once the journal has been read
   * @param store what holds the journal, for messages: the path of the database file
   * @param signing runs what takes milliseconds of a core; of a bounded number of threads
   */
  public static Behavior<Command> create(
      Authority authority,
      CertificateSettings settings,
      BlockedKeys blocked,
      CertificateIndex index,
      String store,
      InstantSource clock,
      Executor signing) {
    Instant started = clock.instant();
    Behavior<CertificateIssuer.Command> issuer =
        CertificateIssuer.create(authority, settings, blocked, index, clock, started, signing);
    return Behaviors.setup(
        context ->
            Behaviors.withTimers(
                timers ->
                    new CertificateAuthority(context, timers, settings, index, store, issuer)));
  }

  /** Of the journal of a colony's certificates. */
  public static String persistenceId(ColonyId colonyId) {
    return "certificates-" + colonyId;
  }

  private CertificateAuthority(
      ActorContext<Command> context,
      TimerScheduler<Command> timers,
      CertificateSettings settings,
      CertificateIndex index,
      String store,
      Behavior<CertificateIssuer.Command> issuerBehavior) {
    super(context);
    this.timers = timers;
    this.settings = settings;
    this.waiting = new WaitingRooms(settings.maxWaiting());
    this.index = index;
    this.store = store;
    this.unavailable = unavailable("it is being opened");
    this.issuerBehavior = issuerBehavior;
    this.answers =
        context.messageAdapter(
            CertificateIssuer.Answer.class,
            answer -> new Finished(answer.ticket(), answer.reply()));
    this.promotions =
        context.messageAdapter(CertificateIssuer.Promoted.class, promoted -> Promoted.INSTANCE);
    ActorRef<Command> self = context.getSelf();
    index.onFirstUse((agentId, serial) -> self.tell(new CertificateUsed(agentId, serial)));
    this.issuer = startIssuer();
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Request.class, this::onRequest)
        .onMessage(CertificateUsed.class, this::onUsed)
        .onMessage(Finished.class, this::onFinished)
        .onMessageEquals(Promoted.INSTANCE, this::onPromoted)
        .onMessageEquals(StartIssuer.INSTANCE, this::onStartIssuer)
        .onSignal(Terminated.class, this::onIssuerStopped)
        .build();
  }

  private Behavior<Command> onRequest(Request request) {
    if (issuer == null) {
      request.replyTo().tell(unavailable);
      return this;
    }
    Optional<Refused> refused = waiting.refusal(request);
    if (refused.isPresent()) {
      request.replyTo().tell(new Refusal(refused.get()));
    } else {
      issuer.tell(new CertificateIssuer.Ask(request, waiting.enter(request), answers));
    }
    return this;
  }

  private Behavior<Command> onUsed(CertificateUsed certificate) {
    if (used.size() < settings.maxAgents()) {
      used.put(certificate.agentId(), certificate.serial());
      promote();
    }
    return this;
  }

  /**
   * Together in one write, and one write at a time: after a restart all agents come back at once.
   */
  private void promote() {
    if (issuer != null && !promoting && !used.isEmpty()) {
      promoting = true;
      issuer.tell(new CertificateIssuer.Used(used, promotions));
      used.clear();
    }
  }

  private Behavior<Command> onPromoted() {
    promoting = false;
    promote();
    return this;
  }

  private Behavior<Command> onFinished(Finished finished) {
    waiting.leave(finished.ticket()).ifPresent(replyTo -> replyTo.tell(finished.reply()));
    backOff = MIN_BACK_OFF;
    return this;
  }

  private Behavior<Command> onIssuerStopped(Terminated stopped) {
    @Nullable Throwable cause = stopped instanceof ChildFailed failed ? failed.getCause() : null;
    List<ActorRef<Reply>> left = waiting.leaveAll();
    getContext()
        .getLog()
        .error(
            "The journal of certificates failed; {} requests are refused, next try in {} ms",
            left.size(),
            backOff.toMillis(),
            cause);
    issuer = null;
    promoting = false;
    index.outOfReach();
    unavailable = unavailable(cause == null ? "its reader has stopped" : reason(cause));
    left.forEach(replyTo -> replyTo.tell(unavailable));
    timers.startSingleTimer(StartIssuer.INSTANCE, backOff);
    Duration doubled = backOff.multipliedBy(2);
    backOff = doubled.compareTo(MAX_BACK_OFF) < 0 ? doubled : MAX_BACK_OFF;
    return this;
  }

  private Behavior<Command> onStartIssuer() {
    issuer = startIssuer();
    promote();
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
