package coral.cli;

import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.Invitation;
import coral.model.AgentId;
import coral.model.Failure;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code coral invite}. */
@Command(
    name = "invite",
    description = {
      "Invite a host: print the one line to paste there.",
      "",
      "The line says where the colony is, what its authority's fingerprint is, and a secret that"
          + " the colony takes as often as --uses says and keeps as a hash only. It is shown once,"
          + " on standard output; until when it is good is told on standard error. Whoever has the"
          + " line can use it: send it over a channel that you trust."
    },
    footer = {
      "JSON: {invitationId, invitation, command, agentId, role, uses, expiresAt}; agentId is null",
      "if the guest chooses a free name. Times are ISO 8601 in UTC.",
      "",
      "Examples:",
      "  coral invite                                      one host, within an hour",
      "  coral invite --agent web-1 --ttl 15m              this host and no other",
      "  coral invite --uses 20 --ttl 1d                   a rack",
      "  coral invite --role viewer --agent alice          somebody who may look",
      "  coral invite -o json | jq -r .invitation | ssh web-1 coral connect - --once"
    })
final class InviteCommand implements Callable<Integer> {
  private static final int MAX_USES = 1_000;

  @Spec private @Nullable CommandSpec spec;
  @Mixin private QueryOptions options = new QueryOptions();

  @Option(
      names = "--agent",
      paramLabel = "ID",
      converter = AgentIdConverter.class,
      description = "The only id that the guest may take (default: any that is free).")
  private @Nullable AgentId agent;

  @Option(
      names = "--role",
      paramLabel = "ROLE",
      defaultValue = "agent",
      description =
          "What the guest will be, for ever: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private InvitedRole role = InvitedRole.AGENT;

  @Option(
      names = "--ttl",
      paramLabel = "TIME",
      defaultValue = "1h",
      converter = Ttl.class,
      description = "How long it can be used: 1m to 30d, such as 15m, 1h (the default) or 7d.")
  private Duration ttl = Duration.ofHours(1);

  @Option(
      names = "--uses",
      paramLabel = "N",
      defaultValue = "1",
      description = "How many hosts may use it: 1 (the default) to 1000; not with --agent.")
  private int uses = 1;

  static final class Ttl extends DurationOption {
    Ttl() {
      super(Duration.ofMinutes(1), Duration.ofDays(30));
    }
  }

  @Override
  public Integer call() {
    requireFitting();
    CreateInvitationRequest.Builder request =
        CreateInvitationRequest.newBuilder()
            .setRole(role.toString())
            .setTtl(DurationOption.message(ttl))
            .setUses(uses);
    if (agent != null) {
      request.setAgentId(agent.value());
    }
    CreateInvitationResponse made =
        options
            .connect()
            .ask(
                Services.INVITATIONS + "CreateInvitation",
                request.build(),
                CreateInvitationResponse.parser(),
                Map.of(
                    Failure.LIMIT_REACHED,
                    "Revoke some that nobody needs: 'coral invites list', 'coral invites revoke"
                        + " ID'."));
    int done = options.answer(() -> json(made), () -> command(made) + "\n");
    if (!options.isStructured()) {
      PrintWriter err = CoralCommand.given(spec).commandLine().getErr();
      err.println(note(made.getInvitation(), InstantSource.system().instant()));
      err.flush();
    }
    return done;
  }

  private void requireFitting() {
    if (uses < 1 || uses > MAX_USES) {
      throw wrong("--uses: expected 1 to " + MAX_USES + ", not " + uses);
    }
    if (uses > 1 && agent != null) {
      throw wrong("an agent id belongs to one host: leave out --agent or --uses");
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(CoralCommand.given(spec).commandLine(), message);
  }

  private static String command(CreateInvitationResponse made) {
    return "coral connect " + Table.printable(made.getText());
  }

  static String json(CreateInvitationResponse made) {
    Invitation invitation = made.getInvitation();
    return Json.object(
        json ->
            json.put("invitationId", invitation.getInvitationId())
                .put("invitation", made.getText())
                .put("command", command(made))
                .put("agentId", Times.present(invitation.getAgentId()))
                .put("role", invitation.getRole())
                .put("uses", invitation.getUses())
                .put("expiresAt", Times.instant(invitation.getExpiresAt())));
  }

  /** For whom, how often and until when. */
  static String note(Invitation invitation, Instant now) {
    String guest =
        invitation.getAgentId().isEmpty()
            ? invitation.getUses() == 1 ? "one host" : invitation.getUses() + " hosts"
            : invitation.getAgentId();
    return Table.printable(
        "Paste this line on "
            + guest
            + " (role "
            + invitation.getRole()
            + "). It ends at "
            + Times.moment(invitation.getExpiresAt(), now)
            + ". 'coral invites revoke "
            + invitation.getInvitationId()
            + "' ends it sooner.");
  }
}
