package coral.colony;

import coral.api.mesh.v1.ObservedConnection;
import coral.api.mesh.v1.ObservedConnections;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.session.ConnectionReport;
import coral.session.Evidence;
import coral.session.ReportedConnection;
import coral.session.Transport;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads what an agent says that its host is connected to, and keeps what can be true. */
final class ReportedConnections {
  /** More than a host has ports for to one port of another, over both families. */
  private static final long MAX_COUNT = 1_000_000;

  private final MeshSubnet subnet;

  ReportedConnections(MeshSubnet subnet) {
    this.subnet = subnet;
  }

  /**
   * What an agent has observed, without what is not within the mesh or makes no sense. Evidence of
   * a kind that this colony does not know is no evidence.
   */
  Optional<ConnectionReport> read(ObservedConnections observed) {
    for (Evidence evidence : Evidence.values()) {
      if (evidence.wireName().equals(observed.getEvidence())) {
        return Optional.of(new ConnectionReport(evidence, connections(observed)));
      }
    }
    return Optional.empty();
  }

  private record Kind(int hostNumber, Transport transport, int port, boolean outgoing) {}

  /** Those of both address families are one. */
  private List<ReportedConnection> connections(ObservedConnections observed) {
    Map<Kind, ReportedConnection> connections = new LinkedHashMap<>();
    observed.getConnectionsList().stream()
        .limit(ConnectionReport.MAX_CONNECTIONS)
        .map(this::connection)
        .flatMap(Optional::stream)
        .forEach(
            told ->
                connections.merge(
                    new Kind(told.hostNumber(), told.transport(), told.port(), told.outgoing()),
                    told,
                    ReportedConnections::sum));
    return List.copyOf(connections.values());
  }

  private Optional<ReportedConnection> connection(ObservedConnection told) {
    OptionalInt hostNumber = hostNumber(told.getRemoteAddress());
    Optional<Transport> transport = transport(told.getProtocol());
    // Unsigned fields: more than fits is negative here.
    boolean believable =
        told.getPort() >= 1
            && told.getPort() <= 65_535
            && told.getCount() >= 1
            && told.getCount() <= MAX_COUNT;
    if (hostNumber.isEmpty() || transport.isEmpty() || !believable) {
      return Optional.empty();
    }
    return Optional.of(
        new ReportedConnection(
            hostNumber.getAsInt(),
            transport.get(),
            told.getPort(),
            told.getOutgoing(),
            told.getCount(),
            told.getSentBytes(),
            told.getReceivedBytes()));
  }

  private static ReportedConnection sum(ReportedConnection one, ReportedConnection other) {
    return new ReportedConnection(
        one.hostNumber(),
        one.transport(),
        one.port(),
        one.outgoing(),
        Math.min(MAX_COUNT, one.count() + other.count()),
        one.sentBytes() + other.sentBytes(),
        one.receivedBytes() + other.receivedBytes());
  }

  private static Optional<Transport> transport(String name) {
    for (Transport transport : Transport.values()) {
      if (transport.wireName().equals(name)) {
        return Optional.of(transport);
      }
    }
    return Optional.empty();
  }

  /** Whose address it is; empty if it is none of the mesh. */
  private OptionalInt hostNumber(String literal) {
    try {
      InetAddress address = IpPrefix.parseAddress(literal);
      byte[] bytes = address.getAddress();
      int low = ByteBuffer.wrap(bytes).getInt(bytes.length - Integer.BYTES);
      int hostNumber = bytes.length == 4 ? low & -1 >>> subnet.ipv4().length() : low;
      if (hostNumber < MeshSubnet.COLONY_HOST_NUMBER || hostNumber > subnet.lastAgentHostNumber()) {
        return OptionalInt.empty();
      }
      MeshAddresses member = subnet.addresses(hostNumber);
      return address.equals(member.ipv4()) || address.equals(member.ipv6())
          ? OptionalInt.of(hostNumber)
          : OptionalInt.empty();
    } catch (IllegalArgumentException e) {
      return OptionalInt.empty();
    }
  }
}
