package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
      ChildRuntime runtime =
          ChildRuntime.small(Files.createDirectories(home.resolve("tmp")), "384m");
      try (ChildProcess colony = site.startColonyProcess(runtime, port, "")) {
        site.joinOnce("first", site.secret()); // so discovery knows the colony
        site.addSecretAtDiscovery(SHOWN);
        JsonNode joined = site.joinOnce("web", "colony-secret = \"" + SHOWN + "\"");
        assertEquals("token", joined.path("certificatePaidWith").asText());
        Path heap = dump(site.settingsFile(), port);
        assertTrue(
            contains(heap, site.created.secret().reveal()), "the search finds what is there");
        assertFalse(contains(heap, SHOWN), "the colony has heard the secret");
      }
    }
  }

  private Path dump(Path settings, int port) throws Exception {
    Path heap = home.resolve("colony.hprof");
    long pid =
        ProcessHandle.current()
            .descendants()
            .filter(child -> commandLine(child).contains(settings.toString()))
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
