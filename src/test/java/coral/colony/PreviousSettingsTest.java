package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.files.SecureFiles;
import coral.model.AuditEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PreviousSettingsTest {
  @TempDir Path directory;

  private Path file;
  private PreviousSettings settings;

  @BeforeEach
  void inPrivateDirectory() throws IOException {
    Path own = directory.resolve("colony");
    SecureFiles.createDirectory(own);
    file = own.resolve("last-settings.json");
    settings = new PreviousSettings(file);
  }

  private static Config with(String lines) {
    return ConfigFactory.parseString("coral.colony {" + lines + "}")
        .withFallback(ConfigFactory.load());
  }

  private List<String> details(Config config) throws IOException {
    List<AuditEvent> changes = settings.changes(config);
    changes.forEach(change -> assertEquals(AuditEvent.Kind.CONFIGURATION_CHANGED, change.kind()));
    return changes.stream().map(AuditEvent::detail).toList();
  }

  @Test
  void theFirstStartChangesNothing() throws IOException {
    assertEquals(List.of(), details(with("listen.port = 9001")));
  }

  @Test
  void whatDiffersFromTheLastStartIsToldByNameAndValue() throws IOException {
    settings.keep(with("public-endpoints = [\"a.example:1\"]"));
    assertEquals(List.of(), details(with("public-endpoints = [\"a.example:1\"]")));
    assertEquals(
        List.of(
            "coral.colony.listen.port: 9000 -> 9001",
            "coral.colony.public-endpoints: [\"a.example:1\"] -> []"),
        details(with("listen.port = 9001")));
  }

  @Test
  void howTheActorSystemIsSetUpIsNotTold() throws IOException {
    settings.keep(with(""));
    assertEquals(List.of(), details(with("actor-system.anything = 1")));
  }

  @Test
  void ofASecretThereIsNeitherItsTextNorAHash() throws IOException {
    settings.keep(with(""));
    Config secret = with("authority.passphrase = correct-horse");
    assertEquals(List.of("coral.colony.authority.passphrase: \"\" -> (hidden)"), details(secret));
    settings.keep(secret);
    String kept = Files.readString(file);
    assertFalse(kept.contains("correct-horse"), kept);
    settings.keep(with("authority.passphrase = battery-staple"));
    assertEquals(kept, Files.readString(file));
  }

  @Test
  void aFileThatIsDamagedIsNamed() throws IOException {
    SecureFiles.write(file, "{".getBytes(StandardCharsets.UTF_8));
    IOException damaged = assertThrows(IOException.class, () -> settings.changes(with("")));
    assertTrue(String.valueOf(damaged.getMessage()).contains(file.toString()), damaged.toString());
  }
}
