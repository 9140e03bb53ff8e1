package coral.cli;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Connection;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Peer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A topology as a tree: the colony, its agents, and below each what its host has opened. */
final class TopologyTree {
  private static final String BRANCH = "├─ ";
  private static final String LAST = "└─ ";
  private static final String GAP = "  ";

  private final GetTopologyResponse topology;
  private final Instant now;
  private final Map<String, Peer> peers = new HashMap<>();
  private final Map<String, List<Connection>> connections = new HashMap<>();

  TopologyTree(GetTopologyResponse topology, Instant now) {
    this.topology = topology;
    this.now = now;
    topology.getPeersList().forEach(peer -> peers.put(peer.getAgentId(), peer));
    for (Connection connection : topology.getConnectionsList()) {
      if (connection.getTargetPort() != 0) {
        connections
            .computeIfAbsent(connection.getSourceId(), source -> new ArrayList<>())
            .add(connection);
      }
    }
  }

  /** Lines that are too long for the screen lose their end. */
  String on(Screen screen) {
    Text text = new Text(screen);
    List<Connection> fromColony = connections.getOrDefault(topology.getColonyId(), List.of());
    text.line("", topology.getColonyId(), "", "");
    int idWidth = 0;
    int addressWidth = 0;
    for (Agent agent : topology.getAgentsList()) {
      idWidth = Math.max(idWidth, agent.getAgentId().length());
      addressWidth = Math.max(addressWidth, agent.getMeshIpv4().length());
    }
    int agents = topology.getAgentsCount();
    for (int i = 0; i < agents; i++) {
      Agent agent = topology.getAgents(i);
      boolean last = i == agents - 1 && fromColony.isEmpty();
      text.line(
          last ? LAST : BRANCH,
          pad(agent.getAgentId(), idWidth) + GAP + pad(agent.getMeshIpv4(), addressWidth) + GAP,
          agent.getStatus(),
          GAP + tunnel(agent));
      connections(
          text, last ? "   " : "│  ", connections.getOrDefault(agent.getAgentId(), List.of()));
    }
    connections(text, "", fromColony);
    if (agents == 0) {
      text.line(LAST, "no agents yet: one joins with the line that 'coral invite' prints", "", "");
    }
    return text.toString();
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(width - text.length());
  }

  private String tunnel(Agent agent) {
    @Nullable Peer peer = peers.get(agent.getAgentId());
    if (peer == null) {
      return "no tunnel";
    }
    List<String> parts = new ArrayList<>();
    String age = Times.ago(peer.getLastHandshake(), now);
    parts.add(age.isEmpty() ? "no handshake yet" : "handshake " + age);
    if (peer.hasRoundTrip()) {
      parts.add(HumanTime.milliseconds(Times.duration(peer.getRoundTrip())));
    }
    if (peer.getReceivedBytes() != 0 || peer.getSentBytes() != 0) {
      // From the agent's side, as all else on its line.
      parts.add(
          "↑ "
              + HumanTime.bytes(peer.getReceivedBytes())
              + " ↓ "
              + HumanTime.bytes(peer.getSentBytes()));
    }
    return String.join(GAP, parts);
  }

  private void connections(Text text, String indentation, List<Connection> opened) {
    for (int i = 0; i < opened.size(); i++) {
      Connection connection = opened.get(i);
      text.line(
          indentation + (i == opened.size() - 1 ? LAST : BRANCH),
          connection.getConnectionType()
              + " → "
              + connection.getTargetId()
              + ":"
              + connection.getTargetPort()
              + "/"
              + connection.getProtocol()
              + GAP
              + details(connection),
          "",
          "");
    }
  }

  private String details(Connection connection) {
    String bytes =
        connection.getSentBytes() == 0 && connection.getReceivedBytes() == 0
            ? ""
            : ", ↑ "
                + HumanTime.bytes(connection.getSentBytes())
                + " ↓ "
                + HumanTime.bytes(connection.getReceivedBytes());
    return connection.getCount()
        + " open"
        + bytes
        + ", seen "
        + Times.ago(connection.getLastSeen(), now)
        + " in "
        + (connection.getEvidence().equals("conntrack")
            ? "connection tracking"
            : "the table of sockets")
        + (connection.getPath().equals("hub") ? ", by way of the hub" : "");
  }

  /** Lines that fit a screen. */
  private static final class Text {
    private static final String MORE = "…";

    private final Screen screen;
    private final StringBuilder text = new StringBuilder();

    Text(Screen screen) {
      this.screen = screen;
    }

    /**
     * @param state the name of a state, which has a colour
     */
    void line(String indentation, String before, String state, String after) {
      String start = indentation + Table.printable(before);
      String shown = Table.printable(state);
      String end = Table.printable(after);
      int limit = screen.width();
      int room = limit == 0 ? Integer.MAX_VALUE : limit - start.length() - shown.length();
      if (room < 0) {
        text.append(cut(start + shown, limit));
      } else {
        text.append(start).append(screen.state(shown)).append(cut(end, room));
      }
      text.append('\n');
    }

    private static String cut(String line, int room) {
      if (line.length() <= room) {
        return line.stripTrailing();
      }
      return room < MORE.length()
          ? ""
          : line.substring(0, room - MORE.length()).stripTrailing() + MORE;
    }

    @Override
    public String toString() {
      return text.toString();
    }
  }
}
