package coral.certificate;

import coral.certificate.CertificateAuthority.Reply;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.SnapshotAdapter;
import org.apache.pekko.persistence.typed.SnapshotFailed;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;

/**
 * The event-sourced actor around {@link CertificateLedger}. A request is verified, decided on, and
 * then signed, the first and the last off the actor; it is decided on again when it is signed, and
 * what it spends and what it gets are journaled in one write. Only then the certificate leaves. Of
 * one agent id one request is under way at a time, so that a hundred uses of one token cost one
 * signature. Stops if the journal fails: {@link CertificateAuthority} starts it again.
 */
final class CertificateIssuer
    extends EventSourcedBehaviorWithEnforcedReplies<
        CertificateIssuer.Command, CertificateEvent, CertificateLedger> {
  sealed interface Command {}

  /** Something to answer. */
  record Ask(CertificateAuthority.Request request, long ticket, ActorRef<Answer> replyTo)
      implements Command {}

  /** The newest certificates of these agents were used. */
  record Used(Map<AgentId, String> serials, ActorRef<Promoted> replyTo) implements Command {
    Used {
      serials = Collections.unmodifiableMap(new LinkedHashMap<>(serials));
    }
  }

  private record Verified(
      Issuing issuing, SigningWork.@Nullable Verified verified, @Nullable Throwable failure)
      implements Command {}

  private record Signed(
      Issuing issuing,
      SigningWork.Verified verified,
      @Nullable X509Certificate certificate,
      @Nullable Throwable failure)
      implements Command {}

  /** The uses were journaled, as far as they changed anything. */
  enum Promoted {
    INSTANCE
  }

  /** The reply to the request that had the ticket. */
  record Answer(long ticket, Reply reply) {}

  /** A request for a certificate, and who waits for it. */
  private record Issuing(CertificateAuthority.Issue issue, long ticket, ActorRef<Answer> replyTo) {
    /** Whether the holder of the id asks: a TLS handshake has proved it. */
    boolean byHolder() {
      return issue.payment() instanceof Payment.Certificate;
    }
  }

  /**
   * Bounds the events to replay, each with a certificate of two kilobytes. A snapshot has all
   * identities.
   */
  static final int EVENTS_PER_SNAPSHOT = 10_000;

  /** The last one, and the one before in case that the last cannot be read. */
  private static final int SNAPSHOTS_KEPT = 2;

  /** Whoever can prove possession of the root's key needs no certificate, and must not get one. */
  private static final Refused OWN_KEY =
      new Refused(
          Failure.INVALID_ARGUMENT,
          "the certificate request is refused: its key is the certificate authority's own");

  private final ActorContext<Command> context;
  private final Authority authority;
  private final CertificateSettings settings;
  private final InstantSource clock;
  private final Instant started;
  private final SigningWork work;
  private final CertificateAudit audit = new CertificateAudit();
  private final OperatorRequests operators = new OperatorRequests();
  private final CommittedEvents committed;

  private final Turns<Issuing> turns = new Turns<>();

  static Behavior<Command> create(
      Authority authority,
      CertificateSettings settings,
      BlockedKeys blocked,
      CertificateIndex index,
      InstantSource clock,
      Instant started,
      Executor signing) {
    return Behaviors.setup(
        context ->
            new CertificateIssuer(
                context, authority, settings, blocked, index, clock, started, signing));
  }

  private CertificateIssuer(
      ActorContext<Command> context,
      Authority authority,
      CertificateSettings settings,
      BlockedKeys blocked,
      CertificateIndex index,
      InstantSource clock,
      Instant started,
      Executor signing) {
    super(PersistenceId.ofUniqueId(CertificateAuthority.persistenceId(authority.colonyId())));
    this.context = context;
    this.authority = authority;
    this.settings = settings;
    this.committed = new CommittedEvents(index, audit);
    this.clock = clock;
    this.started = started;
    this.work = new SigningWork(authority, settings, blocked, signing);
  }

  @Override
  public CertificateLedger emptyState() {
    return new CertificateLedger(settings.maxAgents());
  }

  @Override
  public CommandHandlerWithReply<Command, CertificateEvent, CertificateLedger> commandHandler() {
    return newCommandHandlerWithReplyBuilder()
        .forAnyState()
        .onCommand(Ask.class, this::onAsk)
        .onCommand(Verified.class, this::onVerified)
        .onCommand(Signed.class, this::onSigned)
        .onCommand(Used.class, this::onUsed)
        .build();
  }

  @Override
  public EventHandler<CertificateLedger, CertificateEvent> eventHandler() {
    return (ledger, event) -> {
      event.applyTo(ledger);
      return ledger;
    };
  }

  @Override
  public SignalHandler<CertificateLedger> signalHandler() {
    return newSignalHandlerBuilder()
        .onSignal(RecoveryCompleted.instance(), this::onRecoveryCompleted)
        .onSignal(
            SnapshotFailed.class,
            (ledger, failed) ->
                context
                    .getLog()
                    .warn(
                        "no snapshot of the certificates was saved, the journal has all of them:"
                            + " {}",
                        failed.failure().getMessage()))
        .build();
  }

  private void onRecoveryCompleted(CertificateLedger ledger) {
    committed.recovered(ledger);
    context.getLog().info("{} agents have a certificate", ledger.identities().size());
  }

  /** All events are kept: they are the truth, and the tables are rebuilt from them. */
  @Override
  public RetentionCriteria retentionCriteria() {
    return RetentionCriteria.snapshotEvery(EVENTS_PER_SNAPSHOT, SNAPSHOTS_KEPT);
  }

  /** Copies on this thread: a snapshot is serialized on another one while the ledger changes. */
  @Override
  public SnapshotAdapter<CertificateLedger> snapshotAdapter() {
    return new SnapshotAdapter<>() {
      @Override
      public Object toJournal(CertificateLedger ledger) {
        return ledger.snapshot();
      }

      @Override
      public CertificateLedger fromJournal(Object snapshot) {
        return CertificateLedger.restore(settings.maxAgents(), (CertificateSnapshot) snapshot);
      }
    };
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> onAsk(
      CertificateLedger ledger, Ask ask) {
    if (ask.request() instanceof CertificateAuthority.Issue issue) {
      return onIssue(ledger, new Issuing(issue, ask.ticket(), ask.replyTo()));
    }
    Decision<CertificateEvent, Reply> decision =
        operators.decide(ledger, ask.request(), clock.instant());
    return Effect()
        .persist(decision.events())
        .thenRun(state -> committed.show(state, decision.events()))
        .thenReply(ask.replyTo(), state -> new Answer(ask.ticket(), decision.reply()));
  }

  /** What a payment is worth costs a lookup; the request's key and signature cost milliseconds. */
  private ReplyEffect<CertificateEvent, CertificateLedger> onIssue(
      CertificateLedger ledger, Issuing issuing) {
    CertificateAuthority.Issue issue = issuing.issue();
    Optional<Refused> refused =
        new PaymentRules(ledger, started)
            .refusal(issue.agentId(), issue.payment(), clock.instant());
    if (refused.isPresent()) {
      audit.refused(issue.agentId(), Optional.empty(), issue.origin(), refused.get());
      return Effect()
          .reply(
              issuing.replyTo(),
              new Answer(issuing.ticket(), new CertificateAuthority.Refusal(refused.get())));
    }
    if (turns.begin(issue.agentId(), issuing, issuing.byHolder())) {
      verify(issuing);
    }
    return Effect().noReply();
  }

  private void verify(Issuing issuing) {
    CertificateAuthority.Issue issue = issuing.issue();
    context.pipeToSelf(
        work.verify(issue, issuing.byHolder()),
        (verified, failure) -> new Verified(issuing, verified, failure));
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> onVerified(
      CertificateLedger ledger, Verified result) {
    Issuing issuing = result.issuing();
    SigningWork.@Nullable Verified verified = result.verified();
    if (verified == null) {
      return refuse(issuing, Optional.empty(), refused(issuing, result.failure()));
    }
    if (authority.isOwnKey(verified.key().publicKey())) {
      return refuse(issuing, Optional.of(verified), OWN_KEY);
    }
    Instant now = clock.instant();
    Decision<CertificateEvent, Verdict> decision =
        new IssuingRules(ledger, started).decide(verified.request(), now);
    if (!(decision.reply() instanceof Verdict.Sign sign)) {
      return answer(issuing, verified, decision);
    }
    context.pipeToSelf(
        work.sign(issuing.issue(), verified, sign.role(), now, issuing.byHolder()),
        (certificate, failure) -> new Signed(issuing, verified, certificate, failure));
    return Effect().noReply();
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> onSigned(
      CertificateLedger ledger, Signed result) {
    Issuing issuing = result.issuing();
    SigningWork.Verified verified = result.verified();
    @Nullable X509Certificate certificate = result.certificate();
    if (certificate == null) {
      return refuse(issuing, Optional.of(verified), refused(issuing, result.failure()));
    }
    Instant now = clock.instant();
    Decision<CertificateEvent, Verdict> decision =
        new IssuingRules(ledger, started).decide(verified.request(), now);
    if (!(decision.reply() instanceof Verdict.Sign sign)) {
      return answer(issuing, verified, decision);
    }
    String serial = SerialNumbers.hex(certificate.getSerialNumber());
    if (ledger.isKnown(serial)) {
      return refuse(
          issuing,
          Optional.of(verified),
          new Refused(Failure.INTERNAL, "a serial number came twice; try again"));
    }
    IssueRequest request = verified.request();
    List<CertificateEvent> events = new ArrayList<>(decision.events());
    events.add(
        new CertificateEvent.Issued(
            request.agentId(),
            sign.role(),
            sign.generation(),
            serial,
            request.keyHash(),
            CertificateLedger.fingerprint(certificate).value(),
            Pem.encode(certificate),
            certificate.getIssuerX500Principal().getName(),
            request.payment().kind(),
            sign.paymentId(),
            request.origin(),
            now,
            certificate.getNotAfter().toInstant()));
    return reply(issuing, events, issued(request.agentId(), certificate));
  }

  private CertificateAuthority.Issued issued(AgentId agentId, X509Certificate certificate) {
    return new CertificateAuthority.Issued(
        agentId,
        Pem.encode(authority.chain(certificate)),
        SerialNumbers.hex(certificate.getSerialNumber()),
        certificate.getNotAfter().toInstant());
  }

  /** What is not to be signed: the same answer again, or a refusal. */
  private ReplyEffect<CertificateEvent, CertificateLedger> answer(
      Issuing issuing,
      SigningWork.Verified verified,
      Decision<CertificateEvent, Verdict> decision) {
    if (decision.reply() instanceof Verdict.Refuse refuse) {
      audit.refused(
          issuing.issue().agentId(),
          Optional.of(verified.key().keyHash()),
          issuing.issue().origin(),
          refuse.refused());
      return reply(issuing, decision.events(), new CertificateAuthority.Refusal(refuse.refused()));
    }
    Verdict.Again again = (Verdict.Again) decision.reply();
    X509Certificate certificate =
        Pem.certificates(again.certificatePem().getBytes(StandardCharsets.US_ASCII)).get(0);
    return reply(issuing, List.of(), issued(issuing.issue().agentId(), certificate));
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> refuse(
      Issuing issuing, Optional<SigningWork.Verified> verified, Refused refused) {
    audit.refused(
        issuing.issue().agentId(),
        verified.map(each -> each.key().keyHash()),
        issuing.issue().origin(),
        refused);
    return reply(issuing, List.of(), new CertificateAuthority.Refusal(refused));
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> reply(
      Issuing issuing, List<CertificateEvent> events, Reply reply) {
    return Effect()
        .persist(events)
        .thenRun(
            state -> {
              committed.show(state, events);
              turns.end(issuing.issue().agentId()).ifPresent(this::verify);
            })
        .thenReply(issuing.replyTo(), state -> new Answer(issuing.ticket(), reply));
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> onUsed(
      CertificateLedger ledger, Used used) {
    Instant now = clock.instant();
    List<CertificateEvent> events = new ArrayList<>();
    used.serials()
        .forEach(
            (agentId, serial) ->
                ledger
                    .identity(agentId)
                    .filter(identity -> identity.state() == IdentityState.ACTIVE)
                    .flatMap(AgentIdentity::next)
                    .filter(next -> next.serial().equals(serial))
                    .ifPresent(
                        next -> events.add(new CertificateEvent.Promoted(agentId, serial, now))));
    return Effect()
        .persist(events)
        .thenRun(state -> committed.show(state, events))
        .thenReply(used.replyTo(), state -> Promoted.INSTANCE);
  }

  private Refused refused(Issuing issuing, @Nullable Throwable failure) {
    @Nullable Throwable cause =
        failure instanceof CompletionException completion ? completion.getCause() : failure;
    if (cause instanceof RefusedException refused) {
      return refused.refused();
    }
    if (cause instanceof RejectedExecutionException) {
      return new Refused(Failure.LIMIT_REACHED, "the colony is busy signing; try again later");
    }
    context.getLog().error("No certificate for {}", issuing.issue().agentId(), cause);
    return new Refused(Failure.INTERNAL, "the certificate could not be made; see the colony's log");
  }
}
