package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;

import coral.api.colony.v1.Connection;
import coral.session.ConnectionReport;
import coral.session.Evidence;
import coral.session.ReportedConnection;
import coral.session.Transport;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ObservedConnectionsTest {
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
  private static final Map<Integer, String> NAMES =
      Map.of(1, "shop-test-a1b2c3", 2, "web-1", 3, "db-1");

  private final ObservedConnections observed = new ObservedConnections(9000);

  private void tell(int reporter, Evidence evidence, Instant at, ReportedConnection... told) {
    observed.add(reporter, new ConnectionReport(evidence, List.of(told)), at);
  }

  private static ReportedConnection outgoing(int to, int port, long count) {
    return new ReportedConnection(to, Transport.TCP, port, true, count, 0, 0);
  }

  private static ReportedConnection incoming(
      int from, int port, long count, long sent, long received) {
    return new ReportedConnection(from, Transport.TCP, port, false, count, sent, received);
  }

  @Test
  void whatBothEndsTellIsOneWithTheBetterEvidenceAndTheBytesOfTheSource() {
    tell(2, Evidence.TCP_TABLE, T0.plusSeconds(5), outgoing(3, 5432, 2));
    tell(3, Evidence.CONNTRACK, T0, incoming(2, 5432, 3, 700, 90));
    assertEquals(
        List.of(
            Connection.newBuilder()
                .setSourceId("web-1")
                .setTargetId("db-1")
                .setConnectionType("database")
                .setEvidence("conntrack")
                .setPath("hub")
                .setProtocol("tcp")
                .setTargetPort(5432)
                .setCount(3)
                .setLastSeen(Protobuf.timestamp(T0.plusSeconds(5)))
                .setSentBytes(90)
                .setReceivedBytes(700)
                .build()),
        observed.between(NAMES));
  }

  @Test
  void oneEndIsEnough() {
    tell(3, Evidence.TCP_TABLE, T0, incoming(2, 12345, 1, 0, 0));
    Connection only = observed.between(NAMES).get(0);
    assertEquals("web-1", only.getSourceId());
    assertEquals("db-1", only.getTargetId());
    assertEquals("tcp", only.getConnectionType());
    assertEquals("tcp-table", only.getEvidence());
  }

  @Test
  void portsAndDirectionsAreDifferentConnections() {
    tell(2, Evidence.TCP_TABLE, T0, outgoing(3, 80, 1), outgoing(3, 443, 1));
    tell(3, Evidence.TCP_TABLE, T0, outgoing(2, 80, 1));
    assertEquals(3, observed.between(NAMES).size());
  }

  @Test
  void anEndThatIsNoMemberOrTheAgentItselfIsLeftOut() {
    tell(2, Evidence.CONNTRACK, T0, outgoing(77, 80, 1), outgoing(2, 80, 1));
    tell(78, Evidence.CONNTRACK, T0, outgoing(3, 80, 1));
    assertEquals(List.of(), observed.between(NAMES));
  }

  @Test
  void whatAnAgentHasWithTheColonyIsDirectAndItsOwnPortSpeaksGrpc() {
    tell(2, Evidence.TCP_TABLE, T0, outgoing(1, 9000, 1));
    Connection only = observed.between(NAMES).get(0);
    assertEquals("shop-test-a1b2c3", only.getTargetId());
    assertEquals("direct", only.getPath());
    assertEquals("grpc", only.getConnectionType());
  }

  @Test
  void aPortThatTellsNothingIsCalledByItsProtocol() {
    assertEquals("http", ConnectionType.of(Transport.TCP, 8080));
    assertEquals("grpc", ConnectionType.of(Transport.TCP, 50051));
    assertEquals("tcp", ConnectionType.of(Transport.TCP, 9000));
    assertEquals("dns", ConnectionType.of(Transport.UDP, 53));
    assertEquals("udp", ConnectionType.of(Transport.UDP, 5432));
  }
}
