package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.KeyType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code coral reserve}, {@code coral release} and what {@code coral allocations} shows of it. */
@Timeout(120)
class ReservationCommandsTest {
  @TempDir Path home;

  @Test
  void anAddressIsReservedShownAndReleased() throws Exception {
    try (StartedColony colony = new StartedColony(home, KeyType.P_256)) {
      assertSays(
          "10.42.0.50 and fd42::32 are held for db-1.\n",
          colony.coral("reserve", "db-1", "10.42.0.50"));
      Cli shown = colony.coral("allocations");
      assertTrue(
          shown.out().matches("(?s).*db-1 +10.42.0.50 +fd42::32 .* reserved\n.*"), shown::out);
      assertTrue(
          colony.coral("allocations", "-o", "json").out().contains("\"reserved\":true}"),
          "as JSON");
      Cli taken = colony.coral("reserve", "db-2", "fd42::32");
      assertEquals(1, taken.exitCode());
      assertTrue(taken.err().contains("10.42.0.50 is another agent's"), taken::err);
      assertTrue(taken.err().contains("'coral allocations'"), taken::err);
      assertSays(
          "{\"agentId\":\"db-1\",\"ipAddress\":\"10.42.0.50\",\"ipv6Address\":\"fd42::32\"}\n",
          colony.coral("release", "db-1", "-o", "json"));
      assertEquals(1, colony.coral("release", "db-1").exitCode());
      assertSays(
          "10.42.0.50 and fd42::32 are held for db-2.\n",
          colony.coral("reserve", "db-2", "fd42::32"));
    }
  }

  @Test
  void whatIsNoAddressIsWrongUsage() {
    for (String wrong : List.of("db-1", "10.42.0", "10.42.0.50/16", "localhost")) {
      Cli cli = Cli.run(Map.of("CORAL_HOME", home.toString()), "reserve", "db-1", wrong);
      assertEquals(2, cli.exitCode(), wrong);
      assertTrue(cli.err().contains("not an IP address: " + wrong), cli::err);
    }
  }

  private static void assertSays(String expected, Cli cli) {
    assertEquals(0, cli.exitCode(), cli.err());
    assertEquals(expected, cli.out());
  }
}
