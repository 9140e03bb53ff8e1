package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.Endpoint;
import coral.model.Fingerprint;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentFilesTest {
  @TempDir Path home;
  private AgentFiles files;

  @BeforeEach
  void open() {
    files =
        new AgentFiles(
            home.resolve("agents").resolve(AgentSettingsTest.AGENT.value()),
            AgentSettingsTest.AGENT);
  }

  @Test
  void keysAreMadeOnceAndKeptFromOthers() throws Exception {
    var keys = files.wireGuardKeys();
    assertEquals(keys.publicKey(), files.wireGuardKeys().publicKey());
    CertificateRequest request = files.request();
    assertEquals(request, files.request());
    assertEquals(
        Optional.of(request),
        new AgentFiles(
                home.resolve("agents").resolve(AgentSettingsTest.AGENT.value()),
                AgentSettingsTest.AGENT)
            .pendingRequest());
    assertEquals("rwx------", mode(files.directory()));
    for (String name : List.of("wireguard.key", "next-request.pem")) {
      assertEquals("rw-------", mode(files.directory().resolve(name)), name);
    }
  }

  @Test
  void aKeyThatOthersCanReadIsRefused() throws Exception {
    files.wireGuardKeys();
    Path key = files.directory().resolve("wireguard.key");
    Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-r--r--"));
    assertTrue(message(() -> files.wireGuardKeys()).contains("wireguard.key"));
  }

  @Test
  void aDamagedKeyIsNamedAndNotReplaced() throws Exception {
    files.wireGuardKeys();
    Path key = files.directory().resolve("wireguard.key");
    Files.writeString(key, "damaged");
    assertTrue(message(() -> files.wireGuardKeys()).contains(key.toString()));
    assertEquals("damaged", Files.readString(key));
  }

  @Test
  void theColonyIsRemembered() throws Exception {
    assertEquals(Optional.empty(), files.colony());
    KnownColony colony =
        new KnownColony(
            FakeColony.COLONY,
            FakeColony.AUTHORITY.fingerprint(),
            Optional.of(
                new DiscoveryAddress(
                    URI.create("https://discovery.example:8080"),
                    Optional.of(Fingerprint.of(new byte[] {1})))),
            List.of(new Endpoint("fd00::1", 9000)),
            Optional.of("10.42.0.2 fd42::2"),
            Optional.of("token"));
    files.remember(colony);
    assertEquals(Optional.of(colony), files.colony());
  }

  @Test
  void aRecordThatIsDamagedIsNamed() throws Exception {
    files.wireGuardKeys();
    Path record = files.directory().resolve("colony.conf");
    Files.createFile(
        record, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(record, "{}");
    assertTrue(message(() -> files.colony()).contains(record.toString()));
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  private static String message(org.junit.jupiter.api.function.Executable call) {
    return String.valueOf(assertThrows(IOException.class, call).getMessage());
  }
}
