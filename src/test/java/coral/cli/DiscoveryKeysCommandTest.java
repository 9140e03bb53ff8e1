package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.discovery.DiscoveryProcess;
import coral.discovery.DiscoverySettings;
import coral.settings.SettingsLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code coral discovery keys} beside a discovery that runs, and beside none. */
final class DiscoveryKeysCommandTest {
  @TempDir Path directory;
  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));

  private Cli keys(String... more) throws Exception {
    Path file = directory.resolve("settings.conf");
    Files.writeString(file, settings());
    String[] arguments = new String[4 + more.length];
    System.arraycopy(
        new String[] {"--config", file.toString(), "discovery", "keys"}, 0, arguments, 0, 4);
    System.arraycopy(more, 0, arguments, 4, more.length);
    return Cli.run(Map.of("CORAL_HOME", directory.toString()), arguments);
  }

  private String settings() {
    return "coral.discovery { host = 127.0.0.1, port = 0, directory = \""
        + directory.resolve("discovery")
        + "\" }\n";
  }

  @Test
  void keysAreShownAndRotatedByTheOwnerOfTheFolder() throws Exception {
    Config config =
        ConfigFactory.parseString(settings()).withFallback(SettingsLoader.load(Optional.empty()));
    DiscoveryProcess process =
        DiscoveryProcess.start(DiscoverySettings.from(config), config, now::get);
    try {
      Cli before = keys();
      assertEquals(0, before.exitCode(), before.err());
      String next =
          before.out().lines().filter(l -> l.contains(" NEXT ")).findFirst().orElseThrow();
      String id = next.substring(0, next.indexOf(' '));
      Cli early = keys("rotate");
      assertEquals(1, early.exitCode());
      assertTrue(early.err().contains("2026-01-01T00:10:00Z"), early.err());
      now.updateAndGet(t -> t.plusSeconds(600));
      Cli rotated = keys("rotate");
      assertEquals(0, rotated.exitCode(), rotated.err());
      assertTrue(rotated.out().contains(id + " CURRENT "), rotated.out());
    } finally {
      process.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }
    Cli gone = keys();
    assertEquals(1, gone.exitCode());
    assertTrue(gone.err().contains("control.sock"), gone.err());
  }
}
