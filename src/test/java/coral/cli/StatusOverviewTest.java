package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.discovery.v1.HealthRequest;
import coral.api.discovery.v1.HealthResponse;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.InvitationText;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** RFD 005, "CLI Commands": one look at discovery, all colonies and the proxies. */
@Timeout(60)
class StatusOverviewTest {
  @TempDir Path home;
  private ServedColony colony;
  private Endpoint plaintext;

  @BeforeEach
  void serve() throws Exception {
    colony = new ServedColony(home);
    plaintext = colony.inPlaintext();
    colony.answer(
        "GetStatus",
        GetStatusRequest.class,
        request ->
            GetStatusResponse.newBuilder()
                .setColonyId(ServedColony.ID)
                .setAppName("shop\u001b[2J")
                .setEnvironment("test")
                .setStatus("degraded")
                .addProblems("the disk is full")
                .setUptimeSeconds(100_000)
                .setAgentCount(5)
                .setMeshIpv4("10.42.0.1")
                .setMeshIpv6("fd42::1")
                .setStorageBytes(1_572_864)
                .build());
    colony.answer(
        "Health",
        HealthRequest.class,
        request -> HealthResponse.newBuilder().setRegisteredColonies(3).build());
  }

  @AfterEach
  void stop() throws Exception {
    colony.close();
  }

  private Cli status(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "status";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return Cli.run(
        Map.of(
            "CORAL_HOME",
            home.toString(),
            "CORAL_COLONY_PORT",
            Integer.toString(colony.endpoint().port()),
            "CORAL_DISCOVERY_URL",
            "http://" + plaintext),
        all);
  }

  /** A colony of which only this endpoint is known. */
  private void known(String id, Endpoint endpoint) throws Exception {
    Path folder = Files.createDirectories(home.resolve("colonies").resolve(id));
    ContextRecord record =
        new ContextRecord(
            new ColonyId(id),
            List.of(endpoint),
            Optional.<InvitationText.Discovery>empty(),
            Optional.empty());
    SecureFiles.write(
        folder.resolve("context.conf"),
        ContextRecord.render(record.fields()).getBytes(StandardCharsets.UTF_8));
    Files.copy(colony.folder().resolve("ca-cert.pem"), folder.resolve("ca-cert.pem"));
    SecureFiles.createDirectory(folder.resolve("admin"));
    for (String name : List.of("cert.pem", "key.pem")) {
      SecureFiles.write(
          folder.resolve("admin").resolve(name),
          Files.readAllBytes(colony.folder().resolve("admin").resolve(name)));
    }
  }

  @Test
  void everythingIsToldAsTheRequirementShowsIt() {
    Cli result = status();
    assertEquals(0, result.exitCode(), result.err());
    assertEquals(
        """
        Discovery Service: ✓ Online (3 colonies)

        Colony: shop-test-a1b2c3 [ONLINE via public port]
          ├─ App: shop?[2J
          ├─ Environment: test
          ├─ Status: degraded
          ├─ Problem: the disk is full
          ├─ Agents: 5 connected
          ├─ Uptime: 1 d 3 h
          ├─ Mesh IPs: 10.42.0.1 / fd42::1
          └─ Storage: 1.5 MiB
        """,
        result.out());
  }

  @Test
  void aColonyThatIsAwayIsToldWithItsReasonAndMakesTheExitCodeOne() throws Exception {
    Endpoint nowhere;
    try (ServerSocket socket = new ServerSocket(0)) {
      nowhere = new Endpoint("127.0.0.1", socket.getLocalPort());
    }
    known("away-dev-111111", nowhere);
    Cli result = status();
    assertEquals(1, result.exitCode(), result.err());
    assertTrue(result.out().contains("Colony: away-dev-111111 [OFFLINE "), result.out());
    assertTrue(result.out().contains("Colony: shop-test-a1b2c3 [ONLINE"), result.out());
    assertFalse(result.out().contains("Tried: "), result.out());
    String verbose = status("-v").out();
    assertTrue(verbose.contains("─ Tried: public port " + nowhere + ": nothing"), verbose);
    JsonNode json = new ObjectMapper().readTree(status("-o", "json").out());
    assertFalse(json.at("/colonies/0/online").asBoolean());
    assertTrue(json.at("/colonies/0/status").isNull());
    assertEquals("public", json.at("/colonies/1/via").asText());
    assertEquals("degraded", json.at("/colonies/1/status/status").asText());
  }

  @Test
  void aColonyThatHangsKeepsNobodyWaiting() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      known("hangs-dev-111111", new Endpoint("127.0.0.1", silent.getLocalPort()));
      Cli result = status();
      assertEquals(1, result.exitCode());
      assertTrue(result.out().contains("Colony: hangs-dev-111111 [OFFLINE "), result.out());
      assertTrue(result.out().contains("Colony: shop-test-a1b2c3 [ONLINE"), result.out());
    }
  }

  @Test
  void aDiscoveryThatIsAwayIsToldAndMakesTheExitCodeOne() {
    Cli result =
        Cli.run(
            Map.of(
                "CORAL_HOME",
                home.toString(),
                "CORAL_COLONY_PORT",
                Integer.toString(colony.endpoint().port()),
                "CORAL_DISCOVERY_URL",
                "https://" + plaintext),
            "status");
    assertEquals(1, result.exitCode());
    assertTrue(result.out().startsWith("Discovery Service: ✗ Offline ("), result.out());
    assertTrue(result.out().contains("[ONLINE via public port]"), result.out());
  }

  @Test
  void oneColonyIsToldInDetail() {
    Cli result = status("--colony", ServedColony.ID);
    assertEquals(0, result.exitCode(), result.err());
    assertTrue(result.out().startsWith("colony         shop-test-a1b2c3\n"), result.out());
  }
}
