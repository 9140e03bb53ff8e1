package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.linux.Netlink;
import coral.linux.TunDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Issue 2, section 2: {@code quickstart} as a user runs it. */
@Timeout(CoralProcess.PATIENCE_SECONDS)
class QuickstartTest {
  private static final Pattern QUERY =
      Pattern.compile("CORAL_HOME=(\\S+) ./coral status --endpoint (\\S+)");

  @TempDir Path temporary;

  @Test
  void inNamespacesItCanBeAskedFromTheHostAndLeavesNothingBehindWhenStopped() throws Exception {
    assumeTrue(TunDevice.isAvailable(), TunDevice::unavailableReason);
    List<String> before = links();
    try (CoralProcess quickstart = start("--agents", "2")) {
      String said = quickstart.readUntil("Ctrl-C ends everything");
      assertTrue(said.contains("in network namespaces"), said);
      assertTrue(said.contains("every agent pinged its neighbour"), said);
      assertEquals(before, links(), "the host's interfaces are not touched");

      Matcher query = QUERY.matcher(said);
      assertTrue(query.find(), said);
      JsonNode agents = ask(query, "agents").get("agents");
      assertEquals(2, agents.size(), agents::toString);
      for (JsonNode agent : agents) {
        assertTrue(agent.get("connected").asBoolean(), agent::toString);
        assertTrue(said.contains(agent.get("meshIpv4").asText()), agent::toString);
        assertTrue(said.contains(agent.get("meshIpv6").asText()), agent::toString);
        assertTrue(said.contains(agent.get("certificateSerial").asText()), agent::toString);
      }
      assertEquals("running", ask(query, "status").get("status").asText());
      assertEquals(2, ask(query, "allocations").get("total").asInt());

      Set<ProcessHandle> children = quickstart.descendants();
      assertTrue(children.size() >= 4, "discovery, colony, two agents: " + children);
      quickstart.terminate();
      assertEquals(0, quickstart.exitCode());
      assertEnded(children);
    }
    assertEquals(List.of(), remains());
    assertEquals(before, links());
  }

  @Test
  void inUserSpaceItVerifiesAndLeavesNothingBehind() throws Exception {
    try (CoralProcess quickstart = start("--agents", "2", "--once", "--user-space", "-o", "json")) {
      String out = quickstart.readAll();
      assertEquals(0, quickstart.exitCode(), quickstart::err);
      JsonNode mesh = new ObjectMapper().readTree(out);
      assertFalse(mesh.get("namespaces").asBoolean());
      assertEquals(0, mesh.get("problems").size(), out);
      Set<String> addresses = new HashSet<>();
      for (JsonNode agent : mesh.get("agents")) {
        addresses.add(agent.get("ipv4").asText());
        addresses.add(agent.get("ipv6").asText());
        assertTrue(agent.get("roundTripIpv4Milliseconds").asDouble() > 0, out);
        assertTrue(agent.get("roundTripIpv6Milliseconds").asDouble() > 0, out);
        assertTrue(agent.get("joinMilliseconds").asDouble() > 0, out);
      }
      assertEquals(4, addresses.size(), out);
      assertTrue(
          quickstart.err().contains("every tunnel ends inside its process"), quickstart::err);
    }
    assertEquals(List.of(), remains());
  }

  @Test
  void killedItTakesItsProcessesAlong() throws Exception {
    try (CoralProcess quickstart = start("--agents", "1", "--user-space")) {
      quickstart.readUntil("Ctrl-C ends everything");
      Set<ProcessHandle> children = quickstart.descendants();
      assertTrue(children.size() >= 3, "discovery, colony, an agent: " + children);
      quickstart.kill();
      assertEnded(children);
    }
  }

  private CoralProcess start(String... options) throws IOException {
    String[] arguments =
        Stream.concat(Stream.of("quickstart"), Stream.of(options)).toArray(String[]::new);
    // A setting of the user's must not reach the quickstart's own processes.
    return CoralProcess.start(temporary, Map.of("CORAL_SUBNET_IPV4", "192.0.2.0/30"), arguments);
  }

  private JsonNode ask(Matcher query, String command) throws Exception {
    Map<String, String> environment = Map.of("CORAL_HOME", query.group(1));
    try (CoralProcess asked =
        CoralProcess.start(
            temporary, environment, command, "--endpoint", query.group(2), "-o", "json")) {
      String out = asked.readAll();
      assertEquals(0, asked.exitCode(), asked::err);
      return new ObjectMapper().readTree(out);
    }
  }

  private static void assertEnded(Set<ProcessHandle> children) throws Exception {
    for (ProcessHandle child : children) {
      child.onExit().get(CoralProcess.PATIENCE_SECONDS, TimeUnit.SECONDS);
    }
  }

  private List<String> remains() throws IOException {
    try (Stream<Path> files = Files.list(temporary)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("coral-"))
          .toList();
    }
  }

  private static List<String> links() throws IOException {
    try (Netlink netlink = Netlink.open()) {
      return netlink.links().stream().map(Netlink.Link::name).sorted().toList();
    }
  }
}
