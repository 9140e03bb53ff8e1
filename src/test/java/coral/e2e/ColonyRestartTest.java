package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import coral.agent.AgentProcess;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** RFD 019, "E2E test: colony restart with active agents"; tunnels end inside this process. */
class ColonyRestartTest {
  @TempDir Path home;

  /** The colony's calls come back at another port, of which discovery tells the agent. */
  @Test
  @Timeout(180)
  void anAgentKeepsItsAddressAndItsTunnelWhenTheColonyRestarts() throws Exception {
    AgentEvents events = new AgentEvents();
    try (IdentitySite site = IdentitySite.create(home)) {
      site.startColony("");
      try (AgentProcess agent =
          site.startAgent(
              "web-1",
              "colony-secret = \"" + site.created.secret().reveal() + "\", probe.interval = 500ms",
              events.out())) {
        JsonNode joined = events.await("joined");
        assertEquals("token", joined.get("certificatePaidWith").asText());
        assertTrue(isAnswered(joined), joined::toString);

        site.startColony("");
        events.awaitFailure("SESSION_LOST");
        JsonNode again = events.await("joined");
        assertEquals(joined.get("ipv4"), again.get("ipv4"));
        assertEquals(joined.get("ipv6"), again.get("ipv6"));
        assertEquals(joined.get("certificateSerial"), again.get("certificateSerial"));
        JsonNode probe = events.await("probe");
        while (!isAnswered(probe)) {
          probe = events.await("probe");
        }
        agent.stop();
        assertEquals(0, agent.exitCode().toCompletableFuture().get(20, TimeUnit.SECONDS));
      }
    }
  }

  private static boolean isAnswered(JsonNode event) {
    return event.get("roundTripIpv4Milliseconds").isNumber()
        && event.get("roundTripIpv6Milliseconds").isNumber();
  }
}
