package coral.cli;

import coral.api.colony.v1.Invitation;
import coral.api.colony.v1.ListInvitationsRequest;
import coral.api.colony.v1.ListInvitationsResponse;
import coral.api.colony.v1.RevokeInvitationRequest;
import coral.api.colony.v1.RevokeInvitationResponse;
import coral.model.Failure;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code coral invites}. */
@Command(
    name = "invites",
    description = "The invitations of a running colony: who may still come.",
    footer = {"Examples:", "  coral invites list", "  coral invites revoke 5b9a5c4dc8045e33"},
    subcommands = {InvitesCommand.Listing.class, InvitesCommand.Revocation.class})
final class InvitesCommand extends CommandGroup {
  /** {@code coral invites list}. */
  @Command(
      name = "list",
      description = "Every invitation that is kept, and what has become of it.",
      footer = {
        "JSON: {invitations: [{invitationId, agentId, role, status, uses, usesLeft, createdAt,",
        "expiresAt, createdBy}]}; status is open, used, expired or revoked; agentId is null if the",
        "guest chooses a free name. Times are ISO 8601 in UTC.",
        "",
        "Examples:",
        "  coral invites list",
        "  coral invites list -o json | jq -r '.invitations[] | select(.status==\"open\")"
            + " | .invitationId'"
      })
  static final class Listing implements Callable<Integer> {
    @Mixin private QueryOptions options = new QueryOptions();

    @Override
    public Integer call() {
      List<Invitation> invitations =
          options
              .connect()
              .ask(
                  Services.INVITATIONS + "ListInvitations",
                  ListInvitationsRequest.getDefaultInstance(),
                  ListInvitationsResponse.parser())
              .getInvitationsList();
      return options.answer(
          () -> json(invitations),
          screen -> table(invitations, InstantSource.system().instant(), screen));
    }
  }

  static String json(List<Invitation> invitations) {
    return Json.object(
        json ->
            json.putObjects(
                "invitations",
                invitations,
                (each, invitation) ->
                    each.put("invitationId", invitation.getInvitationId())
                        .put("agentId", Times.present(invitation.getAgentId()))
                        .put("role", invitation.getRole())
                        .put("status", invitation.getStatus())
                        .put("uses", invitation.getUses())
                        .put("usesLeft", invitation.getUsesLeft())
                        .put("createdAt", Times.instant(invitation.getCreatedAt()))
                        .put("expiresAt", Times.instant(invitation.getExpiresAt()))
                        .put("createdBy", Times.present(invitation.getCreatedBy()))));
  }

  static String table(List<Invitation> invitations, Instant now, Screen screen) {
    if (invitations.isEmpty()) {
      return "No invitations. 'coral invite' makes one.\n";
    }
    Table table =
        new Table("ID", "AGENT", "ROLE", "STATUS", "LEFT", "ENDS", "BY")
            .states("STATUS")
            .expendable("BY", "LEFT", "ROLE", "ENDS");
    for (Invitation invitation : invitations) {
      table.row(
          invitation.getInvitationId(),
          invitation.getAgentId().isEmpty() ? "any" : invitation.getAgentId(),
          invitation.getRole(),
          invitation.getStatus(),
          invitation.getUsesLeft() + " of " + invitation.getUses(),
          Times.distance(invitation.getExpiresAt(), now),
          invitation.getCreatedBy());
    }
    return table.on(screen);
  }

  /** {@code coral invites revoke}. */
  @Command(
      name = "revoke",
      description = {
        "End an invitation: nobody can use it any more.",
        "",
        "Whoever has used it already stays; 'coral revoke-agent' ends them."
      },
      footer = {
        "JSON: {invitationId, status}; status is revoked.",
        "",
        "Examples:",
        "  coral invites revoke 5b9a5c4dc8045e33"
      })
  static final class Revocation implements Callable<Integer> {
    @Mixin private QueryOptions options = new QueryOptions();

    @Parameters(
        paramLabel = "ID",
        completionCandidates = LiveNames.Invitations.class,
        description = "As 'coral invites list' shows it.")
    private String id = "";

    @Override
    public Integer call() {
      options
          .connect()
          .ask(
              Services.INVITATIONS + "RevokeInvitation",
              RevokeInvitationRequest.newBuilder().setInvitationId(id).build(),
              RevokeInvitationResponse.parser(),
              Map.of(Failure.NOT_FOUND, "'coral invites list' shows which there are."));
      return options.answer(
          () -> Json.object(json -> json.put("invitationId", id).put("status", "revoked")),
          () -> "Invitation " + id + " is revoked: nobody can use it any more.\n");
    }
  }
}
