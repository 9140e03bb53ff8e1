package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.colony.ColonyFiles;
import coral.colony.ColonyProcess;
import coral.settings.SettingsLoader;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code coral reserve}, {@code coral release} and what {@code coral allocations} shows of it. */
@Timeout(120)
class ReservationCommandsTest {
  @TempDir Path home;

  @Test
  void anAddressIsReservedShownAndReleased() throws Exception {
    try (ColonyProcess colony = start()) {
      assertSays(
          "10.42.0.50 and fd42::32 are held for db-1.\n",
          coral(colony, "reserve", "db-1", "10.42.0.50"));
      Cli shown = coral(colony, "allocations");
      assertTrue(
          shown.out().matches("(?s).*db-1 +10.42.0.50 +fd42::32 .* reserved\n.*"), shown::out);
      assertTrue(
          coral(colony, "allocations", "-o", "json").out().contains("\"reserved\":true}"),
          "as JSON");
      Cli taken = coral(colony, "reserve", "db-2", "fd42::32");
      assertEquals(1, taken.exitCode());
      assertTrue(taken.err().contains("10.42.0.50 is another agent's"), taken::err);
      assertTrue(taken.err().contains("'coral allocations'"), taken::err);
      assertSays(
          "{\"agentId\":\"db-1\",\"ipAddress\":\"10.42.0.50\",\"ipv6Address\":\"fd42::32\"}\n",
          coral(colony, "release", "db-1", "-o", "json"));
      assertEquals(1, coral(colony, "release", "db-1").exitCode());
      assertSays(
          "10.42.0.50 and fd42::32 are held for db-2.\n",
          coral(colony, "reserve", "db-2", "fd42::32"));
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

  private ColonyProcess start() throws Exception {
    ColonyFiles.Created created = ColonyFiles.create("shop", "test", home, InstantSource.system());
    return ColonyProcess.start(
        ConfigFactory.parseMap(
                Map.of(
                    "coral.colony.directory",
                    created.directory().toString(),
                    "coral.colony.listen.host",
                    "127.0.0.1",
                    "coral.colony.listen.port",
                    0,
                    "coral.colony.wireguard.port",
                    0,
                    "coral.colony.wireguard.device",
                    "user-space",
                    "coral.colony.management.port",
                    0))
            .withFallback(SettingsLoader.load(Optional.of(created.settingsFile()))),
        InstantSource.system());
  }

  private Cli coral(ColonyProcess colony, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--endpoint", "127.0.0.1:" + colony.rpcAddress().getPort()));
    return Cli.run(Map.of("CORAL_HOME", home.toString()), all.toArray(String[]::new));
  }
}
