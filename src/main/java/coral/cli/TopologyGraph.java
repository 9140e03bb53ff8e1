package coral.cli;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Connection;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Peer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A topology as a graph that other programs draw: the DOT language of graphviz, and mermaid. */
final class TopologyGraph {
  private TopologyGraph() {}

  /** DOT; every name is a quoted string, so that nothing in it is taken for syntax. */
  static String dot(GetTopologyResponse topology) {
    StringBuilder text = new StringBuilder("digraph ").append(quoted(topology.getColonyId()));
    text.append(" {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n  ")
        .append(quoted(topology.getColonyId()))
        .append(" [shape=doubleoctagon, style=solid];\n");
    for (Agent agent : topology.getAgentsList()) {
      text.append("  ")
          .append(quoted(agent.getAgentId()))
          .append(" [label=")
          .append(quoted(agent.getAgentId() + "\n" + agent.getMeshIpv4()))
          .append(agent.getConnected() ? "" : ", color=gray, fontcolor=gray")
          .append("];\n");
    }
    Map<String, Peer> peers = peers(topology);
    for (Connection connection : topology.getConnectionsList()) {
      boolean tunnel = isTunnel(connection);
      text.append("  ")
          .append(quoted(connection.getSourceId()))
          .append(" -> ")
          .append(quoted(connection.getTargetId()))
          .append(" [label=")
          .append(quoted(label(connection, peers)))
          .append(tunnel ? ", style=dashed, dir=none" : "")
          .append("];\n");
    }
    return text.append("}\n").toString();
  }

  private static String quoted(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (String line : text.split("\n", -1)) {
      quoted
          .append(quoted.length() > 1 ? "\\n" : "")
          .append(Table.printable(line).replace("\\", "\\\\").replace("\"", "\\\""));
    }
    return quoted.append('"').toString();
  }

  /** Mermaid; nodes have names of our own, because those of agents may be its keywords. */
  static String mermaid(GetTopologyResponse topology) {
    Map<String, String> nodes = new HashMap<>();
    StringBuilder text = new StringBuilder("graph LR\n");
    nodes.put(topology.getColonyId(), "colony");
    text.append("  colony([").append(labelled(topology.getColonyId())).append("])\n");
    for (Agent agent : topology.getAgentsList()) {
      String node = "agent" + nodes.size();
      nodes.put(agent.getAgentId(), node);
      text.append("  ")
          .append(node)
          .append('[')
          .append(labelled(agent.getAgentId() + "\n" + agent.getMeshIpv4()))
          .append("]\n");
    }
    Map<String, Peer> peers = peers(topology);
    for (Connection connection : topology.getConnectionsList()) {
      @Nullable String source = nodes.get(connection.getSourceId());
      @Nullable String target = nodes.get(connection.getTargetId());
      if (source != null && target != null) {
        String label = labelled(label(connection, peers));
        text.append("  ")
            .append(source)
            .append(isTunnel(connection) ? " -. " + label + " .- " : " -- " + label + " --> ")
            .append(target)
            .append('\n');
      }
    }
    return text.toString();
  }

  /** Entities of mermaid are HTML's with a number sign. */
  private static String labelled(String text) {
    StringBuilder label = new StringBuilder("\"");
    for (String line : text.split("\n", -1)) {
      label
          .append(label.length() > 1 ? "<br/>" : "")
          .append(
              Table.printable(line)
                  .replace("#", "#35;")
                  .replace("\"", "#quot;")
                  .replace("<", "#lt;")
                  .replace(">", "#gt;"));
    }
    return label.append('"').toString();
  }

  private static boolean isTunnel(Connection connection) {
    return connection.getTargetPort() == 0;
  }

  private static Map<String, Peer> peers(GetTopologyResponse topology) {
    Map<String, Peer> peers = new HashMap<>();
    topology.getPeersList().forEach(peer -> peers.put(peer.getAgentId(), peer));
    return peers;
  }

  private static String label(Connection connection, Map<String, Peer> peers) {
    if (isTunnel(connection)) {
      @Nullable Peer peer = peers.get(connection.getSourceId());
      return connection.getConnectionType()
          + (peer != null && peer.hasRoundTrip()
              ? " " + HumanTime.milliseconds(Times.duration(peer.getRoundTrip()))
              : "");
    }
    return connection.getConnectionType()
        + " "
        + connection.getTargetPort()
        + "/"
        + connection.getProtocol()
        + (connection.getCount() > 1 ? " ×" + connection.getCount() : "");
  }
}
