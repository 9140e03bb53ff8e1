package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Connection;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Peer;
import coral.testing.Requirements;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A topology as people, graphviz and mermaid are shown it. */
class TopologyRenderingTest {
  private static final Instant NOW = Instant.parse("2030-01-02T03:04:05Z");

  private static Timestamp secondsAgo(long seconds) {
    return Timestamp.newBuilder().setSeconds(NOW.getEpochSecond() - seconds).build();
  }

  private static Agent agent(String id, int host, String status) {
    return Agent.newBuilder()
        .setAgentId(id)
        .setMeshIpv4("10.42.0." + host)
        .setMeshIpv6("fd42::" + host)
        .setStatus(status)
        .setConnected(status.equals("healthy"))
        .build();
  }

  private static final GetTopologyResponse TOPOLOGY =
      GetTopologyResponse.newBuilder()
          .setColonyId("shop-test-a1b2c3")
          .addAgents(agent("db-1", 3, "healthy"))
          .addAgents(agent("revoked-1", 4, "revoked"))
          .addAgents(agent("web-1", 2, "healthy"))
          .addPeers(
              Peer.newBuilder()
                  .setAgentId("db-1")
                  .setWireguardPubkey("dbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbd=")
                  .addAllowedIps("10.42.0.3/32")
                  .addAllowedIps("fd42::3/128"))
          .addPeers(
              Peer.newBuilder()
                  .setAgentId("web-1")
                  .setWireguardPubkey("webwebwebwebwebwebwebwebwebwebwebwebwebwebw=")
                  .setEndpoint("192.0.2.7:51820")
                  .setLastHandshake(secondsAgo(72))
                  .setReceivedBytes(2048)
                  .setSentBytes(1_258_291)
                  .setRoundTrip(Duration.newBuilder().setNanos(420_000))
                  .addAllowedIps("10.42.0.2/32")
                  .addAllowedIps("fd42::2/128"))
          .addConnections(
              Connection.newBuilder()
                  .setSourceId("web-1")
                  .setTargetId("shop-test-a1b2c3")
                  .setConnectionType("wireguard")
                  .setEvidence("handshake")
                  .setPath("direct")
                  .setCount(1)
                  .setLastSeen(secondsAgo(72)))
          .addConnections(
              Connection.newBuilder()
                  .setSourceId("web-1")
                  .setTargetId("db-1")
                  .setConnectionType("database")
                  .setEvidence("conntrack")
                  .setPath("hub")
                  .setProtocol("tcp")
                  .setTargetPort(5432)
                  .setCount(3)
                  .setSentBytes(1024)
                  .setReceivedBytes(0)
                  .setLastSeen(secondsAgo(5)))
          .addConnections(
              Connection.newBuilder()
                  .setSourceId("web-1")
                  .setTargetId("shop-test-a1b2c3")
                  .setConnectionType("grpc")
                  .setEvidence("tcp-table")
                  .setPath("direct")
                  .setProtocol("tcp")
                  .setTargetPort(9000)
                  .setCount(1)
                  .setLastSeen(secondsAgo(5)))
          .build();

  private static String tree(Screen screen) {
    return new TopologyTree(TOPOLOGY, NOW).on(screen);
  }

  @Test
  void theTreeHasTheColonyItsAgentsAndWhatTheyHaveOpened() {
    assertEquals(
        """
        shop-test-a1b2c3
        ├─ db-1       10.42.0.3  healthy  no handshake yet
        ├─ revoked-1  10.42.0.4  revoked  no tunnel
        └─ web-1      10.42.0.2  healthy  handshake 1 min ago  0.42 ms  ↑ 2.0 KiB ↓ 1.2 MiB
           ├─ database → db-1:5432/tcp  3 open, ↑ 1.0 KiB ↓ 0 B, seen 5 s ago in connection tracking, by way of the hub
           └─ grpc → shop-test-a1b2c3:9000/tcp  1 open, seen 5 s ago in the table of sockets
        """,
        tree(Screen.PLAIN));
  }

  @Test
  void aNarrowTerminalLosesTheEndsOfLinesAndNoLineIsLongerThanItIs() {
    for (int width = 20; width < 130; width++) {
      String drawn = tree(Screen.of(width, false));
      assertEquals(6, drawn.lines().count());
      int limit = width;
      assertTrue(drawn.lines().allMatch(line -> line.length() <= limit), drawn);
    }
    assertTrue(tree(Screen.of(200, true)).contains("\u001b[32mhealthy\u001b[0m"));
  }

  @Test
  void aColonyWithoutAgentsSaysHowToGetOne() {
    GetTopologyResponse empty = GetTopologyResponse.newBuilder().setColonyId("shop").build();
    assertTrue(new TopologyTree(empty, NOW).on(Screen.PLAIN).contains("coral invite"));
  }

  @Test
  void jsonHasEveryFieldAndNullForWhatIsNotKnown() throws Exception {
    JsonNode json = new ObjectMapper().readTree(TopologyCommand.json(TOPOLOGY));
    assertEquals("shop-test-a1b2c3", json.get("colonyId").asText());
    assertEquals("10.42.0.3", json.at("/agents/0/meshIpv4").asText());
    assertTrue(json.at("/peers/0/endpoint").isNull());
    assertTrue(json.at("/peers/0/roundTripMilliseconds").isNull());
    assertEquals(0.42, json.at("/peers/1/roundTripMilliseconds").asDouble());
    assertEquals("fd42::2/128", json.at("/peers/1/allowedIps/1").asText());
    assertTrue(json.at("/connections/0/targetPort").isNull());
    assertEquals(5432, json.at("/connections/1/targetPort").asInt());
    assertEquals("2030-01-02T03:04:00Z", json.at("/connections/1/lastSeen").asText());
  }

  @Test
  void dotIsTheLanguageOfGraphviz() {
    assertEquals(
        """
        digraph "shop-test-a1b2c3" {
          rankdir=LR;
          node [shape=box, style=rounded];
          "shop-test-a1b2c3" [shape=doubleoctagon, style=solid];
          "db-1" [label="db-1\\n10.42.0.3"];
          "revoked-1" [label="revoked-1\\n10.42.0.4", color=gray, fontcolor=gray];
          "web-1" [label="web-1\\n10.42.0.2"];
          "web-1" -> "shop-test-a1b2c3" [label="wireguard 0.42 ms", style=dashed, dir=none];
          "web-1" -> "db-1" [label="database 5432/tcp ×3"];
          "web-1" -> "shop-test-a1b2c3" [label="grpc 9000/tcp"];
        }
        """,
        TopologyGraph.dot(TOPOLOGY));
  }

  /** Ids are of few characters; a colony that sends others must not break what draws them. */
  private static final GetTopologyResponse HOSTILE =
      GetTopologyResponse.newBuilder()
          .setColonyId("a\"b\\c\nd")
          .addAgents(agent("end\"]; evil -> {", 2, "<b>\u001b"))
          .addConnections(
              Connection.newBuilder()
                  .setSourceId("end\"]; evil -> {")
                  .setTargetId("a\"b\\c\nd")
                  .setConnectionType("x\"#<y>\\")
                  .setProtocol("tcp")
                  .setTargetPort(1))
          .build();

  @Test
  void graphvizReadsWhatIsWritten() throws Exception {
    Requirements.GRAPHVIZ.check(isInstalled("dot"), "graphviz is not installed");
    for (GetTopologyResponse topology : new GetTopologyResponse[] {TOPOLOGY, HOSTILE}) {
      Process dot = new ProcessBuilder("dot", "-Tplain").redirectErrorStream(true).start();
      try (OutputStream in = dot.getOutputStream()) {
        in.write(TopologyGraph.dot(topology).getBytes(StandardCharsets.UTF_8));
      }
      String drawn = new String(dot.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(dot.waitFor(20, TimeUnit.SECONDS));
      assertEquals(0, dot.exitValue(), drawn);
      assertEquals(
          topology.getAgentsCount() + 1,
          drawn.lines().filter(line -> line.startsWith("node ")).count(),
          drawn);
      assertEquals(
          topology.getConnectionsCount(),
          drawn.lines().filter(line -> line.startsWith("edge ")).count(),
          drawn);
    }
  }

  private static boolean isInstalled(String program) throws InterruptedException {
    try {
      return new ProcessBuilder(program, "-V").start().waitFor(10, TimeUnit.SECONDS);
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void mermaidHasNamesOfItsOwnAndNothingOfOursInItsSyntax() {
    assertEquals(
        """
        graph LR
          colony(["shop-test-a1b2c3"])
          agent1["db-1<br/>10.42.0.3"]
          agent2["revoked-1<br/>10.42.0.4"]
          agent3["web-1<br/>10.42.0.2"]
          agent3 -. "wireguard 0.42 ms" .- colony
          agent3 -- "database 5432/tcp ×3" --> agent1
          agent3 -- "grpc 9000/tcp" --> colony
        """,
        TopologyGraph.mermaid(TOPOLOGY));
    String hostile = TopologyGraph.mermaid(HOSTILE);
    assertTrue(hostile.contains("[\"end#quot;]; evil -#gt; {<br/>10.42.0.2\"]"), hostile);
    assertTrue(hostile.contains("\"x#quot;#35;#lt;y#gt;\\ 1/tcp\""), hostile);
  }

  @Test
  void theHubIsShownAsWgShowsItsPeers() {
    GetStatusResponse status =
        GetStatusResponse.newBuilder()
            .setWireguardPubkey("hubhubhubhubhubhubhubhubhubhubhubhubhubhubh=")
            .setMeshIpv4("10.42.0.1")
            .setMeshIpv6("fd42::1")
            .build();
    assertEquals(
        """
        interface: hub of shop-test-a1b2c3
          public key: hubhubhubhubhubhubhubhubhubhubhubhubhubhubh=
          addresses: 10.42.0.1, fd42::1

        peer: webwebwebwebwebwebwebwebwebwebwebwebwebwebw=
          agent: web-1
          endpoint: 192.0.2.7:51820
          allowed ips: 10.42.0.2/32, fd42::2/128
          latest handshake: 1 minute, 12 seconds ago
          transfer: 2.00 KiB received, 1.20 MiB sent

        peer: dbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbdbd=
          agent: db-1
          allowed ips: 10.42.0.3/32, fd42::3/128
        """,
        WgCommand.text(status, TOPOLOGY, NOW, Screen.PLAIN));
    assertEquals("Now", WgCommand.ago(java.time.Duration.ZERO));
    assertEquals(
        "2 days, 1 hour, 1 second ago", WgCommand.ago(java.time.Duration.ofSeconds(176_401)));
  }

  @Test
  void oneAgentIsShownWithItsTunnelAndItsConnections() throws Exception {
    String text = AgentShowCommand.text(TOPOLOGY.getAgents(2), TOPOLOGY, NOW, Screen.PLAIN);
    assertTrue(text.contains("endpoint       192.0.2.7:51820\n"), text);
    assertTrue(text.contains("web-1  db-1              5432/tcp  database  3     conntrack"), text);
    JsonNode json =
        new ObjectMapper().readTree(AgentShowCommand.json(TOPOLOGY.getAgents(0), TOPOLOGY));
    assertEquals("db-1", json.get("agentId").asText());
    assertEquals(1, json.get("connections").size());
    assertEquals("db-1", json.at("/peer/agentId").asText());
    assertFalse(
        AgentShowCommand.text(TOPOLOGY.getAgents(1), TOPOLOGY, NOW, Screen.PLAIN).contains("FROM"));
  }
}
