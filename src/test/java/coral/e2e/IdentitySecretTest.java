package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.agent.AgentProcess;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** RFD 020 (token draft): "the colony secret is never sent to the colony". */
@Timeout(180)
class IdentitySecretTest {
  private static final String SHOWN = "coral-sec_the-secret-that-only-discovery-was-told-of";

  @TempDir Path home;

  /**
   * What is on the wire is encrypted, so the colony's process is searched: all of its heap, also
   * what nobody refers to any more. Its own secret is found there, another one that the agent used
   * at discovery is not.
   */
  @Test
  void theSecretThatAnAgentShowsToDiscoveryNeverReachesTheColony() throws Exception {
    int port = ChildRuntime.freePort();
    try (IdentitySite site = IdentitySite.create(home)) {
      Path settings =
          Files.writeString(
              home.resolve("site.conf"), site.colonySettings("listen.port = " + port));
      ChildRuntime runtime =
          ChildRuntime.small(Files.createDirectories(home.resolve("tmp")), "384m");
      try (ChildProcess colony =
          runtime.startService(
              Map.of("CORAL_HOME", home.toString()),
              "colony",
              "start",
              "--colony",
              site.created.colonyId().value(),
              "--config",
              settings.toString())) {
        colony.await(0, line -> line.contains("is ready after"), "the colony to be ready");
        AgentEvents events = new AgentEvents();
        String own = "colony-secret = \"" + site.created.secret().reveal() + "\"";
        try (AgentProcess first = site.startAgent("first", own + ", once = true", events.out())) {
          events.await("joined"); // so discovery knows the colony
          assertEquals(0, first.exitCode().toCompletableFuture().get());
        }
        site.addSecretAtDiscovery(SHOWN);
        String shown = "colony-secret = \"" + SHOWN + "\"";
        try (AgentProcess agent = site.startAgent("web", shown + ", once = true", events.out())) {
          assertEquals("token", events.await("joined").path("certificatePaidWith").asText());
          assertEquals(0, agent.exitCode().toCompletableFuture().get());
        }
        Path heap = dump(port);
        assertTrue(
            contains(heap, site.created.secret().reveal()), "the search finds what is there");
        assertFalse(contains(heap, SHOWN), "the colony has heard the secret");
      }
    }
  }

  private Path dump(int port) throws Exception {
    Path heap = home.resolve("colony.hprof");
    String settings = home.resolve("site.conf").toString();
    long pid =
        ProcessHandle.current()
            .descendants()
            .filter(child -> commandLine(child).contains(settings))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no colony on port " + port))
            .pid();
    Process jcmd =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                    Long.toString(pid),
                    "GC.heap_dump",
                    "-all",
                    heap.toString()))
            .redirectErrorStream(true)
            .start();
    String said = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, jcmd.waitFor(), said);
    assertTrue(Files.exists(heap), said);
    return heap;
  }

  /** The whole of it: {@link ProcessHandle.Info} leaves out what is longer than 4 KiB. */
  private static String commandLine(ProcessHandle process) {
    try {
      return Files.readString(
          Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return ""; // it has ended
    }
  }

  /** Secrets have ASCII letters, which stand as single bytes in arrays and in strings. */
  private static boolean contains(Path file, String text) throws IOException {
    byte[] wanted = text.getBytes(StandardCharsets.US_ASCII);
    byte[] window = new byte[1 << 20];
    int kept = 0;
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 20)) {
      int read = in.read(window, 0, window.length);
      while (read > 0) {
        int length = kept + read;
        for (int at = 0; at + wanted.length <= length; at++) {
          if (window[at] == wanted[0] && matches(window, at, wanted)) {
            return true;
          }
        }
        kept = Math.min(length, wanted.length - 1);
        System.arraycopy(window, length - kept, window, 0, kept);
        read = in.read(window, kept, window.length - kept);
      }
    }
    return false;
  }

  private static boolean matches(byte[] bytes, int at, byte[] wanted) {
    for (int i = 1; i < wanted.length; i++) {
      if (bytes[at + i] != wanted[i]) {
        return false;
      }
    }
    return true;
  }
}
