package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.linux.Netlink;
import coral.linux.NetworkNamespace;
import coral.testing.NetworkTopology;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An agent as a process of its own, with a real interface, in a network namespace. */
class AgentOnTunTest {
  private static final String LOOPBACK = "lo";

  @TempDir Path home;

  /** What the process runs. */
  static final class Main {
    private Main() {}

    public static void main(String[] arguments) {
      Config config =
          ConfigFactory.parseString(arguments[0])
              .withFallback(ConfigFactory.parseResources("agent.conf"))
              .withFallback(ConfigFactory.parseResources("pekko.conf"))
              .withFallback(ConfigFactory.load())
              .resolve();
      System.exit(
          AgentProcess.run(AgentSettings.from(config), config, InstantSource.system(), System.out));
    }
  }

  @Test
  @Timeout(120)
  void aSignalRemovesTheInterfaceAndEndsWithZero() throws Exception {
    NetworkTopology.assumePossible();
    try (NetworkNamespace namespace = NetworkNamespace.create("agent-test")) {
      namespace.call(
          () -> {
            try (Netlink netlink = Netlink.open()) {
              netlink.setUp(netlink.indexOf(LOOPBACK), true);
            }
            return joinThenSignal();
          });
    }
  }

  private JsonNode joinThenSignal() throws Exception {
    try (StandInColony colony = new StandInColony();
        StandInDiscovery discovery = StandInDiscovery.overTls()) {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Main.class.getName(),
                  "coral.agent { id = web-1, colony-id = "
                      + FakeColony.COLONY
                      + ", home = \""
                      + home
                      + "\", device.mode = tun, report = json, colony-secret = \"the secret\","
                      + " ca-fingerprint = \""
                      + StandInColony.AUTHORITY.fingerprint()
                      + "\", colony-endpoint = \""
                      + colony.endpoint()
                      + "\", discovery { url = \""
                      + discovery.uri()
                      + "\", fingerprint = \""
                      + discovery.fingerprint()
                      + "\" } }")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try {
        JsonNode joined = joined(process);
        assertTrue(joined.get("joinMilliseconds").asDouble() > 0, joined.toString());
        assertEquals("tun", joined.get("device").asText());
        assertTrue(joined.get("roundTripIpv4Milliseconds").asDouble() > 0, joined.toString());
        assertTrue(joined.get("roundTripIpv6Milliseconds").asDouble() > 0, joined.toString());
        assertTrue(links().contains("coral0"), () -> "no coral0");
        process.destroy(); // SIGTERM
        assertTrue(process.waitFor(20, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue());
        assertFalse(links().contains("coral0"), () -> "coral0 is left");
        return joined;
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private static JsonNode joined(Process process) throws IOException {
    List<String> lines = new ArrayList<>();
    BufferedReader reader =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      lines.add(line);
      JsonNode event = new ObjectMapper().readTree(line);
      if (event.get("event").asText().equals("joined")) {
        return event;
      }
    }
    throw new AssertionError("the process ended: " + lines);
  }

  private static List<String> links() {
    try (Netlink netlink = Netlink.open()) {
      return netlink.links().stream().map(Netlink.Link::name).toList();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
