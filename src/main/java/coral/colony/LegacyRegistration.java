package coral.colony;

import coral.address.Registrant;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.certificate.CertificateIndex;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.Authentication;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.model.SpentTokens;
import coral.model.WireGuardKey;
import coral.rpc.Caller;
import coral.rpc.FailureStatus;
import coral.token.RegistrationToken;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How an agent without a certificate gets an address: with a registration token alone (RFD 020,
 * token draft) or with the colony's secret, each only if this colony is told to take it. Whoever
 * has the secret can do this in the name of any agent, so it never gets the name of one that has a
 * certificate, nor the address of one with another WireGuard key.
 */
final class LegacyRegistration {
  static final String TOKEN_DEPRECATED =
      "a registration token alone gives an address for migration only: buy a certificate with it"
          + " (RequestCertificate), and register with that";

  static final String SECRET_DEPRECATED =
      "the colony secret gives an address for migration only: ask discovery for a registration"
          + " token, buy a certificate with it, and register with that";

  private static final Logger log = LoggerFactory.getLogger(LegacyRegistration.class);

  /**
   * Somebody who may have an address.
   *
   * @param notice what to do instead
   */
  record Admitted(AgentId agentId, Registrant registrant, String notice) {}

  private final ColonySettings.Legacy settings;
  private final ColonySecrets secrets;
  private final Issuance.Tokens tokens;
  private final BootstrapLimit limit;
  private final CertificateIndex certificates;
  private final AuditSink sink;

  LegacyRegistration(
      ColonySettings.Legacy settings,
      ColonySecrets secrets,
      Issuance.Tokens tokens,
      BootstrapLimit limit,
      CertificateIndex certificates,
      AuditSink sink) {
    this.settings = settings;
    this.secrets = secrets;
    this.tokens = tokens;
    this.limit = limit;
    this.certificates = certificates;
    this.sink = sink;
  }

  /**
   * Lets somebody in, or not.
   *
   * @return fails with UNAUTHENTICATED if what it shows is not genuine, AGENT_ID_TAKEN if the name
   *     is that of an agent with a certificate
   * @throws RefusedException LIMIT_REACHED after too many failures from one source,
   *     INVALID_ARGUMENT for the request's fields
   */
  CompletionStage<Admitted> admit(
      Caller caller, RegisterAgentRequest request, WireGuardKey key, String componentName) {
    limit.require(caller);
    return CompletableFuture.completedStage(request)
        .thenCompose(shown -> proved(shown, key, componentName))
        .thenApply(admitted -> requireNoCertificate(admitted, caller))
        .whenComplete(
            (admitted, failure) -> {
              if (failure == null) {
                log.warn(
                    "Agent {} asks for an address from {}: {}",
                    admitted.agentId(),
                    AuthorityClient.source(caller),
                    admitted.notice());
              } else {
                refused(caller, failure);
              }
            });
  }

  private CompletionStage<Admitted> proved(
      RegisterAgentRequest request, WireGuardKey key, String componentName) {
    boolean hasToken = !request.getRegistrationToken().isEmpty();
    boolean hasSecret = !request.getColonySecret().isEmpty();
    if (hasToken && hasSecret) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT, "one of registration_token and colony_secret is shown");
    }
    if (hasToken && settings.acceptTokenRegistration()) {
      return tokens
          .verify(request.getRegistrationToken())
          .thenApply(token -> byToken(request, token, key, componentName));
    }
    if (hasSecret && settings.acceptColonySecret()) {
      return CompletableFuture.completedStage(bySecret(request, componentName));
    }
    throw unauthenticated(
        "Register needs a client certificate of this colony: buy one with RequestCertificate");
  }

  private static Admitted byToken(
      RegisterAgentRequest request, RegistrationToken token, WireGuardKey key, String component) {
    if (!request.getAgentId().isEmpty() && !request.getAgentId().equals(token.agentId().value())) {
      throw unauthenticated("the registration token is for another agent id");
    }
    if (token.keyHash().isPresent()) {
      throw unauthenticated(
          "the registration token is for a certificate: buy one with RequestCertificate");
    }
    if (token.wireGuardKey().filter(bound -> !bound.equals(key)).isPresent()) {
      throw unauthenticated("the registration token is bound to another WireGuard key");
    }
    SpentTokens.Token spending =
        new SpentTokens.Token(
            token.id(), token.agentId(), key.toString(), token.issuedAt(), token.expiresAt());
    return new Admitted(
        token.agentId(),
        new Registrant(component, Authentication.TOKEN, Optional.of(spending), ""),
        TOKEN_DEPRECATED);
  }

  private Admitted bySecret(RegisterAgentRequest request, String component) {
    Requests.length("colony_secret", request.getColonySecret(), Requests.MAX_SECRET);
    if (!secrets.matches(request.getColonySecret())) {
      throw unauthenticated("the colony secret is wrong");
    }
    return new Admitted(
        Requests.agentId(request.getAgentId()),
        new Registrant(component, Authentication.COLONY_SECRET, Optional.empty(), ""),
        SECRET_DEPRECATED);
  }

  /** In the name of an agent with a certificate somebody shows less: it was set back, or robbed. */
  private Admitted requireNoCertificate(Admitted admitted, Caller caller) {
    if (certificates.identity(admitted.agentId()).isPresent()) {
      sink.record(
          AuditMapping.by(caller, AuditEvent.Kind.AUTHENTICATION_WEAKENED)
              .about(admitted.agentId())
              .detail(
                  "it has a certificate, and "
                      + admitted.registrant().authentication()
                      + " alone was shown in its name; that was refused"));
      throw new RefusedException(
          Failure.AGENT_ID_TAKEN,
          "agent " + admitted.agentId() + " has a certificate: register with it");
    }
    return admitted;
  }

  private void refused(Caller caller, Throwable failure) {
    if (FailureStatus.failure(failure) == Failure.UNAUTHENTICATED) {
      limit.failed(caller);
    }
  }

  private static RefusedException unauthenticated(String message) {
    return new RefusedException(Failure.UNAUTHENTICATED, message);
  }
}
