package coral.cli;

import coral.api.colony.v1.Connection;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Peer;
import java.io.PrintWriter;
import java.time.InstantSource;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code coral topology}. */
@Command(
    name = "topology",
    description = {
      "Who is connected to whom: the tunnels, and what agents have seen on their hosts.",
      "",
      "A connection between two agents is shown below the one that has opened it, with the port"
          + " that was called. The colony knows of it because one of the two hosts has it in its"
          + " connection tracking or its table of sockets."
    },
    footer = {
      "JSON: {colonyId, agents: [as of 'coral agents'], peers: [{agentId, wireguardPubkey,"
          + " endpoint,",
      "lastHandshake, roundTripMilliseconds, receivedBytes, sentBytes, allowedIps[]}],",
      "connections: [{sourceId, targetId, connectionType, evidence, path, protocol, targetPort,",
      "count, lastSeen, sentBytes, receivedBytes}]}; the bytes of a peer are the hub's, those of a",
      "connection its source's; what is not known is null.",
      "",
      "Examples:",
      "  coral topology",
      "  coral topology -o dot | dot -Tsvg > mesh.svg",
      "  coral topology -o mermaid"
    })
final class TopologyCommand implements Callable<Integer> {
  /** How it is drawn or written. */
  enum Format {
    TREE,
    JSON,
    YAML,
    DOT,
    MERMAID;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Mixin private ColonyOptions options = new ColonyOptions();

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "tree",
      description =
          "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}); dot is for graphviz, mermaid for"
              + " Markdown.")
  private Format format = Format.TREE;

  @Override
  public Integer call() {
    GetTopologyResponse topology = options.connect().topology();
    PrintWriter out = options.out();
    out.print(
        switch (format) {
          case TREE ->
              new TopologyTree(topology, InstantSource.system().instant()).on(options.screen());
          case JSON -> OutputFormat.JSON.document(json(topology));
          case YAML -> OutputFormat.YAML.document(json(topology));
          case DOT -> TopologyGraph.dot(topology);
          case MERMAID -> TopologyGraph.mermaid(topology);
        });
    out.flush();
    return CommandLine.DONE;
  }

  static String json(GetTopologyResponse topology) {
    return Json.object(
        json ->
            json.put("colonyId", topology.getColonyId())
                .putObjects("agents", topology.getAgentsList(), AgentsCommand::put)
                .putObjects("peers", topology.getPeersList(), TopologyCommand::put)
                .putObjects("connections", topology.getConnectionsList(), TopologyCommand::put));
  }

  static void put(Json json, Peer peer) {
    json.put("agentId", peer.getAgentId())
        .put("wireguardPubkey", peer.getWireguardPubkey())
        .put("endpoint", Times.present(peer.getEndpoint()))
        .put("lastHandshake", Times.instant(peer.getLastHandshake()));
    AgentsCommand.milliseconds(
        json, "roundTripMilliseconds", peer.hasRoundTrip(), peer.getRoundTrip());
    json.put("receivedBytes", peer.getReceivedBytes())
        .put("sentBytes", peer.getSentBytes())
        .putStrings("allowedIps", peer.getAllowedIpsList());
  }

  static void put(Json json, Connection connection) {
    boolean tunnel = connection.getTargetPort() == 0;
    json.put("sourceId", connection.getSourceId())
        .put("targetId", connection.getTargetId())
        .put("connectionType", connection.getConnectionType())
        .put("evidence", connection.getEvidence())
        .put("path", connection.getPath())
        .put("protocol", Times.present(connection.getProtocol()));
    if (tunnel) {
      json.putNull("targetPort");
    } else {
      json.put("targetPort", connection.getTargetPort());
    }
    json.put("count", connection.getCount())
        .put("lastSeen", Times.instant(connection.getLastSeen()))
        .put("sentBytes", connection.getSentBytes())
        .put("receivedBytes", connection.getReceivedBytes());
  }
}
