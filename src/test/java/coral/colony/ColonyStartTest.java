package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.colony.TestColony.Member;
import coral.storage.AllocationReadModel;
import coral.storage.DuckDbFile;
import coral.wireguard.KeyPair;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What stops a start, and how a colony ends. */
@Timeout(120)
class ColonyStartTest {
  @TempDir Path directory;

  @Test
  void aStartThatFailsSaysWhyAndLeavesNothingBehind() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member a = colony.bootstrap("a");
      Member b = colony.bootstrap("b");
      colony.register(a, KeyPair.generate().publicKey(), "r");
      KeyPair keys = KeyPair.generate();
      colony.register(b, keys.publicKey(), "r");

      String doesNotFit = failure(colony, Map.of("coral.colony.subnet.ipv4", "10.42.0.0/30"));
      assertTrue(doesNotFit.contains("10.42.0.3"), doesNotFit);
      assertTrue(doesNotFit.contains("10.42.0.0/30"), doesNotFit);

      String foreign = failure(colony, Map.of("coral.colony.id", "shop-test-ffffff"));
      assertTrue(foreign.contains("shop-test-a1b2c3"), foreign);

      String missing =
          failure(colony, Map.of("coral.colony.directory", directory.resolve("none").toString()));
      assertTrue(missing.contains("coral init"), missing);

      byte[] good = Files.readAllBytes(colony.database());
      Files.write(
          colony.database(), "this is no database".repeat(1000).getBytes(StandardCharsets.UTF_8));
      String corrupt = failure(colony, Map.of());
      assertTrue(corrupt.contains(colony.database().toString()), corrupt);

      Files.write(colony.database(), good);
      colony.restart();
      assertEquals("10.42.0.3", colony.register(b, keys.publicKey(), "r").getAssignedIp());
    }
  }

  @Test
  void theTableShowsTheAddressesOfTheSubnetThatTheColonyWasStartedWith() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      colony.register(colony.bootstrap("a"), KeyPair.generate().publicKey(), "r");
      colony.restart(Map.of("coral.colony.subnet.ipv4", "10.77.0.0/16"));
      colony.process().close();
      try (DuckDbFile file = DuckDbFile.open(colony.database())) {
        assertEquals(
            "10.77.0.2",
            new AllocationReadModel(file, "10.77.0.0/16")
                .page(Optional.empty(), 10)
                .rows()
                .get(0)
                .ipAddress());
      }
    }
  }

  /** An empty set of certificates would let anybody claim the id of an agent. */
  @Test
  void aCertificateJournalThatCannotBeReadStopsTheStart() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      colony.bootstrap("a");
      colony.bootstrap("b");
      colony.process().close();
      byte[] good = Files.readAllBytes(colony.database());
      try (DuckDbFile file = DuckDbFile.open(colony.database());
          Connection connection = file.connect();
          Statement statement = connection.createStatement()) {
        assertEquals(
            2,
            statement.executeUpdate(
                "UPDATE event_journal SET event_payload = '\\x00'::BLOB"
                    + " WHERE event_ser_manifest = 'certificate-issued-v2'"));
      }
      String damaged = failure(colony, Map.of());
      assertTrue(damaged.contains(colony.database().toString()), damaged);
      assertTrue(damaged.contains("a record '"), damaged);
      Files.write(colony.database(), good);
      colony.restart();
    }
  }

  private static String failure(TestColony colony, Map<String, ?> overrides) {
    return String.valueOf(
        assertThrows(IOException.class, () -> colony.restart(overrides)).getMessage());
  }

  @Test
  void sigtermStopsAColonyWithExitCodeZero() throws Exception {
    String settings;
    try (TestColony colony = TestColony.start(directory)) {
      settings = colony.config().getConfig("coral").root().render();
    }
    Path file = directory.resolve("all.conf");
    Files.writeString(file, "coral " + settings);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                ColonyMain.class.getName(),
                file.toString())
            .redirectErrorStream(true)
            .start();
    StringBuilder output = new StringBuilder();
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        output.append(line).append('\n');
        if (line.contains("is ready after")) {
          process.toHandle().destroy(); // leaves the pipe open, unlike Process.destroy
        }
      }
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), output.toString());
      assertEquals(0, process.exitValue(), output.toString());
      assertTrue(output.toString().contains("is ready after"), output.toString());
    } finally {
      process.destroyForcibly();
    }
  }
}
