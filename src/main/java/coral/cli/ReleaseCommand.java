package coral.cli;

import coral.api.mesh.v1.DeregisterAgentRequest;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.model.AgentId;
import coral.model.Failure;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code coral release}. */
@Command(
    name = "release",
    description = {
      "Take an agent's mesh address back, or what is reserved for it.",
      "",
      "The agent leaves the mesh at once, and the address may be another agent's next. Its"
          + " certificate stays good: an agent that runs joins again, with another address. Only"
          + " 'coral revoke-agent' keeps it out."
    },
    footer = {
      "JSON: {agentId, ipAddress, ipv6Address}.",
      "",
      "Examples:",
      "  coral release web-1",
      "  coral release web-1 -o json | jq -r .ipAddress"
    })
final class ReleaseCommand implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Parameters(
      paramLabel = "AGENT-ID",
      converter = AgentIdConverter.class,
      description = "As 'coral allocations' shows it.")
  private @Nullable AgentId agent;

  @Override
  public Integer call() {
    AgentId id = Objects.requireNonNull(agent, "demanded by the parser");
    DeregisterAgentResponse released =
        options
            .connect()
            .ask(
                Services.MESH + "Deregister",
                DeregisterAgentRequest.newBuilder().setAgentId(id.value()).build(),
                DeregisterAgentResponse.parser(),
                Map.of(Failure.NOT_FOUND, "'coral allocations' shows who holds what."));
    return options.answer(() -> json(id, released), () -> text(id, released));
  }

  static String json(AgentId id, DeregisterAgentResponse released) {
    return Json.object(
        json ->
            json.put("agentId", id.value())
                .put("ipAddress", released.getReleasedIp())
                .put("ipv6Address", released.getReleasedIpv6()));
  }

  static String text(AgentId id, DeregisterAgentResponse released) {
    return "%s and %s are free; %s had them.%n"
        .formatted(released.getReleasedIp(), released.getReleasedIpv6(), id);
  }
}
