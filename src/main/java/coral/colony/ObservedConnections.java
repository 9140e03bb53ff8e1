package coral.colony;

import coral.api.colony.v1.Connection;
import coral.model.MeshSubnet;
import coral.session.ConnectionReport;
import coral.session.Evidence;
import coral.session.ReportedConnection;
import coral.session.Transport;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What agents have observed, put together: both ends of a connection may have told of it, and it is
 * one. An agent has told of its own host alone, because the other end is all that a report names;
 * so nobody can make up a connection between two others. Members are host numbers.
 */
final class ObservedConnections {
  private record Ends(int source, int target, Transport transport, int port) {}

  /** What one end has told, with bytes as the source sees them. */
  private record Told(Evidence evidence, long count, long sent, long received, Instant at) {
    boolean counts() {
      return sent != 0 || received != 0;
    }

    /** Either end may have looked a little later, and may have counted or not. */
    Told and(Told other) {
      Told counted = counts() ? this : other;
      return new Told(
          evidence.compareTo(other.evidence) >= 0 ? evidence : other.evidence,
          Math.max(count, other.count),
          counted.sent,
          counted.received,
          at.isAfter(other.at) ? at : other.at);
    }
  }

  private final int colonyPort;
  private final Map<Ends, Told> bySource = new LinkedHashMap<>();
  private final Map<Ends, Told> byTarget = new LinkedHashMap<>();

  /**
   * @param colonyPort where the colony itself is called
   */
  ObservedConnections(int colonyPort) {
    this.colonyPort = colonyPort;
  }

  /** Adds what a member has told. */
  void add(int reporter, ConnectionReport report, Instant at) {
    for (ReportedConnection told : report.connections()) {
      if (told.hostNumber() == reporter) {
        continue; // with itself: nothing of it was in the mesh
      }
      boolean out = told.outgoing();
      Ends ends =
          new Ends(
              out ? reporter : told.hostNumber(),
              out ? told.hostNumber() : reporter,
              told.transport(),
              told.port());
      (out ? bySource : byTarget)
          .put(
              ends,
              new Told(
                  report.evidence(),
                  told.count(),
                  out ? told.sentBytes() : told.receivedBytes(),
                  out ? told.receivedBytes() : told.sentBytes(),
                  at));
    }
  }

  /**
   * All of them, without those of which an end is no member.
   *
   * @param names of the members, the colony among them, by host number
   */
  List<Connection> between(Map<Integer, String> names) {
    Map<Ends, Told> all = new LinkedHashMap<>(bySource);
    byTarget.forEach((ends, told) -> all.merge(ends, told, (source, target) -> source.and(target)));
    List<Connection> connections = new ArrayList<>(all.size());
    all.forEach(
        (ends, told) -> {
          @Nullable String source = names.get(ends.source());
          @Nullable String target = names.get(ends.target());
          if (source != null && target != null) {
            connections.add(connection(source, target, ends, told));
          }
        });
    return connections;
  }

  private Connection connection(String source, String target, Ends ends, Told told) {
    boolean callsColony =
        ends.target() == MeshSubnet.COLONY_HOST_NUMBER
            && ends.transport() == Transport.TCP
            && ends.port() == colonyPort;
    return Connection.newBuilder()
        .setSourceId(source)
        .setTargetId(target)
        .setConnectionType(
            callsColony ? ConnectionType.GRPC : ConnectionType.of(ends.transport(), ends.port()))
        .setEvidence(told.evidence().wireName())
        .setPath(path(ends))
        .setProtocol(ends.transport().wireName())
        .setTargetPort(ends.port())
        .setCount((int) told.count())
        .setLastSeen(Protobuf.timestamp(told.at()))
        .setSentBytes(told.sent())
        .setReceivedBytes(told.received())
        .build();
  }

  /** Agents are no peers of each other: what is between two of them passes through the colony. */
  private static String path(Ends ends) {
    boolean endsAtHub =
        ends.target() == MeshSubnet.COLONY_HOST_NUMBER
            || ends.source() == MeshSubnet.COLONY_HOST_NUMBER;
    return endsAtHub ? "direct" : "hub";
  }
}
