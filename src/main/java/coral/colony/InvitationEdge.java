package coral.colony;

import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.InvitationService;
import coral.api.colony.v1.ListInvitationsRequest;
import coral.api.colony.v1.ListInvitationsResponse;
import coral.api.colony.v1.RevokeInvitationRequest;
import coral.api.colony.v1.RevokeInvitationResponse;
import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateRole;
import coral.certificate.Invitation;
import coral.certificate.InvitationSecrets;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.model.RefusedException;
import coral.model.Secret;
import coral.rpc.Caller;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

/** {@code InvitationService} for one call of one caller, whom the table has let pass. */
final class InvitationEdge implements InvitationService {
  private static final Duration DEFAULT_TTL = Duration.ofHours(1);
  private static final Duration MIN_TTL = Duration.ofMinutes(1);
  private static final Duration MAX_TTL = Duration.ofDays(30);
  private static final int MAX_USES = 1_000;
  private static final int MAX_INVITATION_ID = 64;

  /**
   * What an invitation says of the colony, as it is when the invitation is made.
   *
   * @param endpoints of the gRPC port
   */
  record Colony(
      ColonyId id,
      Supplier<Fingerprint> authority,
      Supplier<List<Endpoint>> endpoints,
      Optional<InvitationText.Discovery> discovery) {}

  private final Caller caller;
  private final AuthorityClient authority;
  private final Colony colony;
  private final InstantSource clock;

  InvitationEdge(Caller caller, AuthorityClient authority, Colony colony, InstantSource clock) {
    this.caller = caller;
    this.authority = authority;
    this.colony = colony;
    this.clock = clock;
  }

  @Override
  public CompletionStage<CreateInvitationResponse> createInvitation(
      CreateInvitationRequest request) {
    Optional<AgentId> agentId =
        request.getAgentId().isEmpty()
            ? Optional.empty()
            : Optional.of(Requests.agentId(request.getAgentId()));
    CertificateRole role = role(request.getRole());
    Duration ttl =
        request.hasTtl()
            ? Requests.duration("ttl", request.getTtl(), MIN_TTL, MAX_TTL)
            : DEFAULT_TTL;
    int uses = request.getUses() == 0 ? 1 : request.getUses();
    if (uses < 1 || uses > MAX_USES) {
      throw invalid("an invitation has 1 to " + MAX_USES + " uses");
    }
    if (uses > 1 && agentId.isPresent()) {
      throw invalid("an invitation for one agent_id has one use");
    }
    Secret secret = InvitationSecrets.next();
    return authority
        .ask(
            CertificateAuthority.InvitationCreated.class,
            replyTo ->
                new CertificateAuthority.CreateInvitation(
                    InvitationSecrets.hash(secret),
                    agentId,
                    role,
                    ttl,
                    uses,
                    AuthorityClient.origin(caller, ""),
                    replyTo))
        .thenApply(
            created ->
                CreateInvitationResponse.newBuilder()
                    .setInvitation(message(created.invitation(), clock.instant()))
                    .setText(text(agentId, role, secret).encode())
                    .build());
  }

  private InvitationText text(Optional<AgentId> agentId, CertificateRole role, Secret secret) {
    List<Endpoint> endpoints = colony.endpoints().get();
    return new InvitationText(
        colony.id(),
        colony.authority().get(),
        endpoints.subList(0, Math.min(endpoints.size(), InvitationText.MAX_ENDPOINTS)),
        colony.discovery(),
        role.wireName(),
        agentId,
        secret);
  }

  private static CertificateRole role(String name) {
    if (name.isEmpty()) {
      return CertificateRole.AGENT;
    }
    return CertificateRole.of(name)
        .filter(role -> role != CertificateRole.ADMIN)
        .orElseThrow(() -> invalid("a role is agent, proxy, viewer or operator"));
  }

  @Override
  public CompletionStage<ListInvitationsResponse> listInvitations(ListInvitationsRequest request) {
    return authority
        .ask(CertificateAuthority.Invitations.class, CertificateAuthority.ListInvitations::new)
        .thenApply(
            kept -> {
              Instant now = clock.instant();
              return ListInvitationsResponse.newBuilder()
                  .addAllInvitations(
                      kept.invitations().stream().map(each -> message(each, now)).toList())
                  .build();
            });
  }

  @Override
  public CompletionStage<RevokeInvitationResponse> revokeInvitation(
      RevokeInvitationRequest request) {
    String id = request.getInvitationId();
    if (id.isEmpty()) {
      throw invalid("an invitation_id is what the list of invitations shows");
    }
    Requests.length("invitation_id", id, MAX_INVITATION_ID);
    return authority
        .ask(
            CertificateAuthority.InvitationRevoked.class,
            replyTo ->
                new CertificateAuthority.RevokeInvitation(
                    id, AuthorityClient.origin(caller, ""), replyTo))
        .thenApply(revoked -> RevokeInvitationResponse.getDefaultInstance());
  }

  private static coral.api.colony.v1.Invitation message(Invitation invitation, Instant now) {
    return coral.api.colony.v1.Invitation.newBuilder()
        .setInvitationId(invitation.invitationId())
        .setAgentId(invitation.agentId().map(AgentId::value).orElse(""))
        .setRole(invitation.role().wireName())
        .setCreatedAt(Protobuf.timestamp(invitation.createdAt()))
        .setExpiresAt(Protobuf.timestamp(invitation.expiresAt()))
        .setUses(invitation.uses())
        .setUsesLeft(invitation.usesLeft())
        .setCreatedBy(invitation.createdBy())
        .setStatus(invitation.status(now).wireName())
        .build();
  }

  private static RefusedException invalid(String message) {
    return new RefusedException(Failure.INVALID_ARGUMENT, message);
  }
}
