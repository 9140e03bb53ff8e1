package coral.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.model.Endpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

final class SettingsTest {
  @TempDir Path directory;

  private enum Mode {
    USER_SPACE,
    TUN
  }

  private Path file(String content) throws Exception {
    return Files.writeString(directory.resolve("coral.conf"), content);
  }

  private static SettingsReader reader(String content) {
    return SettingsReader.of(ConfigFactory.parseString("coral.x {" + content + "}"), "coral.x");
  }

  private static void assertWrong(Executable read, String... words) {
    String message = String.valueOf(assertThrows(SettingsException.class, read).getMessage());
    for (String word : words) {
      assertTrue(message.contains(word), message);
    }
  }

  @Test
  void theFileWinsOverDefaultsAndTheEnvironmentOverBoth() throws Exception {
    Path file = file("coral.discovery { port = 8081, ttl = 60s }");
    Config defaults = SettingsLoader.load(Optional.empty(), Map.of());
    assertEquals(8080, defaults.getInt("coral.discovery.port"));
    Config withFile = SettingsLoader.load(Optional.of(file), Map.of());
    assertEquals(8081, withFile.getInt("coral.discovery.port"));
    Config both = SettingsLoader.load(Optional.of(file), Map.of("CORAL_DISCOVERY_PORT", "8082"));
    assertEquals(8082, both.getInt("coral.discovery.port"));
    assertEquals(60, both.getDuration("coral.discovery.ttl", TimeUnit.SECONDS));
    // Also when the environment says what the default says.
    Config same = SettingsLoader.load(Optional.of(file), Map.of("CORAL_DISCOVERY_PORT", "8080"));
    assertEquals(8080, same.getInt("coral.discovery.port"));
    assertFalse(same.hasPath("CORAL_DISCOVERY_PORT"));
  }

  @Test
  void theHomeMovesWhatStandsBelowIt() throws Exception {
    Config config = SettingsLoader.load(Optional.empty(), Map.of("CORAL_HOME", "/srv/coral"));
    assertEquals("/srv/coral/discovery", config.getString("coral.discovery.directory"));
    Path file = file("coral.home = /from/file");
    assertEquals(
        "/from/file/discovery",
        SettingsLoader.load(Optional.of(file), Map.of()).getString("coral.discovery.directory"));
    assertEquals(
        "/srv/coral/discovery",
        SettingsLoader.load(Optional.of(file), Map.of("CORAL_HOME", "/srv/coral"))
            .getString("coral.discovery.directory"));
    Path exact = file("coral.discovery.directory = /exact");
    assertEquals(
        "/exact",
        SettingsLoader.load(Optional.of(exact), Map.of("CORAL_HOME", "/srv/coral"))
            .getString("coral.discovery.directory"));
  }

  @Test
  void anUnknownKeyOfTheFileIsNamed() throws Exception {
    Path unknown = file("coral.discovery.prot = 8081");
    assertWrong(() -> SettingsLoader.load(Optional.of(unknown), Map.of()), "coral.discovery.prot");
    Path section = file("coral.discovery = 1");
    assertWrong(() -> SettingsLoader.load(Optional.of(section), Map.of()), "coral.discovery");
    Path pekko =
        file("coral.discovery.actor-system.pekko.loglevel = DEBUG\npekko.log-dead-letters = 1");
    SettingsLoader.load(Optional.of(pekko), Map.of());
  }

  @Test
  void aFileThatCannotBeReadIsNamed() throws Exception {
    Path missing = directory.resolve("missing.conf");
    assertWrong(() -> SettingsLoader.load(Optional.of(missing), Map.of()), "missing.conf");
    Path broken = file("coral { ");
    assertWrong(() -> SettingsLoader.load(Optional.of(broken), Map.of()), "coral.conf");
  }

  @Test
  void aWrongValueNamesKeyValueAndExpectation() {
    assertWrong(() -> reader("n = 70000").integer("n", 0, 65535), "coral.x.n", "70000", "65535");
    assertWrong(() -> reader("n = many").integer("n", 0, 9), "coral.x.n", "many", "0 to 9");
    assertWrong(() -> reader("n { a = 1 }").integer("n", 0, 9), "coral.x.n");
    assertWrong(() -> reader("").integer("n", 0, 9), "coral.x.n", "not set");
    Duration second = Duration.ofSeconds(1);
    Duration minute = Duration.ofMinutes(1);
    assertWrong(
        () -> reader("d = 2h").duration("d", second, minute), "coral.x.d", "2h", "1s", "60s");
    assertWrong(() -> reader("d = soon").duration("d", second, minute), "soon");
    assertWrong(() -> reader("e = here").endpoint("e"), "coral.x.e", "here", "host:port");
    assertWrong(() -> reader("e = [\"a:1\", \"b\"]").endpoints("e"), "coral.x.e", "b");
    assertWrong(() -> reader("m = kernel").oneOf("m", Mode.class), "kernel", "user-space, tun");
    assertWrong(() -> reader("p = 10.0.0.1/8").prefix("p"), "10.0.0.1/8");
    assertWrong(() -> reader("f = maybe").flag("f"), "maybe", "on or off");
    assertWrong(() -> reader("b = 2 MiB").bytes("b", 1, 1024), "2 MiB");
  }

  @Test
  void aSecretIsNeverInAMessage() {
    assertEquals("s", reader("s = s").secret("s").reveal());
    String message =
        String.valueOf(
            assertThrows(SettingsException.class, () -> reader("s { a = hunter2 }").secret("s"))
                .getMessage());
    assertFalse(message.contains("hunter2"), message);
  }

  @Test
  void rightValuesAreRead() {
    SettingsReader reader =
        reader(
            "n = 7, d = 90s, e = \"[::1]:80\", l = \"a:1, b:2\", m = user-space, f = off,"
                + " p = \"~/x\", b = 64 KiB, empty = \"\"");
    assertEquals(7, reader.integer("n", 7, 7));
    assertEquals(Duration.ofSeconds(90), reader.duration("d", Duration.ZERO, Duration.ofDays(1)));
    assertEquals(new Endpoint("::1", 80), reader.endpoint("e"));
    assertEquals(List.of(new Endpoint("a", 1), new Endpoint("b", 2)), reader.endpoints("l"));
    assertEquals(Mode.USER_SPACE, reader.oneOf("m", Mode.class));
    assertFalse(reader.flag("f"));
    assertEquals(Path.of(System.getProperty("user.home"), "x"), reader.path("p"));
    assertEquals(64 << 10, reader.bytes("b", 0, 1 << 20));
    assertEquals(Optional.empty(), reader.optionalString("empty"));
  }
}
