package coral.cli;

import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.model.AgentId;
import coral.model.Failure;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code coral revoke-agent}. */
@Command(
    name = "revoke-agent",
    description = {
      "End an identity at once: its certificates, its session, its WireGuard peer.",
      "",
      "Works for every role: agents, proxies, viewers and operators. The mesh address stays"
          + " reserved for the id, which nobody can claim until 'coral agent allow-rebind'."
    },
    footer = {
      "JSON: {agentId, reason, message, serialNumbers[]}; serialNumbers are the certificates that",
      "were good until now.",
      "",
      "Examples:",
      "  coral revoke-agent web-1 --reason 'host stolen'",
      "  coral revoke-agent alice --reason left -o json | jq -r '.serialNumbers[]'"
    })
final class RevokeAgentCommand implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Parameters(
      paramLabel = "AGENT-ID",
      converter = AgentIdConverter.class,
      description = "As 'coral agents' shows it.")
  private @Nullable AgentId agent;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      required = true,
      converter = Reason.class,
      description = "Why, for the audit: up to 255 characters.")
  private String reason = "";

  @Override
  public Integer call() {
    AgentId id = Objects.requireNonNull(agent, "demanded by the parser");
    RevokeCertificateResponse revoked =
        options
            .connect()
            .ask(
                Services.COLONY + "RevokeCertificate",
                RevokeCertificateRequest.newBuilder()
                    .setAgentId(id.value())
                    .setReason(reason)
                    .build(),
                RevokeCertificateResponse.parser(),
                Map.of(Failure.NOT_FOUND, "'coral certificates list' shows who has one."));
    if (!revoked.getSuccess()) {
      throw new CommandFailedException(
          id + " was not revoked: " + Table.printable(revoked.getMessage()),
          "'coral certificates list --agent " + id + "' shows what it has.");
    }
    return options.answer(() -> json(id, reason, revoked), () -> text(id, revoked));
  }

  static String json(AgentId id, String reason, RevokeCertificateResponse revoked) {
    return Json.object(
        json ->
            json.put("agentId", id.value())
                .put("reason", reason)
                .put("message", revoked.getMessage())
                .putStrings("serialNumbers", revoked.getSerialNumbersList()));
  }

  static String text(AgentId id, RevokeCertificateResponse revoked) {
    StringBuilder text = new StringBuilder();
    text.append(id).append(" is revoked. Ended:\n");
    for (String serial : revoked.getSerialNumbersList()) {
      text.append("  certificate  ").append(Table.printable(serial)).append('\n');
    }
    if (revoked.getSerialNumbersCount() == 0) {
      text.append("  certificate  none was good\n");
    }
    text.append("  session      closed, and refused from now on\n");
    text.append("  peer         removed; its address stays reserved for it\n");
    text.append("'coral agent allow-rebind ")
        .append(id)
        .append("' lets the id be claimed again.\n");
    return text.toString();
  }
}
