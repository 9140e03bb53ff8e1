package coral.cli;

import com.google.protobuf.Duration;
import coral.api.colony.v1.Agent;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code coral agents}. */
@Command(
    name = "agents",
    description = "The agents of a running colony: which are connected, and how fast.",
    footer = {
      "PING is what the agent measured last, through the tunnel, over IPv4 if that was answered.",
      "AUTH is how the agent last proved who it is; EXPIRES is its certificate.",
      "",
      "JSON: {agents: [{agentId, componentName, status, connected, meshIpv4, meshIpv6, lastSeen,",
      "lastHandshake, roundTripIpv4Milliseconds, roundTripIpv6Milliseconds, authentication,",
      "certificateSerial, certificateExpiresAt, receivedBytes, sentBytes}]}; authentication is",
      "certificate, token or colony-secret; times are ISO 8601 in UTC; what is not known is null.",
      "",
      "Examples:",
      "  coral agents",
      "  coral agents --wide",
      "  coral agents -o json | jq -r '.agents[] | select(.connected | not) | .agentId'"
    })
final class AgentsCommand implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Option(
      names = {"-w", "--wide"},
      description = "Also IPv6, the last handshake and the bytes through the tunnel.")
  private boolean wide;

  @Override
  public Integer call() {
    List<Agent> agents = options.connect().agents();
    return options.answer(
        () -> json(agents),
        screen -> table(agents, wide, InstantSource.system().instant(), screen));
  }

  static String json(List<Agent> agents) {
    return Json.object(json -> json.putObjects("agents", agents, AgentsCommand::put));
  }

  static void put(Json json, Agent agent) {
    json.put("agentId", agent.getAgentId())
        .put("componentName", agent.getComponentName())
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
    json.put("authentication", Times.present(agent.getAuthentication()))
        .put("certificateSerial", Times.present(agent.getCertificateSerial()))
        .put("certificateExpiresAt", Times.instant(agent.getCertificateExpiresAt()))
        .put("receivedBytes", agent.getReceivedBytes())
        .put("sentBytes", agent.getSentBytes());
  }

  static void milliseconds(Json json, String name, boolean known, Duration value) {
    if (known) {
      json.put(name, Times.duration(value).toNanos() / 1e6);
    } else {
      json.putNull(name);
    }
  }

  static String table(List<Agent> agents, boolean wide, Instant now, Screen screen) {
    if (agents.isEmpty()) {
      return "No agents yet. An agent joins with the line that 'coral invite' prints.\n";
    }
    return (wide ? wide(agents, now) : narrow(agents, now)).states("STATUS").on(screen);
  }

  /** Ordinary agents fit a terminal of 80 columns. */
  private static Table narrow(List<Agent> agents, Instant now) {
    Table table =
        new Table("AGENT", "STATUS", "IPV4", "PING", "AUTH", "EXPIRES", "SEEN AGO")
            .expendable("EXPIRES", "AUTH", "PING", "SEEN AGO");
    for (Agent agent : agents) {
      boolean v4 = agent.hasRoundTripIpv4();
      table.row(
          agent.getAgentId(),
          agent.getStatus(),
          agent.getMeshIpv4(),
          ping(
              v4 || agent.hasRoundTripIpv6(),
              v4 ? agent.getRoundTripIpv4() : agent.getRoundTripIpv6()),
          authentication(agent),
          Times.distance(agent.getCertificateExpiresAt(), now),
          Times.age(agent.getLastSeen(), now));
    }
    return table;
  }

  private static Table wide(List<Agent> agents, Instant now) {
    Table table =
        new Table(
                "AGENT",
                "STATUS",
                "IPV4",
                "IPV6",
                "PING V4",
                "PING V6",
                "AUTH",
                "EXPIRES",
                "HANDSHAKE",
                "SEEN AGO",
                "RECEIVED",
                "SENT")
            .expendable(
                "SENT", "RECEIVED", "EXPIRES", "AUTH", "HANDSHAKE", "PING V6", "PING V4", "IPV6");
    for (Agent agent : agents) {
      table.row(
          agent.getAgentId(),
          agent.getStatus(),
          agent.getMeshIpv4(),
          agent.getMeshIpv6(),
          ping(agent.hasRoundTripIpv4(), agent.getRoundTripIpv4()),
          ping(agent.hasRoundTripIpv6(), agent.getRoundTripIpv6()),
          authentication(agent),
          Times.distance(agent.getCertificateExpiresAt(), now),
          Times.ago(agent.getLastHandshake(), now),
          Times.age(agent.getLastSeen(), now),
          HumanTime.bytes(agent.getReceivedBytes()),
          HumanTime.bytes(agent.getSentBytes()));
    }
    return table;
  }

  /** The secret is the colony's own: one word does. */
  private static String authentication(Agent agent) {
    return agent.getAuthentication().equals("colony-secret") ? "secret" : agent.getAuthentication();
  }

  private static String ping(boolean known, Duration roundTrip) {
    return known ? HumanTime.milliseconds(Times.duration(roundTrip)) : "";
  }
}
