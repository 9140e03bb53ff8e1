package coral.agent.observation;

import java.util.List;

/**
 * What this host is connected to inside the mesh, at one moment.
 *
 * @param evidence where it was read: {@code "conntrack"}, which the table of sockets completes, or
 *     {@code "tcp-table"} alone
 * @param connections those with the most connections first
 * @param truncated whether there were more
 */
public record Observation(
    String evidence, List<ObservedConnection> connections, boolean truncated) {
  /** What a colony takes from one agent. */
  static final int MAX_CONNECTIONS = 256;

  public Observation {
    connections = List.copyOf(connections);
  }

  /** Whether it says the same, but for bytes, which change all the time. */
  boolean isLike(Observation other) {
    if (!evidence.equals(other.evidence)
        || truncated != other.truncated
        || connections.size() != other.connections.size()) {
      return false;
    }
    for (int i = 0; i < connections.size(); i++) {
      if (!connections.get(i).isLike(other.connections.get(i))) {
        return false;
      }
    }
    return true;
  }
}
