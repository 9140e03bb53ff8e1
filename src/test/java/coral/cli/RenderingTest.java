package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.AuthenticationFallback;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.ListAllocationsResponse;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What queries print: aligned for people, stable for programs. */
class RenderingTest {
  private static final Instant NOW = Instant.parse("2030-01-02T03:04:05Z");

  private static Timestamp secondsAgo(long seconds) {
    return Timestamp.newBuilder().setSeconds(NOW.getEpochSecond() - seconds).build();
  }

  private static final Agent HEALTHY =
      Agent.newBuilder()
          .setAgentId("web-1")
          .setComponentName("shop")
          .setStatus("healthy")
          .setConnected(true)
          .setMeshIpv4("10.42.0.2")
          .setMeshIpv6("fd42::2")
          .setLastSeen(secondsAgo(12))
          .setLastHandshake(secondsAgo(75))
          .setRoundTripIpv4(Duration.newBuilder().setNanos(420_000))
          .setRoundTripIpv6(Duration.newBuilder().setNanos(1_500_000))
          .setCertificateSerial("0a")
          .setAuthentication("colony-secret")
          .setCertificateExpiresAt(secondsAgo(-89 * 86_400))
          .setReceivedBytes(2048)
          .setSentBytes(7)
          .build();

  /** Never connected: only an id and addresses. */
  private static final Agent SILENT =
      Agent.newBuilder()
          .setAgentId("a")
          .setStatus("unhealthy")
          .setMeshIpv4("10.42.0.300")
          .setMeshIpv6("fd42::3")
          .build();

  @Test
  void agentsAreAlignedAndWhatIsUnknownIsADash() {
    assertEquals(
        """
        AGENT  STATUS     IPV4         PING     AUTH    EXPIRES  SEEN AGO
        web-1  healthy    10.42.0.2    0.42 ms  secret  in 89 d  12 s
        a      unhealthy  10.42.0.300  -        -       -        -
        """,
        AgentsCommand.table(List.of(HEALTHY, SILENT), false, NOW, Screen.PLAIN));
    assertEquals(
        """
        AGENT  STATUS     IPV4         IPV6     PING V4  PING V6  AUTH    EXPIRES  HANDSHAKE  SEEN AGO  RECEIVED  SENT
        web-1  healthy    10.42.0.2    fd42::2  0.42 ms  1.50 ms  secret  in 89 d  1 min ago  12 s      2.0 KiB   7 B
        a      unhealthy  10.42.0.300  fd42::3  -        -        -       -        -          -         0 B       0 B
        """,
        AgentsCommand.table(List.of(HEALTHY, SILENT), true, NOW, Screen.PLAIN));
  }

  @Test
  void ordinaryAgentsFitATerminal() {
    Agent ordinary =
        HEALTHY.toBuilder()
            .setAgentId("production-1")
            .setMeshIpv4("10.42.255.254")
            .setAuthentication("certificate")
            .setLastSeen(secondsAgo(59 * 60))
            .build();
    String table = AgentsCommand.table(List.of(ordinary, SILENT), false, NOW, Screen.PLAIN);
    table.lines().forEach(line -> assertTrue(line.length() <= 80, line));
  }

  @Test
  void aPingThatOnlyIpv6AnswersIsShown() {
    Agent agent = HEALTHY.toBuilder().clearRoundTripIpv4().build();
    String table = AgentsCommand.table(List.of(agent), false, NOW, Screen.PLAIN);
    assertTrue(table.contains(" 1.50 ms "), table);
  }

  @Test
  void agentsInJsonHaveEveryKeyAlways() {
    assertEquals(
        "{\"agents\":[{\"agentId\":\"web-1\",\"componentName\":\"shop\",\"status\":\"healthy\","
            + "\"connected\":true,\"meshIpv4\":\"10.42.0.2\",\"meshIpv6\":\"fd42::2\","
            + "\"lastSeen\":\"2030-01-02T03:03:53Z\",\"lastHandshake\":\"2030-01-02T03:02:50Z\","
            + "\"roundTripIpv4Milliseconds\":0.42,\"roundTripIpv6Milliseconds\":1.5,"
            + "\"authentication\":\"colony-secret\",\"certificateSerial\":\"0a\","
            + "\"certificateExpiresAt\":\"2030-04-01T03:04:05Z\",\"receivedBytes\":2048,\"sentBytes\":7},"
            + "{\"agentId\":\"a\",\"componentName\":\"\",\"status\":\"unhealthy\","
            + "\"connected\":false,\"meshIpv4\":\"10.42.0.300\",\"meshIpv6\":\"fd42::3\","
            + "\"lastSeen\":null,\"lastHandshake\":null,\"roundTripIpv4Milliseconds\":null,"
            + "\"roundTripIpv6Milliseconds\":null,\"authentication\":null,"
            + "\"certificateSerial\":null,\"certificateExpiresAt\":null,\"receivedBytes\":0,"
            + "\"sentBytes\":0}]}",
        AgentsCommand.json(List.of(HEALTHY, SILENT)));
  }

  @Test
  void withoutAgentsTheTableSaysHowToGetSome() {
    assertEquals(
        "No agents yet. An agent joins with the line that 'coral invite' prints.\n",
        AgentsCommand.table(List.of(), false, NOW, Screen.PLAIN));
    assertEquals("{\"agents\":[]}", AgentsCommand.json(List.of()));
  }

  @Test
  void allocationsTellHowFullThePoolIs() {
    ListAllocationsResponse all =
        ListAllocationsResponse.newBuilder()
            .setTotal(1)
            .setCapacity(65533)
            .addAllocations(
                Allocation.newBuilder()
                    .setAgentId("web-1")
                    .setIpAddress("10.42.0.2")
                    .setIpv6Address("fd42::2")
                    .setAllocatedAt(secondsAgo(3 * 86_400)))
            .build();
    assertEquals(
        """
        AGENT  IPV4       IPV6     ALLOCATED  LAST SEEN
        web-1  10.42.0.2  fd42::2  3 d ago    -
        1 of 65533 addresses allocated.
        """,
        AllocationsCommand.table(all, NOW, Screen.PLAIN));
    assertEquals(
        "{\"total\":1,\"capacity\":65533,\"allocations\":[{\"agentId\":\"web-1\","
            + "\"ipAddress\":\"10.42.0.2\",\"ipv6Address\":\"fd42::2\","
            + "\"allocatedAt\":\"2029-12-30T03:04:05Z\",\"lastSeen\":null,\"reserved\":false}]}",
        AllocationsCommand.json(all));
  }

  @Test
  void statusTellsItsProblems() {
    GetStatusResponse status =
        GetStatusResponse.newBuilder()
            .setColonyId("my-app-dev-111111")
            .setAppName("my-app")
            .setEnvironment("dev")
            .setStatus("degraded")
            .setUptimeSeconds(200)
            .addProblems("the disk is full")
            .setStorageBytes(1_572_864)
            .build();
    List<String> lines = StatusAnswer.text(status).lines().toList();
    assertEquals("colony         my-app-dev-111111", lines.get(0));
    assertEquals("application    my-app (dev)", lines.get(1));
    assertEquals("status         degraded", lines.get(2));
    assertEquals("problem        the disk is full", lines.get(3));
    assertEquals("up for         3 min 20 s", lines.get(4));
    assertEquals("since          -", lines.get(5));
    assertEquals("authentication -", lines.get(7));
    assertEquals("storage        1.5 MiB", lines.get(13));
  }

  @Test
  void statusTellsHowMembersProveWhoTheyAre() {
    GetStatusResponse status =
        GetStatusResponse.newBuilder()
            .putAgentsByAuthentication("token", 1)
            .putAgentsByAuthentication("certificate", 12)
            .putAgentsByAuthentication("oracle", 2)
            .build();
    assertTrue(
        StatusAnswer.text(status).contains("authentication 12 certificate, 1 token, 2 oracle\n"));
    String json = StatusAnswer.json(status);
    assertTrue(
        json.contains(
            "\"agentsByAuthentication\":{\"certificate\":12,\"token\":1,"
                + "\"colony-secret\":0,\"oracle\":2}"),
        json);
  }

  @Test
  void statusTellsWhoFellBack() {
    GetStatusResponse status =
        GetStatusResponse.newBuilder()
            .addAuthenticationFallbacks(
                AuthenticationFallback.newBuilder()
                    .setAgentId("web-1")
                    .setAt(Timestamp.newBuilder().setSeconds(1_900_000_000))
                    .setDetail("by a secret"))
            .build();
    assertTrue(
        StatusAnswer.text(status)
            .contains("alert          agent web-1 fell back at 2030-03-17T17:46:40Z: by a secret"),
        StatusAnswer.text(status));
    assertTrue(
        StatusAnswer.json(status)
            .contains(
                "\"authenticationFallbacks\":[{\"agentId\":\"web-1\","
                    + "\"at\":\"2030-03-17T17:46:40Z\",\"detail\":\"by a secret\"}]"),
        StatusAnswer.json(status));
  }

  /** A component names itself; its name must not move the cursor of whoever looks. */
  @Test
  void controlCharactersNeverReachTheTerminal() {
    Table table = new Table("NAME").row("a\u001b[2Jb\u202ec");
    assertEquals("NAME\na?[2Jb?c\n", table.toString());
    assertEquals("{\"n\":\"a\\u001b[2Jb\"}", Json.object(j -> j.put("n", "a\u001b[2Jb")));
  }

  @Test
  void aRowHasACellForEachHeading() {
    assertThrows(IllegalArgumentException.class, () -> new Table("A", "B").row("only one"));
  }

  @Test
  void jsonEscapesWhatItMust() {
    assertEquals(
        "{\"a\\\"\\\\\":\"\\n"
            + "\\t\\r"
            + "\\u0000é\uD83D\uDE00\\ud83d\",\"f\":null,\"i\":-1,\"l\":[\"x\"]}",
        Json.object(
            j ->
                j.put("a\"\\", "\n\t\r\u0000é\uD83D\uDE00\uD83D")
                    .put("f", Double.NaN)
                    .put("i", -1)
                    .putStrings("l", List.of("x"))));
  }

  @Test
  void timesAreSaidInOneUnitRoundedDown() {
    assertEquals("now", HumanTime.ago(NOW.plusSeconds(5), NOW));
    assertEquals("1 s ago", HumanTime.ago(NOW.minusSeconds(1), NOW));
    assertEquals("59 s ago", HumanTime.ago(NOW.minusSeconds(59), NOW));
    assertEquals("59 min ago", HumanTime.ago(NOW.minusSeconds(3599), NOW));
    assertEquals("23 h ago", HumanTime.ago(NOW.minusSeconds(86_399), NOW));
    assertEquals("1 d ago", HumanTime.ago(NOW.minusSeconds(86_400), NOW));
  }
}
