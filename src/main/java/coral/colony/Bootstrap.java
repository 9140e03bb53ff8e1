package coral.colony;

import coral.certificate.CertificateAuthority;
import coral.certificate.Origin;
import coral.certificate.Payment;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.model.Secret;
import coral.rpc.Caller;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How a stranger becomes an agent: the colony secret buys its first certificate. */
final class Bootstrap {
  /** One line for each refusal; the certificate authority writes those about certificates. */
  private static final Logger audit = LoggerFactory.getLogger("coral.audit");

  /** Signing with RSA-4096 takes milliseconds; as many as may wait take little over a second. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final Secret secret;
  private final BootstrapLimit limit;
  private final ActorRef<CertificateAuthority.Command> authority;
  private final AuditSink sink;
  private final ActorSystem<?> system;

  Bootstrap(
      Secret secret,
      BootstrapLimit limit,
      ActorRef<CertificateAuthority.Command> authority,
      AuditSink sink,
      ActorSystem<?> system) {
    this.secret = secret;
    this.limit = limit;
    this.authority = authority;
    this.sink = sink;
    this.system = system;
  }

  /**
   * Issues a certificate to whoever shows the secret.
   *
   * @throws RefusedException LIMIT_REACHED after too many wrong secrets from one address,
   *     UNAUTHENTICATED for a wrong one, whatever else is wrong with the request
   */
  CompletionStage<CertificateAuthority.Issued> issue(
      Caller caller, String shown, String agentId, byte[] csrPem) {
    if (!limit.mayTry(caller.remote().getAddress())) {
      throw new RefusedException(
          Failure.LIMIT_REACHED,
          "too many wrong secrets came from this address: try again in a minute");
    }
    if (!secret.matches(shown)) {
      limit.failed(caller.remote().getAddress());
      audit.warn(
          "certificate refused source={} reason=wrong-secret",
          caller.remote().getAddress().getHostAddress());
      sink.record(
          AuditMapping.by(caller, AuditEvent.Kind.SECRET_REFUSED)
              .detail("the colony secret is wrong"));
      throw new RefusedException(Failure.UNAUTHENTICATED, "the colony secret is wrong");
    }
    AgentId id = Requests.agentId(agentId);
    return AskPattern.<CertificateAuthority.Command, CertificateAuthority.Reply>ask(
            authority,
            replyTo ->
                new CertificateAuthority.Issue(
                    id,
                    csrPem,
                    new Payment.ColonySecret(),
                    Optional.empty(),
                    new Origin(Origin.ANYONE, caller.remote().getAddress().getHostAddress(), ""),
                    replyTo),
            TIMEOUT,
            system.scheduler())
        .thenApply(reply -> issued(caller, id, reply));
  }

  private CertificateAuthority.Issued issued(
      Caller caller, AgentId agentId, CertificateAuthority.Reply reply) {
    if (reply instanceof CertificateAuthority.Issued issued) {
      return issued;
    }
    if (reply instanceof CertificateAuthority.Refusal refusal) {
      boolean contested = refusal.refused().failure() == Failure.AGENT_ID_TAKEN;
      sink.record(
          AuditMapping.by(
                  caller,
                  contested
                      ? AuditEvent.Kind.IDENTITY_CONTESTED
                      : AuditEvent.Kind.CERTIFICATE_REFUSED)
              .about(agentId)
              .detail(refusal.refused().message()));
      throw refusal.refused().toException();
    }
    throw new IllegalStateException("not an answer to Issue: " + reply.getClass());
  }
}
