package coral.cli;

import com.google.protobuf.Duration;
import coral.api.colony.v1.Agent;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral agents}. */
@Command(
    name = "agents",
    description = "The agents of a running colony: which are connected, and how fast.",
    footer = {
      "Round trips are what the agent measured last, through the tunnel.",
      "",
      "JSON: {agents: [{agentId, component, status, connected, meshIpv4, meshIpv6, lastSeen,",
      "lastHandshake, roundTripIpv4Milliseconds, roundTripIpv6Milliseconds, certificateSerial,",
      "receivedBytes, sentBytes}]}; times are ISO 8601 in UTC; what is not known is null.",
      "",
      "Examples:",
      "  coral agents",
      "  coral agents -o json | jq -r '.agents[] | select(.connected | not) | .agentId'"
    })
final class AgentsCommand implements Callable<Integer> {
  @ParentCommand private @Nullable CoralCommand root;
  @Spec private @Nullable CommandSpec spec;
  @Mixin private QueryOptions options = new QueryOptions();

  @Override
  public Integer call() {
    List<Agent> agents = options.connect(CoralCommand.of(root)).agents();
    PrintWriter out = CoralCommand.out(spec);
    out.print(
        options.json() ? json(agents) + "\n" : table(agents, InstantSource.system().instant()));
    out.flush();
    return CommandLine.DONE;
  }

  static String json(List<Agent> agents) {
    return Json.object(json -> json.putObjects("agents", agents, AgentsCommand::put));
  }

  private static void put(Json json, Agent agent) {
    json.put("agentId", agent.getAgentId())
        .put("component", agent.getComponentName())
        .put("status", agent.getStatus())
        .put("connected", agent.getConnected())
        .put("meshIpv4", agent.getMeshIpv4())
        .put("meshIpv6", agent.getMeshIpv6())
        .put("lastSeen", Times.instant(agent.getLastSeen()))
        .put("lastHandshake", Times.instant(agent.getLastHandshake()));
    milliseconds(
        json, "roundTripIpv4Milliseconds", agent.hasRoundTripIpv4(), agent.getRoundTripIpv4());
    milliseconds(
        json, "roundTripIpv6Milliseconds", agent.hasRoundTripIpv6(), agent.getRoundTripIpv6());
    json.put("certificateSerial", Times.present(agent.getCertificateSerial()))
        .put("receivedBytes", agent.getReceivedBytes())
        .put("sentBytes", agent.getSentBytes());
  }

  private static void milliseconds(Json json, String name, boolean known, Duration value) {
    if (known) {
      json.put(name, Times.duration(value).toNanos() / 1e6);
    } else {
      json.putNull(name);
    }
  }

  static String table(List<Agent> agents, Instant now) {
    if (agents.isEmpty()) {
      return "No agents yet. An agent joins with 'coral connect COLONY-ID'.\n";
    }
    Table table =
        new Table(
            "AGENT",
            "STATUS",
            "IPV4",
            "IPV6",
            "PING V4",
            "PING V6",
            "HANDSHAKE",
            "LAST SEEN",
            "RECEIVED",
            "SENT");
    for (Agent agent : agents) {
      table.row(
          agent.getAgentId(),
          agent.getStatus(),
          agent.getMeshIpv4(),
          agent.getMeshIpv6(),
          ping(agent.hasRoundTripIpv4(), agent.getRoundTripIpv4()),
          ping(agent.hasRoundTripIpv6(), agent.getRoundTripIpv6()),
          Times.ago(agent.getLastHandshake(), now),
          Times.ago(agent.getLastSeen(), now),
          HumanTime.bytes(agent.getReceivedBytes()),
          HumanTime.bytes(agent.getSentBytes()));
    }
    return table.toString();
  }

  private static String ping(boolean known, Duration roundTrip) {
    return known ? HumanTime.milliseconds(Times.duration(roundTrip)) : "";
  }
}
