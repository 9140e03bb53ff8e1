package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code coral discovery start} as a process of its own. */
class DiscoverySignalTest {
  @TempDir Path directory;

  @Test
  @Timeout(300)
  void stoppingWhenToldToIsASuccess() throws Exception {
    ChildProcess discovery =
        ChildRuntime.archived(directory)
            .startService(
                Map.of(
                    "CORAL_HOME", directory.resolve("home").toString(),
                    "CORAL_DISCOVERY_HOST", "127.0.0.1",
                    "CORAL_DISCOVERY_PORT", "0"),
                "discovery",
                "start");
    try {
      discovery.awaitLine("discovery listens at ");
      discovery.terminate();
      assertEquals(0, discovery.awaitExit(), discovery.log());
    } finally {
      discovery.kill();
    }
  }
}
