package coral.colony;

import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateRole;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.Caller;
import coral.rpc.Role;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Ends identities, and lets ended ones begin again, for whoever may. */
final class Revocation {
  static final int MAX_REASON = 255;
  private static final Duration MAX_REBIND = Duration.ofHours(24);
  private static final Duration DEFAULT_REBIND = Duration.ofMinutes(15);

  private final AuthorityClient authority;
  private final AdministratorNumbers administrators;

  Revocation(AuthorityClient authority, AdministratorNumbers administrators) {
    this.authority = authority;
    this.administrators = administrators;
  }

  /** Ends an identity; what it has open ends too, see {@link Expulsion}. */
  CompletionStage<CertificateAuthority.Revoked> revoke(
      Caller caller, AgentId agentId, String reason) {
    Requests.text("reason", reason, MAX_REASON);
    return requireNoAdministrator(caller, agentId)
        .thenCompose(
            allowed ->
                authority.ask(
                    CertificateAuthority.Revoked.class,
                    replyTo ->
                        new CertificateAuthority.Revoke(
                            agentId, reason, AuthorityClient.origin(caller, ""), replyTo)));
  }

  /**
   * Ends one certificate by its number, such as the stolen one of an administrator; what was opened
   * with it ends too. The journal does not know administrators, so an operator must not ask: it
   * could shut out those who can shut out operators.
   */
  CompletionStage<CertificateAuthority.Revoked> revokeSerial(
      Caller caller, String serial, String reason) {
    if (caller.role() != Role.ADMINISTRATOR) {
      throw new RefusedException(
          Failure.PERMISSION_DENIED, "only an administrator revokes a certificate by its number");
    }
    Requests.text("reason", reason, MAX_REASON);
    String digits = Requests.serialNumber(serial);
    return administrators
        .contain(digits)
        .thenCompose(
            known ->
                authority.ask(
                    CertificateAuthority.Revoked.class,
                    replyTo ->
                        new CertificateAuthority.RevokeSerial(
                            digits, known, reason, AuthorityClient.origin(caller, ""), replyTo)));
  }

  /** An operator does not shut out those who can shut out operators. */
  private CompletionStage<Void> requireNoAdministrator(Caller caller, AgentId agentId) {
    if (caller.role() != Role.OPERATOR) {
      return CompletableFuture.completedFuture(null);
    }
    return authority
        .ask(
            CertificateAuthority.AgentCertificate.class,
            replyTo -> new CertificateAuthority.Status(agentId, replyTo))
        .thenAccept(
            known -> {
              if (known.role() == CertificateRole.ADMIN) {
                throw new RefusedException(
                    Failure.PERMISSION_DENIED, "an operator does not revoke administrators");
              }
            });
  }

  /** Lets an id be claimed once by another key. */
  CompletionStage<CertificateAuthority.RebindAllowed> allowRebind(
      Caller caller, AgentId agentId, Duration ttl, String reason) {
    Requests.text("reason", reason, MAX_REASON);
    return authority.ask(
        CertificateAuthority.RebindAllowed.class,
        replyTo ->
            new CertificateAuthority.AllowRebind(
                agentId, ttl, reason, AuthorityClient.origin(caller, ""), replyTo));
  }

  /** How long a rebind is allowed: 15 minutes unless it is said, at most a day. */
  static Duration rebindTtl(boolean given, com.google.protobuf.Duration ttl) {
    return given
        ? Requests.duration("ttl", ttl, Duration.ofSeconds(1), MAX_REBIND)
        : DEFAULT_REBIND;
  }
}
