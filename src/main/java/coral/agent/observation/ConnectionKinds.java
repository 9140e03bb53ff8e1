package coral.agent.observation;

import coral.model.Addresses;
import java.net.InetAddress;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;

/** Counts connections of the same kind. What it holds is bounded, however many there are. */
final class ConnectionKinds {
  /** Enough to find those with the most connections; some 3 MB. */
  static final int MAX_KINDS = 16_384;

  private record Kind(InetAddress remote, int port, boolean outgoing, String protocol) {}

  private final Map<Kind, ObservedConnection> kinds = new LinkedHashMap<>();
  private boolean overflown;

  /** Counts one more, if it is of a known kind or there is room for another. */
  void add(ObservedConnection one) {
    Kind kind = new Kind(one.remote(), one.port(), one.outgoing(), one.protocol());
    if (kinds.size() < MAX_KINDS || kinds.containsKey(kind)) {
      kinds.merge(kind, one, ObservedConnection::and);
    } else {
      overflown = true;
    }
  }

  /**
   * Those with the most connections.
   *
   * @param incomplete whether not all that there is was read
   */
  Observation most(String evidence, boolean incomplete) {
    return new Observation(
        evidence,
        kinds.values().stream()
            .sorted(
                Comparator.comparingLong(ObservedConnection::count)
                    .reversed()
                    .thenComparing(one -> Addresses.text(one.remote()))
                    .thenComparing(ObservedConnection::port)
                    .thenComparing(ObservedConnection::outgoing)
                    .thenComparing(ObservedConnection::protocol))
            .limit(Observation.MAX_CONNECTIONS)
            .toList(),
        incomplete || overflown || kinds.size() > Observation.MAX_CONNECTIONS);
  }
}
