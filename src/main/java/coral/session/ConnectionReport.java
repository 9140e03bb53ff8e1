package coral.session;

import java.util.List;

/**
 * What an agent's host is connected to inside the mesh, all of it, as the agent says.
 *
 * @param connections at most {@link #MAX_CONNECTIONS}
 */
public record ConnectionReport(Evidence evidence, List<ReportedConnection> connections) {
  /** More are cut off: the topology of a mesh is for people. */
  public static final int MAX_CONNECTIONS = 256;

  public ConnectionReport {
    connections =
        List.copyOf(connections.subList(0, Math.min(connections.size(), MAX_CONNECTIONS)));
  }
}
