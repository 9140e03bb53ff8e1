package coral.colony;

import coral.api.colony.v1.RequestCertificateRequest;
import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateRole;
import coral.certificate.Payment;
import coral.certificate.PreviousKeyProof;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import coral.model.Secret;
import coral.rpc.Caller;
import coral.rpc.FailureStatus;
import coral.token.PublicKeyHash;
import coral.token.RegistrationToken;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How somebody gets a certificate: what a request pays with, and whether that is genuine. Whether
 * it is still good for anything is for the certificate authority to say, in the write that spends
 * it.
 *
 * <p>Each step costs more than the one before: the size, which the port has checked; how often the
 * source has failed; the fields; the payment's own proof; and then, behind the authority's actor,
 * the key, the signature, the identity and the journal.
 */
final class Issuance {
  static final String SECRET_DEPRECATED =
      "the colony secret buys certificates for migration only: ask discovery for a registration"
          + " token, or join with an invitation";

  private static final Logger log = LoggerFactory.getLogger(Issuance.class);

  /** A certificate of RSA-4096 in PEM takes 3 KiB, the largest signature of one 512 bytes. */
  private static final int MAX_PREVIOUS_CERTIFICATE = 8 << 10;

  private static final int MAX_SIGNATURE = 1 << 10;

  /** A certificate that was bought. */
  record Bought(CertificateAuthority.Issued issued, Optional<String> notice) {}

  /** Says what a registration token says, if it is genuine. */
  interface Tokens {
    /** Fails with UNAUTHENTICATED if it is not. */
    CompletionStage<RegistrationToken> verify(String token);
  }

  private final ColonySecrets secrets;
  private final boolean acceptColonySecret;
  private final Tokens tokens;
  private final BootstrapLimit limit;
  private final AuthorityClient authority;
  private final AuditSink sink;

  /**
   * @param acceptColonySecret whether the colony's secret alone buys a certificate
   */
  Issuance(
      ColonySecrets secrets,
      boolean acceptColonySecret,
      Tokens tokens,
      BootstrapLimit limit,
      AuthorityClient authority,
      AuditSink sink) {
    this.secrets = secrets;
    this.acceptColonySecret = acceptColonySecret;
    this.tokens = tokens;
    this.limit = limit;
    this.authority = authority;
    this.sink = sink;
  }

  /**
   * Issues a certificate to whoever pays for it.
   *
   * @throws RefusedException LIMIT_REACHED after too many wrong payments from one source, whatever
   *     else is wrong with the request; INVALID_ARGUMENT for its fields
   */
  CompletionStage<Bought> issue(Caller caller, RequestCertificateRequest request) {
    Optional<String> serial = caller.certificate().map(Protobuf::serial);
    if (serial.isEmpty()) {
      limit.require(caller);
    }
    String requestId = Requests.optionalRequestId(request.getRequestId());
    CertificateRole role = role(request.getRole());
    long payments =
        Stream.of(
                request.getColonySecret(), request.getRegistrationToken(), request.getInvitation())
            .filter(payment -> !payment.isEmpty())
            .count();
    AgentId agentId;
    CompletionStage<Payment> payment;
    if (serial.isPresent()) {
      if (payments > 0) {
        throw invalid(
            "a renewal is paid for with the client certificate: leave colony_secret,"
                + " registration_token and invitation empty");
      }
      agentId = self(caller, request.getAgentId());
      payment = CompletableFuture.completedFuture(new Payment.Certificate(serial.get()));
    } else {
      agentId = Requests.agentId(request.getAgentId());
      if (payments != 1) {
        throw payments == 0
            ? new RefusedException(
                Failure.UNAUTHENTICATED,
                "a certificate is bought with a registration token or an invitation, or with the"
                    + " certificate that it follows")
            : invalid("one of colony_secret, registration_token and invitation pays");
      }
      payment =
          CompletableFuture.completedStage(request)
              .thenCompose(paying -> payment(caller, agentId, role, paying));
    }
    Optional<PreviousKeyProof> proof = proof(request);
    return payment
        .thenCompose(
            paid ->
                authority
                    .ask(
                        CertificateAuthority.Issued.class,
                        replyTo ->
                            new CertificateAuthority.Issue(
                                agentId,
                                request.getCsr().toByteArray(),
                                paid,
                                proof,
                                AuthorityClient.origin(caller, requestId),
                                replyTo))
                    .thenApply(issued -> bought(agentId, issued, paid)))
        .whenComplete(
            (bought, failure) -> {
              if (failure != null) {
                refused(caller, agentId, requestId, request, failure);
              }
            });
  }

  private static AgentId self(Caller caller, String named) {
    String name = caller.name().orElse("");
    if (!named.isEmpty() && !named.equals(name)) {
      throw new RefusedException(
          Failure.PERMISSION_DENIED,
          "the certificate is that of " + name + ", and renews no other");
    }
    return Requests.agentId(name);
  }

  /** What a stranger may choose to be; who invites or renews has chosen already. */
  private static CertificateRole role(String named) {
    return switch (named) {
      case "", "agent" -> CertificateRole.AGENT;
      case "proxy" -> CertificateRole.PROXY;
      default -> throw invalid("a role is 'agent' or 'proxy'; for others there are invitations");
    };
  }

  private CompletionStage<Payment> payment(
      Caller caller, AgentId agentId, CertificateRole role, RequestCertificateRequest request) {
    if (!request.getInvitation().isEmpty()) {
      Requests.length("invitation", request.getInvitation(), Requests.MAX_SECRET);
      return CompletableFuture.completedFuture(
          Payment.Invitation.of(new Secret(request.getInvitation())));
    }
    if (!request.getRegistrationToken().isEmpty()) {
      return tokens
          .verify(request.getRegistrationToken())
          .thenApply(token -> payment(agentId, role, token));
    }
    return CompletableFuture.completedFuture(secret(caller, request.getColonySecret()));
  }

  private static Payment payment(AgentId agentId, CertificateRole role, RegistrationToken token) {
    if (!token.agentId().equals(agentId)) {
      throw unauthenticated(
          "the registration token is for another agent id; ask for one for yours");
    }
    PublicKeyHash key =
        token
            .keyHash()
            .orElseThrow(
                () ->
                    unauthenticated(
                        "the registration token is bound to no key that can be certified; ask"
                            + " discovery for one with public_key_sha256"));
    return new Payment.Token(token.id(), token.issuedAt(), token.expiresAt(), key.value(), role);
  }

  private Payment secret(Caller caller, String shown) {
    if (!acceptColonySecret) {
      throw unauthenticated(
          "this colony does not take the colony secret: show it to discovery for a registration"
              + " token, or join with an invitation");
    }
    Requests.length("colony_secret", shown, Requests.MAX_SECRET);
    if (!secrets.matches(shown)) {
      throw unauthenticated("the colony secret is wrong");
    }
    log.warn(
        "A certificate is asked for with the colony secret alone, from {}: {}",
        AuthorityClient.source(caller),
        SECRET_DEPRECATED);
    return new Payment.ColonySecret();
  }

  private static Optional<PreviousKeyProof> proof(RequestCertificateRequest request) {
    int certificate = request.getPreviousCertificate().size();
    int signature = request.getPreviousSignature().size();
    if (certificate == 0 && signature == 0) {
      return Optional.empty();
    }
    if (certificate == 0 || signature == 0) {
      throw invalid("previous_certificate and previous_signature come together");
    }
    if (certificate > MAX_PREVIOUS_CERTIFICATE || signature > MAX_SIGNATURE) {
      throw invalid(
          "a previous_certificate has at most "
              + MAX_PREVIOUS_CERTIFICATE
              + " bytes, its signature "
              + MAX_SIGNATURE);
    }
    return Optional.of(
        new PreviousKeyProof(
            request.getPreviousCertificate().toByteArray(),
            request.getPreviousSignature().toByteArray()));
  }

  private static Bought bought(
      AgentId agentId, CertificateAuthority.Issued issued, Payment payment) {
    log.debug("{} has certificate {}, paid with {}", agentId, issued.serial(), payment.kind());
    return new Bought(
        issued,
        payment instanceof Payment.ColonySecret
            ? Optional.of(SECRET_DEPRECATED)
            : Optional.empty());
  }

  /** What a stranger does wrong weighs on its source, and every refusal is recorded. */
  private void refused(
      Caller caller,
      AgentId agentId,
      String requestId,
      RequestCertificateRequest request,
      Throwable failure) {
    if (!(FailureStatus.unwrap(failure) instanceof RefusedException refusal)) {
      return; // the store or a defect: nothing was decided
    }
    Refused refused = refusal.refused();
    // A malformed request has cost a look at its key and its signature, too.
    boolean isWrong =
        refused.failure() == Failure.UNAUTHENTICATED
            || refused.failure() == Failure.INVALID_ARGUMENT;
    if (isWrong && caller.certificate().isEmpty()) {
      limit.failed(caller);
    }
    sink.record(
        AuditMapping.by(caller, kind(request, refused))
            .about(agentId)
            .request(requestId)
            .detail(refused.message()));
  }

  private static AuditEvent.Kind kind(RequestCertificateRequest request, Refused refused) {
    if (refused.failure() == Failure.AGENT_ID_TAKEN) {
      return AuditEvent.Kind.IDENTITY_CONTESTED;
    }
    if (refused.failure() != Failure.UNAUTHENTICATED) {
      return AuditEvent.Kind.CERTIFICATE_REFUSED;
    }
    if (!request.getInvitation().isEmpty()) {
      return AuditEvent.Kind.INVITATION_REFUSED;
    }
    if (!request.getRegistrationToken().isEmpty()) {
      return AuditEvent.Kind.TOKEN_REFUSED;
    }
    return request.getColonySecret().isEmpty()
        ? AuditEvent.Kind.CERTIFICATE_REFUSED
        : AuditEvent.Kind.SECRET_REFUSED;
  }

  private static RefusedException invalid(String message) {
    return new RefusedException(Failure.INVALID_ARGUMENT, message);
  }

  private static RefusedException unauthenticated(String message) {
    return new RefusedException(Failure.UNAUTHENTICATED, message);
  }
}
