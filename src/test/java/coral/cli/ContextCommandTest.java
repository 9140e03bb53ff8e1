package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.certificate.KeyType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Contexts against a colony that runs: known on its host, and carried to another one. */
@Timeout(120)
class ContextCommandTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir static Path colonyHome;
  private static StartedColony colony;

  @TempDir Path home;
  private String id;

  @BeforeAll
  static void start() throws Exception {
    colony = new StartedColony(colonyHome, KeyType.P_256);
  }

  @AfterAll
  static void stop() {
    colony.close();
  }

  @BeforeEach
  void name() {
    id = colony.created().colonyId().value();
  }

  /** A command on another host. */
  private Cli elsewhere(String... arguments) {
    return Cli.run(Map.of("CORAL_HOME", home.toString()), arguments);
  }

  private String done(String... arguments) {
    Cli result = elsewhere(arguments);
    assertEquals(0, result.exitCode(), result.err());
    return result.out();
  }

  private JsonNode json(String... arguments) throws IOException {
    return JSON.readTree(done(arguments));
  }

  private static String invitation(String role, String name) throws IOException {
    return colony
        .json("invite", "--role", role, "--agent", name, "-o", "json")
        .get("invitation")
        .asText();
  }

  private static Cli onStandardInput(String text, java.util.function.Supplier<Cli> command) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
    try {
      return command.get();
    } finally {
      System.setIn(before);
    }
  }

  private static String mode(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  private Path folder() {
    return home.resolve("colonies").resolve(id);
  }

  @Test
  void aViewersInvitationMakesAContextFromWhichTheColonyIsAsked() throws Exception {
    JsonNode imported = json("context", "import", invitation("viewer", "alice"), "-o", "json");
    assertEquals(id, imported.get("colonyId").asText());
    assertEquals("viewer", imported.get("role").asText());
    assertEquals("alice", imported.get("name").asText());
    assertFalse(imported.get("here").asBoolean());
    assertTrue(imported.get("current").asBoolean());
    assertEquals("rw-------", mode(folder().resolve("admin/key.pem")));
    assertEquals("rwx------", mode(folder()));
    assertFalse(Files.exists(home.resolve("colonies/.import-" + id)));

    assertEquals("No agents yet.", done("agents").substring(0, 14));
    Cli mayNot = elsewhere("invite");
    assertEquals(1, mayNot.exitCode());
    assertTrue(mayNot.err().contains("coral invite --role operator"), mayNot.err());
  }

  @Test
  void anOperatorsInvitationComesOnStandardInputAndMayInvite() throws Exception {
    String line = invitation("operator", "olga") + "\n";
    Cli imported = onStandardInput(line, () -> elsewhere("context", "import", "-"));
    assertEquals(0, imported.exitCode(), imported.err());
    assertTrue(imported.out().contains("ask as         olga, operator\n"), imported.out());
    done("invite");
  }

  @Test
  void anInvitationOfAnotherKindSaysWhichCommandItIsFor() throws Exception {
    Cli agent = elsewhere("context", "import", invitation("agent", "web-9"));
    assertEquals(1, agent.exitCode());
    assertTrue(agent.err().contains("'coral connect'"), agent.err());
    assertFalse(Files.exists(folder()));
  }

  @Test
  void aUsedInvitationChangesNothingAndLeavesNothing() throws Exception {
    String line = invitation("viewer", "bob");
    done("context", "import", line);
    Path other = Files.createDirectories(home.resolve("other"));
    Cli again = Cli.run(Map.of("CORAL_HOME", other.toString()), "context", "import", line);
    assertEquals(1, again.exitCode());
    assertTrue(again.err().contains("refuses: "), again.err());
    assertEquals("No colonies.", context(other, "list").out().substring(0, 12));
    assertFalse(Files.exists(other.resolve("colonies/.import-" + id)));
  }

  private static Cli context(Path home, String command) {
    return Cli.run(Map.of("CORAL_HOME", home.toString()), "context", command);
  }

  @Test
  void theKeyOfATryThatWasNotAnsweredIsUsedAgain() throws Exception {
    String line = invitation("viewer", "carol");
    PendingKey first =
        PendingKey.of(
            new CoralHome(home), colony.created().colonyId(), new coral.model.AgentId("carol"));
    done("context", "import", line);
    assertEquals(
        coral.files.Pem.encode(first.key()), Files.readString(folder().resolve("admin/key.pem")));
  }

  @Test
  void aDamagedInvitationAndAFileOfSomethingElseAreRefused() throws Exception {
    Cli cut = elsewhere("context", "import", invitation("viewer", "dora").substring(0, 60));
    assertEquals(1, cut.exitCode());
    assertTrue(cut.err().contains("damaged"), cut.err());
    for (String text :
        new String[] {"", "{}", "include url(\"http://127.0.0.1:1/\")", "{\"version\":2}", "\0"}) {
      Cli other = onStandardInput(text, () -> elsewhere("context", "import", "-"));
      assertEquals(1, other.exitCode(), text);
      assertTrue(other.err().contains("this is not a context: "), other.err());
    }
    Cli missing = elsewhere("context", "import", home.resolve("nothing").toString());
    assertEquals(1, missing.exitCode());
    assertTrue(missing.err().contains("cannot be read"), missing.err());
    assertFalse(Files.exists(home.resolve("colonies")));
  }

  @Test
  void aContextIsExportedWithoutItsKeyAndImportedElsewhere() throws Exception {
    Path file = home.resolve("my.context");
    Cli exported =
        colony.coral(
            "context", "export", "--endpoint", colony.endpoint().toString(), "--out", "" + file);
    assertEquals(0, exported.exitCode(), exported.err());
    assertEquals("", exported.err());
    assertFalse(Files.readString(file).contains("PRIVATE KEY"));
    assertEquals("rw-------", mode(file));
    done("context", "import", file.toString());
    Cli nobody = elsewhere("agents");
    assertEquals(1, nobody.exitCode());
    assertTrue(nobody.err().contains("coral proxy start " + id), nobody.err());

    Cli twice = elsewhere("context", "import", file.toString());
    assertEquals(1, twice.exitCode());
    assertTrue(twice.err().contains("--force"), twice.err());
    done("context", "import", "--force", file.toString());
  }

  @Test
  void aContextWithItsKeyIsWhoeverHasIt() throws Exception {
    Cli nowhere = colony.coral("context", "export", "--with-key");
    assertEquals(2, nowhere.exitCode());
    assertEquals("", nowhere.out());
    Cli exported =
        colony.coral(
            "context",
            "export",
            "--with-key",
            "--endpoint",
            colony.endpoint().toString(),
            "--out",
            "-");
    assertTrue(exported.err().contains("private key"), exported.err());
    Cli imported =
        onStandardInput(exported.out(), () -> elsewhere("context", "import", "-", "--use"));
    assertEquals(0, imported.exitCode(), imported.err());
    done("agents");
    done("invite");
    assertEquals(id + "\n", Files.readString(home.resolve("current-colony")));

    done("context", "remove", id);
    assertFalse(Files.exists(folder()));
    assertFalse(Files.exists(home.resolve("current-colony")));
  }

  @Test
  void aColonysOwnFolderIsNeitherReplacedNorRemoved() throws Exception {
    Cli removed = colony.coral("context", "remove", id);
    assertEquals(1, removed.exitCode());
    assertTrue(removed.err().contains("itself lives in"), removed.err());
    assertTrue(removed.err().contains("Nothing was removed"), removed.err());
    String exported = colony.done("context", "export");
    Cli imported =
        onStandardInput(exported, () -> colony.coral("context", "import", "--force", "-"));
    assertEquals(1, imported.exitCode());
    assertTrue(imported.err().contains("itself lives in"), imported.err());
    colony.done("agents");
  }

  @Test
  void otherFilesInTheFolderAreLeftAlone() throws Exception {
    done("context", "import", invitation("viewer", "erin"));
    Files.writeString(folder().resolve("notes.txt"), "mine");
    Cli removed = elsewhere("context", "remove", id);
    assertEquals(0, removed.exitCode());
    assertTrue(removed.err().contains("left alone"), removed.err());
    assertEquals("mine", Files.readString(folder().resolve("notes.txt")));
  }

  /** --colony, then CORAL_COLONY_ID, then the default, then the only one. */
  @Test
  void theColonyIsChosenInThisOrder() throws Exception {
    for (String one : new String[] {"one-dev-111111", "two-dev-222222", "three-dev-333333"}) {
      Files.createDirectories(home.resolve("colonies").resolve(one));
    }
    Map<String, String> environment = new HashMap<>(Map.of("CORAL_HOME", home.toString()));
    assertTrue(asked(environment).contains("there are 3 colonies"), asked(environment));
    Cli.run(environment, "context", "use", "one-dev-111111");
    assertTrue(asked(environment).contains("one-dev-111111"), asked(environment));
    environment.put("CORAL_COLONY_ID", "two-dev-222222");
    assertTrue(asked(environment).contains("two-dev-222222"), asked(environment));
    assertTrue(
        asked(environment, "--colony", "three-dev-333333").contains("three-dev-333333"),
        asked(environment));
    Cli other = Cli.run(environment, "context", "use", "three-dev-333333");
    assertTrue(other.err().contains("CORAL_COLONY_ID is two-dev-222222"), other.err());

    environment.put("CORAL_COLONY_ID", "NOT AN ID");
    assertTrue(asked(environment).contains("CORAL_COLONY_ID is 'NOT AN ID'"), asked(environment));
    environment.remove("CORAL_COLONY_ID");
    Files.delete(home.resolve("colonies/three-dev-333333"));
    String gone = asked(environment);
    assertTrue(gone.contains("the default colony, three-dev-333333, has no folder"), gone);
    assertTrue(gone.contains("Known: one-dev-111111, two-dev-222222."), gone);
    assertTrue(gone.contains("coral context use"), gone);
    Files.writeString(home.resolve("current-colony"), "?");
    assertTrue(asked(environment).contains("current-colony"), asked(environment));
  }

  /** What a query says that nobody answers. */
  private static String asked(Map<String, String> environment, String... more) {
    String[] arguments = new String[more.length + 1];
    arguments[0] = "agents";
    System.arraycopy(more, 0, arguments, 1, more.length);
    Cli result = Cli.run(environment, arguments);
    assertEquals(1, result.exitCode());
    return result.err();
  }

  @Test
  void aListTellsWhichIsTheDefaultAndWhatIsWrong() throws Exception {
    done("context", "import", invitation("viewer", "frank"));
    Path broken = Files.createDirectories(home.resolve("colonies/broken-dev-111111"));
    Files.writeString(broken.resolve("context.conf"), "{");
    done("context", "use", id);
    JsonNode contexts = json("context", "list", "-o", "json").get("contexts");
    assertEquals(2, contexts.size());
    assertTrue(contexts.get(0).get("problem").asText().contains("it is not JSON"));
    assertFalse(contexts.get(0).get("current").asBoolean());
    assertTrue(contexts.get(1).get("current").asBoolean());
    assertTrue(contexts.get(1).get("problem").isNull());
    String table = done("context", "list");
    assertTrue(table.contains("\n*        " + id + "  "), table);
    assertTrue(table.contains("viewer/frank"), table);
    assertTrue(done("context", "show", id).contains("lives          elsewhere\n"));
    assertEquals(1, elsewhere("context", "show", "other-dev-111111").exitCode());
  }
}
