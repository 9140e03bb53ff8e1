package coral.colony;

import coral.certificate.CertificateAuthority;
import coral.certificate.Origin;
import coral.model.Addresses;
import coral.rpc.Caller;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * Asks the certificate authority; a refusal fails the stage with {@link
 * coral.model.RefusedException}.
 */
final class AuthorityClient {
  /** Signing with RSA-4096 takes milliseconds; as many as may wait take little over a second. */
  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  private final ActorRef<CertificateAuthority.Command> authority;
  private final ActorSystem<?> system;

  AuthorityClient(ActorRef<CertificateAuthority.Command> authority, ActorSystem<?> system) {
    this.authority = authority;
    this.system = system;
  }

  /** Asks for one kind of reply. */
  <R extends CertificateAuthority.Reply> CompletionStage<R> ask(
      Class<R> expected,
      Function<ActorRef<CertificateAuthority.Reply>, CertificateAuthority.Command> command) {
    return AskPattern.<CertificateAuthority.Command, CertificateAuthority.Reply>ask(
            authority, command::apply, TIMEOUT, system.scheduler())
        .thenApply(
            reply -> {
              if (reply instanceof CertificateAuthority.Refusal refusal) {
                throw refusal.refused().toException();
              }
              return expected.cast(reply);
            });
  }

  /**
   * Who causes something, for the journal.
   *
   * @param requestId the request's own; empty: what the call is known by
   */
  static Origin origin(Caller caller, String requestId) {
    return new Origin(
        caller.actor(), source(caller), requestId.isEmpty() ? caller.requestId() : requestId);
  }

  /** Where a call came from; empty where the transport does not tell. */
  static String source(Caller caller) {
    return caller.remote().getAddress() == null ? "" : Addresses.text(caller.remote().getAddress());
  }
}
