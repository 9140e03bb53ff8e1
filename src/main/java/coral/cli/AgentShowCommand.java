package coral.cli;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Connection;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Peer;
import coral.model.AgentId;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code coral agent show}. */
@Command(
    name = "show",
    description = "One agent: how it is, its tunnel, and what its host is connected to.",
    footer = {
      "JSON: the agent as of 'coral agents', and {peer, connections[]} as of 'coral topology';",
      "peer is null while the colony has no tunnel for it.",
      "",
      "Examples:",
      "  coral agent show web-1",
      "  coral agent show web-1 -o json | jq .connections"
    })
final class AgentShowCommand implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Parameters(
      paramLabel = "AGENT-ID",
      converter = AgentIdConverter.class,
      description = "As 'coral agents' shows it.")
  private @Nullable AgentId agentId;

  @Override
  public Integer call() {
    String id = Objects.requireNonNull(agentId, "demanded by the parser").value();
    ColonyClient colony = options.connect();
    GetTopologyResponse topology = colony.topology();
    Agent agent =
        topology.getAgentsList().stream()
            .filter(each -> each.getAgentId().equals(id))
            .findAny()
            .orElseThrow(
                () ->
                    new CommandFailedException(
                        "colony " + colony.colony() + " has no agent " + id,
                        "'coral agents' shows which there are."));
    return options.answer(
        () -> json(agent, topology),
        screen -> text(agent, topology, InstantSource.system().instant(), screen));
  }

  private static Optional<Peer> peer(Agent agent, GetTopologyResponse topology) {
    return topology.getPeersList().stream()
        .filter(peer -> peer.getAgentId().equals(agent.getAgentId()))
        .findAny();
  }

  /** Without the tunnel. */
  private static List<Connection> connections(Agent agent, GetTopologyResponse topology) {
    return topology.getConnectionsList().stream()
        .filter(connection -> connection.getTargetPort() != 0)
        .filter(
            connection ->
                connection.getSourceId().equals(agent.getAgentId())
                    || connection.getTargetId().equals(agent.getAgentId()))
        .toList();
  }

  static String json(Agent agent, GetTopologyResponse topology) {
    return Json.object(
        json -> {
          AgentsCommand.put(json, agent);
          peer(agent, topology)
              .ifPresentOrElse(
                  peer -> json.putObject("peer", fields -> TopologyCommand.put(fields, peer)),
                  () -> json.putNull("peer"));
          json.putObjects("connections", connections(agent, topology), TopologyCommand::put);
        });
  }

  static String text(Agent agent, GetTopologyResponse topology, Instant now, Screen screen) {
    Optional<Peer> peer = peer(agent, topology);
    Fields fields =
        new Fields()
            .add("agent", agent.getAgentId())
            .add("component", agent.getComponentName())
            .add("status", agent.getStatus() + (agent.getConnected() ? ", connected" : ""))
            .add("addresses", agent.getMeshIpv4() + ", " + agent.getMeshIpv6())
            .add("last seen", Times.moment(agent.getLastSeen(), now))
            .add("authentication", agent.getAuthentication())
            .add("certificate", agent.getCertificateSerial())
            .add("expires", Times.moment(agent.getCertificateExpiresAt(), now))
            .add("ping IPv4", ping(agent.hasRoundTripIpv4(), agent.getRoundTripIpv4()))
            .add("ping IPv6", ping(agent.hasRoundTripIpv6(), agent.getRoundTripIpv6()))
            .add("WireGuard key", peer.map(Peer::getWireguardPubkey).orElse(""))
            .add("endpoint", peer.map(Peer::getEndpoint).orElse(""))
            .add("handshake", Times.ago(agent.getLastHandshake(), now))
            .add("sent", HumanTime.bytes(agent.getSentBytes()))
            .add("received", HumanTime.bytes(agent.getReceivedBytes()));
    List<Connection> connections = connections(agent, topology);
    if (connections.isEmpty()) {
      return fields.toString();
    }
    Table table =
        new Table("FROM", "TO", "PORT", "TYPE", "OPEN", "EVIDENCE", "SEEN AGO")
            .expendable("EVIDENCE", "SEEN AGO", "TYPE");
    for (Connection connection : connections) {
      table.row(
          connection.getSourceId(),
          connection.getTargetId(),
          connection.getTargetPort() + "/" + connection.getProtocol(),
          connection.getConnectionType(),
          Integer.toString(connection.getCount()),
          connection.getEvidence(),
          Times.age(connection.getLastSeen(), now));
    }
    return fields + "\n" + table.on(screen);
  }

  private static String ping(boolean known, com.google.protobuf.Duration roundTrip) {
    return known ? HumanTime.milliseconds(Times.duration(roundTrip)) : "";
  }
}
