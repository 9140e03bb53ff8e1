package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.Connection;
import coral.api.colony.v1.GetTopologyRequest;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Peer;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.ObservedConnection;
import coral.api.mesh.v1.ObservedConnections;
import coral.api.mesh.v1.Probe;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.colony.TestColony.Member;
import coral.testing.Eventually;
import coral.wireguard.KeyPair;
import coral.wireguard.WireGuardDevice;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a colony shows of tunnels that are there and of what agents tell it. */
@Timeout(120)
class TopologyTest {
  private static final ActorSystem<Void> client =
      ActorSystem.create(Behaviors.empty(), "client", ConfigFactory.load());

  @TempDir Path directory;

  @AfterAll
  static void stop() {
    client.terminate();
  }

  private static GetTopologyResponse topology(TestColony colony) throws Exception {
    return colony.call(
        Optional.of(colony.administrator()),
        TestColony.COLONY + "GetTopology",
        GetTopologyRequest.getDefaultInstance(),
        GetTopologyResponse.parser());
  }

  /** Without the tunnels. */
  private static List<Connection> observed(TestColony colony) throws Exception {
    return topology(colony).getConnectionsList().stream()
        .filter(connection -> !connection.getConnectionType().equals("wireguard"))
        .toList();
  }

  private static ObservedConnection.Builder seen(String remote, boolean outgoing) {
    return ObservedConnection.newBuilder()
        .setRemoteAddress(remote)
        .setPort(5432)
        .setOutgoing(outgoing)
        .setProtocol("tcp")
        .setCount(2);
  }

  private static void tell(AgentStream stream, ObservedConnection.Builder... seen) {
    ObservedConnections.Builder all = ObservedConnections.newBuilder().setEvidence("tcp-table");
    List.of(seen).forEach(all::addConnections);
    stream.up().offer(AgentMessage.newBuilder().setObservedConnections(all).build());
  }

  @Test
  void aTunnelIsShownAsTheHubHasIt() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      KeyPair keys = KeyPair.generate();
      RegisterAgentResponse web = colony.register(colony.bootstrap("web-1"), keys.publicKey(), "r");
      colony.register(colony.bootstrap("db-1"), KeyPair.generate().publicKey(), "r");
      try (WireGuardDevice device = Tunnels.open(keys, web)) {
        Tunnels.connect(device, colony);
        assertTrue(Tunnels.ping(device, "10.42.0.1"));
        GetTopologyResponse topology = topology(colony);
        assertEquals(
            List.of("db-1", "web-1"),
            topology.getPeersList().stream().map(Peer::getAgentId).toList());
        Peer silent = topology.getPeers(0);
        assertEquals("", silent.getEndpoint());
        assertFalse(silent.hasLastHandshake());
        assertFalse(silent.hasRoundTrip());
        assertEquals(List.of("10.42.0.3/32", "fd42::3/128"), silent.getAllowedIpsList());
        Peer peer = topology.getPeers(1);
        assertEquals(keys.publicKey().toString(), peer.getWireguardPubkey());
        assertEquals("127.0.0.1:" + device.listenPort(), peer.getEndpoint());
        assertTrue(peer.hasLastHandshake());
        assertTrue(peer.getReceivedBytes() > 0);
        assertTrue(peer.getSentBytes() > 0);

        assertEquals(1, topology.getConnectionsCount(), "there was one handshake");
        Connection tunnel = topology.getConnections(0);
        assertEquals("web-1", tunnel.getSourceId());
        assertEquals(topology.getColonyId(), tunnel.getTargetId());
        assertEquals("wireguard", tunnel.getConnectionType());
        assertEquals("handshake", tunnel.getEvidence());
        assertEquals("direct", tunnel.getPath());
        assertEquals(peer.getLastHandshake(), tunnel.getLastSeen());
        assertEquals(peer.getReceivedBytes(), tunnel.getSentBytes());
      }
    }
  }

  @Test
  void whatBothEndsHaveObservedIsOneAndEndsWithTheirSessions() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      Member db = colony.bootstrap("db-1");
      colony.register(web, KeyPair.generate().publicKey(), "r"); // 10.42.0.2
      colony.register(db, KeyPair.generate().publicKey(), "r"); // 10.42.0.3
      AgentStream source = AgentStream.open(colony, Optional.of(web.certificate()), client);
      AgentStream target = AgentStream.open(colony, Optional.of(db.certificate()), client);
      source.opened();
      target.opened();

      tell(source, seen("10.42.0.3", true), seen("10.42.0.99", true), seen("8.8.8.8", true));
      tell(target, seen("fd42::2", false));
      source.heartbeat(
          Heartbeat.newBuilder()
              .setSequence(1)
              .addProbes(
                  Probe.newBuilder()
                      .setTarget("10.42.0.1")
                      .setAnswered(true)
                      .setRoundTrip(Protobuf.duration(Duration.ofNanos(300_000)))));
      target.heartbeat(Heartbeat.newBuilder().setSequence(1));
      List<Connection> shown = observed(colony);
      assertEquals(1, shown.size(), shown.toString());
      assertEquals("web-1", shown.get(0).getSourceId());
      assertEquals("db-1", shown.get(0).getTargetId());
      assertEquals("database", shown.get(0).getConnectionType());
      assertEquals("tcp-table", shown.get(0).getEvidence());
      assertEquals("hub", shown.get(0).getPath());
      assertEquals(5432, shown.get(0).getTargetPort());
      assertEquals(2, shown.get(0).getCount());
      assertEquals(
          Duration.ofNanos(300_000),
          Protobuf.duration(topology(colony).getPeers(1).getRoundTrip()));

      source.up().complete();
      tell(target);
      target.heartbeat(Heartbeat.newBuilder().setSequence(2));
      Eventually.holds(() -> assertEquals(List.of(), observed(colony)));
    }
  }

  @Test
  void anAgentCannotSpeakOfOthersAndAMemberThatIsGoneIsShownNoMore() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      Member db = colony.bootstrap("db-1");
      colony.register(web, KeyPair.generate().publicKey(), "r");
      colony.register(db, KeyPair.generate().publicKey(), "r");
      AgentStream stream = AgentStream.open(colony, Optional.of(web.certificate()), client);
      stream.opened();
      // Whatever it says, one end is itself; its own address at the other end makes no sense.
      tell(stream, seen("10.42.0.3", true), seen("10.42.0.2", true));
      stream.heartbeat(Heartbeat.newBuilder().setSequence(1));
      assertEquals(
          List.of("web-1"), observed(colony).stream().map(Connection::getSourceId).toList());
      colony.deregister(colony.administrator(), "db-1");
      assertEquals(List.of(), observed(colony));
    }
  }
}
