package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.api.colony.v1.Connection;
import coral.certificate.KeyType;
import coral.e2e.Agent.Membership;
import coral.e2e.NamespaceMesh.Payment;
import coral.testing.Eventually;
import coral.testing.NetworkTopology;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What operators see of a mesh that is there: a colony and two agents in processes and network
 * namespaces of their own, with connections between them that are real.
 */
@Timeout(240)
class LiveMeshTest {
  private static final int DATABASE = 5432;
  private static final int HTTP = 8080;

  /** After which a watch hears of a colony that has nothing to tell. */
  private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(10);

  @TempDir Path home;

  private NamespaceMesh mesh;

  @BeforeEach
  @Timeout(120)
  void build() throws Exception {
    NetworkTopology.assumePossible();
    mesh = NamespaceMesh.create(home, 2, KeyType.P_256);
    mesh.startDiscovery();
    mesh.startColony();
  }

  @AfterEach
  void endEverything() {
    if (mesh != null) {
      mesh.close();
    }
  }

  /** What agents have observed, without the tunnels. */
  private List<Connection> observed() throws Exception {
    return mesh.asAdministrator(Administrator::topology).getConnectionsList().stream()
        .filter(connection -> connection.getTargetPort() != 0)
        .toList();
  }

  private JsonNode json(int expected, String... arguments) throws Exception {
    ChildProcess command = mesh.coral(arguments);
    assertEquals(expected, command.awaitExit(), command::log);
    return new ObjectMapper().readTree(command.out());
  }

  @Test
  void connectionsBetweenAgentsAreShownWithTheirPortsForAsLongAsTheyAreOpen() throws Exception {
    Agent web = mesh.startAgent("web-1", 0, Payment.INVITATION);
    Agent db = mesh.startAgent("db-1", 1, Payment.INVITATION);
    web.awaitJoined(0);
    Membership database = db.awaitJoined(0);
    mesh.awaitEcho(web, database.ipv4());
    assertEquals(List.of(), observed());
    try (ServerSocket sql = listen(db, database.ipv4(), DATABASE);
        ServerSocket http = listen(db, database.ipv6(), HTTP);
        Socket first = connect(web, database.ipv4(), DATABASE);
        Socket second = connect(web, database.ipv4(), DATABASE);
        Socket third = connect(web, database.ipv6(), HTTP);
        // Not through the mesh, and nobody's business.
        ServerSocket outside = listen(db, mesh.topology().ipv4(db.host()), HTTP);
        Socket direct = connect(web, mesh.topology().ipv4(db.host()), HTTP)) {
      Eventually.holds(
          () ->
              assertEquals(
                  Map.of("database", 2, "http", 1),
                  observed().stream()
                      .collect(
                          Collectors.toMap(Connection::getConnectionType, Connection::getCount))));
      for (Connection connection : observed()) {
        assertEquals("web-1", connection.getSourceId());
        assertEquals("db-1", connection.getTargetId());
        assertEquals("hub", connection.getPath());
        assertEquals("tcp", connection.getProtocol());
        assertTrue(
            Set.of("tcp-table", "conntrack").contains(connection.getEvidence()),
            connection.getEvidence());
        assertEquals(
            connection.getConnectionType().equals("http") ? HTTP : DATABASE,
            connection.getTargetPort());
      }
      ChildProcess tree = mesh.coral("topology");
      assertEquals(0, tree.awaitExit(), tree::log);
      assertTrue(tree.out().contains("database → db-1:5432/tcp  2 open"), tree.out());
      for (Socket socket : List.of(first, second, third, direct)) {
        assertFalse(socket.isClosed());
      }
      for (ServerSocket socket : List.of(sql, http, outside)) {
        assertFalse(socket.isClosed());
      }
    }
    Eventually.holds(() -> assertEquals(List.of(), observed()));
  }

  @Test
  void whoPingsAndWatchesSeesAnAgentComeAndGo() throws Exception {
    mesh.startAgent("web-1", 0, Payment.INVITATION).awaitJoined(0);
    ChildProcess watch = mesh.coral("watch");
    watch.await(0, line -> line.endsWith("web-1  healthy, connected, 10.42.0.2"), "web-1");
    Agent db = mesh.startAgent("db-1", 1, Payment.INVITATION);
    db.awaitJoined(0);
    watch.await(0, line -> line.contains("db-1  joined: "), "db-1 to join");

    JsonNode answered = json(0, "ping", "db-1", "-c", "5", "-i", "0.1", "-o", "json");
    assertEquals(2, answered.get("targets").size(), answered::toString);
    for (JsonNode target : answered.get("targets")) {
      assertEquals(5, target.get("sent").asInt(), answered::toString);
      assertEquals(0, target.get("lossPercent").asInt(), answered::toString);
      assertTrue(target.get("p99Milliseconds").asDouble() > 0, answered::toString);
    }

    int mark = watch.mark();
    db.process().kill();
    db.process().awaitExit();
    watch.await(mark, line -> line.contains("db-1  disconnected"), "db-1 to be gone");
    JsonNode lost = json(1, "ping", "db-1", "-c", "2", "-i", "0.1", "-o", "json");
    for (JsonNode target : lost.get("targets")) {
      assertEquals(100, target.get("lossPercent").asInt(), lost::toString);
      assertTrue(target.get("p50Milliseconds").isNull(), lost::toString);
    }
    mesh.startAgentAgain("db-1", 1).awaitJoined(0);
    watch.await(mark, line -> line.contains("db-1  connected"), "db-1 to be back");
    JsonNode all = json(0, "ping", "--all", "-c", "1", "-o", "json");
    assertEquals(4, all.get("targets").size(), all::toString);

    long interruptedAt = System.nanoTime();
    watch.interrupt();
    assertEquals(0, watch.awaitExit(), watch::log);
    Duration took = Duration.ofNanos(System.nanoTime() - interruptedAt);
    assertTrue(took.compareTo(SIGN_OF_LIFE) < 0, () -> "it waited " + took + " for the colony");
    ChildProcess shown = mesh.coral("wg", "show");
    assertEquals(0, shown.awaitExit(), shown::log);
    assertTrue(shown.out().contains("  allowed ips: 10.42.0.3/32, fd42::3/128"), shown.out());
  }

  private ServerSocket listen(Agent agent, InetAddress address, int port) throws Exception {
    return mesh.topology().on(agent.host(), () -> new ServerSocket(port, 8, address));
  }

  private Socket connect(Agent agent, InetAddress address, int port) throws Exception {
    return mesh.topology()
        .on(
            agent.host(),
            () -> {
              Socket socket = new Socket();
              socket.connect(new InetSocketAddress(address, port), 20_000);
              return socket;
            });
  }
}
