package coral.agent.observation;

import coral.model.Addresses;
import java.net.InetAddress;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What this host is connected to inside the mesh, at one moment.
 *
 * @param evidence where it was read: {@code "conntrack"} or {@code "tcp-table"}
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

  private record Kind(InetAddress remote, int port, boolean outgoing, String protocol) {}

  /**
   * Counts connections of the same kind.
   *
   * @param incomplete whether not all that there is was read
   */
  static Observation of(String evidence, Collection<ObservedConnection> each, boolean incomplete) {
    Map<Kind, ObservedConnection> kinds = new LinkedHashMap<>();
    for (ObservedConnection one : each) {
      kinds.merge(
          new Kind(one.remote(), one.port(), one.outgoing(), one.protocol()),
          one,
          ObservedConnection::and);
    }
    return new Observation(
        evidence,
        kinds.values().stream()
            .sorted(
                Comparator.comparingLong(ObservedConnection::count)
                    .reversed()
                    .thenComparing(one -> Addresses.text(one.remote()))
                    .thenComparing(ObservedConnection::port)
                    .thenComparing(ObservedConnection::outgoing))
            .limit(MAX_CONNECTIONS)
            .toList(),
        incomplete || kinds.size() > MAX_CONNECTIONS);
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
