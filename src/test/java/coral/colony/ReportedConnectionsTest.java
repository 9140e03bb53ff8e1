package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;

import coral.api.mesh.v1.ObservedConnection;
import coral.api.mesh.v1.ObservedConnections;
import coral.model.MeshSubnet;
import coral.session.ConnectionReport;
import coral.session.Evidence;
import coral.session.ReportedConnection;
import coral.session.Transport;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an agent says of connections, of which nothing is believed without a look. */
class ReportedConnectionsTest {
  private static final ReportedConnections READER =
      new ReportedConnections(MeshSubnet.parse("10.42.0.0/16", "fd42::/64"));

  private static ObservedConnection.Builder good() {
    return ObservedConnection.newBuilder()
        .setRemoteAddress("10.42.0.3")
        .setPort(5432)
        .setOutgoing(true)
        .setProtocol("tcp")
        .setCount(2)
        .setSentBytes(10)
        .setReceivedBytes(20);
  }

  private static List<ReportedConnection> read(ObservedConnection... told) {
    return READER
        .read(
            ObservedConnections.newBuilder()
                .setEvidence("conntrack")
                .addAllConnections(List.of(told))
                .build())
        .orElseThrow()
        .connections();
  }

  @Test
  void anAddressOfTheMeshIsTheMemberThatHoldsIt() {
    assertEquals(
        List.of(new ReportedConnection(3, Transport.TCP, 5432, true, 2, 10, 20)),
        read(good().build()));
    assertEquals(0x1fe, read(good().setRemoteAddress("10.42.1.254").build()).get(0).hostNumber());
  }

  @Test
  void bothFamiliesOfOneMemberAreOne() {
    assertEquals(
        List.of(new ReportedConnection(3, Transport.TCP, 5432, true, 4, 20, 40)),
        read(good().build(), good().setRemoteAddress("fd42::3").build()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "localhost",
        "127.0.0.1",
        "8.8.8.8",
        "10.43.0.3",
        "10.42.0.0",
        "10.42.255.255",
        "fd42::",
        "fd42::1:0:0:3",
        "fd42:0:0:1::3",
        "fd42::ffff:3",
        "::ffff:8.8.8.8",
        "10.42.0.3 ",
        "10.42.0.3/32"
      })
  void whatIsNoAddressOfTheMeshIsLeftOut(String address) {
    assertEquals(List.of(), read(good().setRemoteAddress(address).build()));
  }

  @Test
  void whatMakesNoSenseIsLeftOutAndTheRestStays() {
    assertEquals(
        1,
        read(
                good().setPort(0).build(),
                good().setPort(65_536).build(),
                good().setPort(-1).build(),
                good().setCount(0).build(),
                good().setCount(-1).build(),
                good().setProtocol("").build(),
                good().setProtocol("TCP").build(),
                good().build())
            .size());
  }

  @Test
  void noMoreThan256AreRead() {
    ObservedConnections.Builder many = ObservedConnections.newBuilder().setEvidence("tcp-table");
    for (int port = 1; port <= 300; port++) {
      many.addConnections(good().setPort(port));
    }
    ConnectionReport report = READER.read(many.build()).orElseThrow();
    assertEquals(Evidence.TCP_TABLE, report.evidence());
    assertEquals(256, report.connections().size());
  }

  @Test
  void evidenceOfAnUnknownKindIsNone() {
    for (String evidence : List.of("", "handshake", "Conntrack", "hearsay")) {
      assertEquals(
          Optional.empty(),
          READER.read(
              ObservedConnections.newBuilder()
                  .setEvidence(evidence)
                  .addAllConnections(Collections.nCopies(3, good().build()))
                  .build()));
    }
  }
}
