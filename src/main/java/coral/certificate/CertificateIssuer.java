package coral.certificate;

import coral.certificate.CertificateAuthority.Reply;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.javadsl.CommandHandlerWithReply;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehaviorWithEnforcedReplies;
import org.apache.pekko.persistence.typed.javadsl.ReplyEffect;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;
import org.jspecify.annotations.Nullable;

/**
 * The event-sourced actor around {@link CertificateLedger}. A request is verified and then, if the
 * ledger does not refuse it, signed, both off the actor; the certificate leaves once its event is
 * journaled. Stops if the journal fails: {@link CertificateAuthority} starts it again.
 */
final class CertificateIssuer
    extends EventSourcedBehaviorWithEnforcedReplies<
        CertificateIssuer.Command, CertificateEvent, CertificateLedger> {
  sealed interface Command {}

  /** Something to answer. */
  record Ask(CertificateAuthority.Request request, long ticket, ActorRef<Answer> replyTo)
      implements Command {}

  @SuppressWarnings("ArrayRecordComponent") // a message, compared by nobody
  private record Request(
      AgentId agentId, byte[] csrPem, String source, long ticket, ActorRef<Answer> replyTo) {}

  private record Verified(
      Request request, @Nullable VerifiedRequest verified, @Nullable Throwable failure)
      implements Command {}

  private record Signed(
      Request request,
      VerifiedRequest verified,
      @Nullable X509Certificate certificate,
      @Nullable Throwable failure)
      implements Command {}

  /** The reply to the request that had the ticket. */
  record Answer(long ticket, Reply reply) {}

  /** Whoever can prove possession of the root's key needs no certificate, and must not get one. */
  private static final Refused OWN_KEY =
      new Refused(
          Failure.INVALID_ARGUMENT,
          "the certificate request is refused: its key is the certificate authority's own");

  private final ActorContext<Command> context;
  private final Authority authority;
  private final CertificateSettings settings;
  private final CertificateIndex index;
  private final InstantSource clock;
  private final Executor signing;
  private final CertificateAudit audit = new CertificateAudit();

  /** Claims whose certificate is being signed: they hold against others as if journaled. */
  private final KeyClaims claimsUnderWay = new KeyClaims();

  private final Map<AgentId, Integer> signaturesUnderWay = new HashMap<>();

  static Behavior<Command> create(
      Authority authority,
      CertificateSettings settings,
      CertificateIndex index,
      InstantSource clock,
      Executor signing) {
    return Behaviors.setup(
        context -> new CertificateIssuer(context, authority, settings, index, clock, signing));
  }

  private CertificateIssuer(
      ActorContext<Command> context,
      Authority authority,
      CertificateSettings settings,
      CertificateIndex index,
      InstantSource clock,
      Executor signing) {
    super(PersistenceId.ofUniqueId("certificates-" + authority.colonyId()));
    this.context = context;
    this.authority = authority;
    this.settings = settings;
    this.index = index;
    this.clock = clock;
    this.signing = signing;
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
        .build();
  }

  private void onRecoveryCompleted(CertificateLedger ledger) {
    for (AgentId agentId : ledger.agentIds()) {
      index.replace(agentId, ledger.certificates(agentId));
    }
    index.completed();
    context.getLog().info("{} agents have a certificate", ledger.agents());
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> onAsk(
      CertificateLedger ledger, Ask ask) {
    if (ask.request() instanceof CertificateAuthority.Status status) {
      return onFind(ledger, ask, status);
    }
    if (!(ask.request() instanceof CertificateAuthority.Issue issue)) {
      Reply reply =
          new CertificateAuthority.Refusal(
              new Refused(Failure.NOT_READY, "the colony cannot do this yet"));
      return Effect().reply(ask.replyTo(), new Answer(ask.ticket(), reply));
    }
    Request request =
        new Request(
            issue.agentId(), issue.csrPem(), issue.origin().source(), ask.ticket(), ask.replyTo());
    context.pipeToSelf(
        offActor(() -> CertificateRequests.verify(request.csrPem(), request.agentId())),
        (verified, failure) -> new Verified(request, verified, failure));
    return Effect().noReply();
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> onVerified(
      CertificateLedger ledger, Verified result) {
    Request request = result.request();
    @Nullable VerifiedRequest verified = result.verified();
    if (verified == null) {
      return refuse(request, Optional.empty(), refused(request, result.failure()));
    }
    if (authority.isOwnKey(verified.publicKey())) {
      return refuse(request, Optional.of(verified), OWN_KEY);
    }
    Optional<Refused> refusal =
        ledger
            .refusal(verified.agentId(), verified.keyHash())
            .or(
                () ->
                    claimsUnderWay
                        .conflict(verified.agentId(), verified.keyHash())
                        .map(conflict -> CertificateLedger.refused(verified.agentId(), conflict)));
    if (refusal.isPresent()) {
      return refuse(request, Optional.of(verified), refusal.get());
    }
    claimsUnderWay.bind(verified.agentId(), verified.keyHash());
    signaturesUnderWay.merge(verified.agentId(), 1, Integer::sum);
    CertificateProfile profile = CertificateProfile.agent(authority.colonyId(), verified.agentId());
    Instant now = clock.instant();
    context.pipeToSelf(
        offActor(
            () -> authority.issue(profile, verified.publicKey(), now, settings.agentValidity())),
        (certificate, failure) -> new Signed(request, verified, certificate, failure));
    return Effect().noReply();
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> onSigned(
      CertificateLedger ledger, Signed result) {
    Request request = result.request();
    VerifiedRequest verified = result.verified();
    // From here on the journal holds the claim: nothing else is handled before it is written.
    if (signaturesUnderWay.merge(verified.agentId(), -1, Integer::sum) == 0) {
      signaturesUnderWay.remove(verified.agentId());
      claimsUnderWay.release(verified.agentId());
    }
    @Nullable X509Certificate certificate = result.certificate();
    if (certificate == null) {
      return refuse(request, Optional.of(verified), refused(request, result.failure()));
    }
    Decision<CertificateEvent, Optional<Refused>> decision =
        ledger.issue(verified.agentId(), verified.keyHash(), certificate, clock.instant());
    if (decision.reply().isPresent()) {
      return refuse(request, Optional.of(verified), decision.reply().get());
    }
    CertificateAuthority.Issued issued =
        new CertificateAuthority.Issued(
            verified.agentId(),
            Pem.encode(authority.chain(certificate)),
            SerialNumbers.hex(certificate.getSerialNumber()),
            certificate.getNotAfter().toInstant());
    return Effect()
        .persist(decision.events())
        .thenRun(
            state -> {
              index.replace(verified.agentId(), state.certificates(verified.agentId()));
              audit.issued(issued, verified.keyHash(), request.source());
            })
        .thenReply(request.replyTo(), state -> new Answer(request.ticket(), issued));
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> onFind(
      CertificateLedger ledger, Ask find, CertificateAuthority.Status status) {
    List<CertificateLedger.IssuedCertificate> known = ledger.certificates(status.agentId());
    Reply reply;
    if (known.isEmpty()) {
      reply =
          new CertificateAuthority.Refusal(
              new Refused(
                  Failure.NOT_FOUND, "no certificate was issued to '" + status.agentId() + "'"));
    } else {
      CertificateLedger.IssuedCertificate newest = known.get(known.size() - 1);
      reply =
          new CertificateAuthority.AgentCertificate(
              newest.agentId(),
              CertificateRole.AGENT,
              IdentityState.ACTIVE,
              newest.keyHash(),
              newest.serial(),
              newest.issuedAt(),
              newest.expiresAt());
    }
    return Effect().reply(find.replyTo(), new Answer(find.ticket(), reply));
  }

  private ReplyEffect<CertificateEvent, CertificateLedger> refuse(
      Request request, Optional<VerifiedRequest> verified, Refused refused) {
    audit.refused(
        request.agentId(), verified.map(VerifiedRequest::keyHash), request.source(), refused);
    return Effect()
        .reply(
            request.replyTo(),
            new Answer(request.ticket(), new CertificateAuthority.Refusal(refused)));
  }

  private Refused refused(Request request, @Nullable Throwable failure) {
    @Nullable Throwable cause =
        failure instanceof CompletionException completion ? completion.getCause() : failure;
    if (cause instanceof RefusedException refused) {
      return refused.refused();
    }
    if (cause instanceof RejectedExecutionException) {
      return new Refused(Failure.LIMIT_REACHED, "the colony is busy signing; try again later");
    }
    context.getLog().error("No certificate for {}", request.agentId(), cause);
    return new Refused(Failure.INTERNAL, "the certificate could not be made; see the colony's log");
  }

  private <T> CompletionStage<T> offActor(Supplier<T> work) {
    try {
      return CompletableFuture.supplyAsync(work, signing);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedStage(e);
    }
  }
}
