package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.KeyType;
import coral.files.Pem;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The root of a running colony is replaced from the command line, and its operator stays in. */
@Timeout(120)
class RunningRotationTest {
  @TempDir static Path home;
  private static StartedColony colony;

  @BeforeAll
  static void start() throws Exception {
    colony = new StartedColony(home, KeyType.P_256);
  }

  @AfterAll
  static void stop() {
    colony.close();
  }

  @Test
  void theRootIsReplacedStepByStepAndTheOperatorStaysIn() throws Exception {
    String former = fingerprint();
    assertEquals("stable", rotation("ca", "status"));
    Cli nothing = colony.coral("ca", "rotate", "--back");
    assertEquals(1, nothing.exitCode());
    assertTrue(nothing.err().contains("refuses: "), nothing.err());

    assertEquals("prepared", rotation("ca", "rotate"));
    assertEquals(2, Pem.certificates(exported()).size());
    assertEquals("stable", rotation("ca", "rotate", "--back"));
    assertEquals("prepared", rotation("ca", "rotate"));
    String watched = colony.done("ca", "rotate", "--watch");
    assertTrue(watched.startsWith("distributed: 0 of 0 agents trust bundle "), watched);
    assertEquals("active", rotation("ca", "rotate"));
    assertEquals("draining", rotation("ca", "rotate"));
    String table = colony.done("ca", "status");
    assertTrue(table.contains("^ 0 of 0 agents have renewed"), table);

    colony.done("admin", "renew");
    assertEquals("retired", rotation("ca", "rotate"));
    assertEquals("retired", rotation("ca", "status"));
    assertNotEquals(former, fingerprint());
    assertEquals(1, Pem.certificates(exported()).size());
  }

  private static byte[] exported() {
    return colony.done("ca", "export").getBytes(StandardCharsets.UTF_8);
  }

  private static String rotation(String... command) throws Exception {
    String[] json = java.util.Arrays.copyOf(command, command.length + 2);
    json[command.length] = "-o";
    json[command.length + 1] = "json";
    return colony.json(json).get("rotation").asText();
  }

  @Test
  void theListsOfARunningColonyAreExported() throws Exception {
    Path file = home.resolve("agents.crl");
    colony.done(
        "ca", "export", "--crl", "-o", "der", "--issuer", "agent", "--out", file.toString());
    CertificateFactory.getInstance("X.509")
        .generateCRL(new ByteArrayInputStream(Files.readAllBytes(file)));
    List<String> lines = colony.done("ca", "export", "--crl").lines().toList();
    assertTrue(lines.stream().filter(line -> line.startsWith("-----BEGIN")).count() >= 3);
    assertFalse(lines.contains(""));
  }

  /** Of the root that members pin. */
  private static String fingerprint() throws Exception {
    String id = colony.created().colonyId().value();
    return colony.json("status", "--colony", id, "-o", "json").get("caFingerprint").asText();
  }
}
