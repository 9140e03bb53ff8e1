package coral.certificate;

import coral.model.AgentId;
import coral.model.ClusterMessage;
import coral.model.Refused;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;

/** Issues the certificates of agents. */
public final class CertificateAuthority {
  private CertificateAuthority() {}

  /** What the authority is asked. */
  public sealed interface Command extends ClusterMessage {}

  /**
   * Issue a certificate to an agent whose right to one has been checked.
   *
   * @param csrPem as the agent sent it; {@link CertificateRequests#verify} sees it first here
   * @param source who asks, for the audit log: an address
   */
  public record Issue(AgentId agentId, byte[] csrPem, String source, ActorRef<Reply> replyTo)
      implements Command {}

  /** What is known of an agent's certificates. */
  public record Status(AgentId agentId, ActorRef<Reply> replyTo) implements Command {}

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

  /** Nothing was changed. */
  public record Refusal(Refused refused) implements Reply {}

  /**
   * @param index is told of every certificate that is issued or recovered
   * @param signing runs what takes milliseconds; of a bounded number of threads
   */
  public static Behavior<Command> create(
      Authority authority,
      CertificateSettings settings,
      CertificateIndex index,
      InstantSource clock,
      Executor signing) {
    throw new UnsupportedOperationException();
  }
}
