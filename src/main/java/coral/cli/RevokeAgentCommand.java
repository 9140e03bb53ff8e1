package coral.cli;

import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.model.AgentId;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
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
final class RevokeAgentCommand extends Revoking {
  @Parameters(
      paramLabel = "AGENT-ID",
      converter = AgentIdConverter.class,
      description = "As 'coral agents' shows it.")
  private @Nullable AgentId agent;

  private AgentId agent() {
    return Objects.requireNonNull(agent, "demanded by the parser");
  }

  @Override
  Subject subject() {
    return new Subject(
        "agentId",
        agent().value(),
        RevokeCertificateRequest.newBuilder().setAgentId(agent().value()),
        "'coral certificates list' shows who has one.",
        "'coral certificates list --agent " + agent() + "' shows what it has.");
  }

  @Override
  String text(RevokeCertificateResponse revoked) {
    return text(agent(), revoked);
  }

  static String text(AgentId id, RevokeCertificateResponse revoked) {
    return id
        + " is revoked. Ended:\n"
        + certificates(revoked)
        + "  session      closed, and refused from now on\n"
        + "  peer         removed; its address stays reserved for it\n"
        + "'coral agent allow-rebind "
        + id
        + "' lets the id be claimed again.\n";
  }
}
