package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/**
 * Issue 2, section 2: exit codes 0, 1, 2; messages go to standard error and say what to do next.
 */
class CommandLineTest {
  private static final String ONE = "colonies/my-app-dev-111111";

  @TempDir Path home;

  private Cli coral(String... arguments) {
    return Cli.run(Map.of("CORAL_HOME", home.toString()), arguments);
  }

  @Test
  void helpIsAnAnswer() {
    Cli result = coral("--help");
    assertEquals(0, result.exitCode());
    assertEquals("", result.err());
    for (String command :
        List.of(
            "quickstart",
            "init",
            "discovery",
            "colony",
            "connect",
            "context",
            "status",
            "agents",
            "allocations",
            "invite",
            "invites",
            "secret",
            "revoke-agent",
            "agent",
            "certificates",
            "ca",
            "admin",
            "audit",
            "completion")) {
      assertTrue(result.out().contains("\n  " + command + " "), command);
    }
  }

  @Test
  void versionIsAnAnswer() {
    Cli result = coral("--version");
    assertEquals(0, result.exitCode());
    assertTrue(result.out().startsWith("coral "), result.out());
  }

  static List<List<String>> commands() {
    List<List<String>> paths = new ArrayList<>();
    collect(CommandLine.create(Map.of()), List.of(), paths);
    return paths;
  }

  private static void collect(
      picocli.CommandLine command, List<String> path, List<List<String>> paths) {
    paths.add(path);
    command
        .getSubcommands()
        .forEach(
            (name, child) -> {
              List<String> longer = new ArrayList<>(path);
              longer.add(name);
              collect(child, longer, paths);
            });
  }

  @ParameterizedTest
  @MethodSource("commands")
  void everyCommandExplainsItselfWithExamplesAndExitCodes(List<String> path) {
    List<String> arguments = new ArrayList<>(path);
    arguments.add("--help");
    Cli result = coral(arguments.toArray(String[]::new));
    assertEquals(0, result.exitCode(), result.err());
    assertTrue(result.out().contains("Examples:\n  "), result.out());
    assertTrue(result.out().contains("  2   wrong usage"), result.out());
    assertFalse(result.out().contains("exit-with-parent"), "that one is for quickstart's children");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "quickstrat",
        "init",
        "init my-app --no-such-option",
        "init My_App",
        "colony",
        "discovery",
        "discovery keys rotated",
        "quickstart --agents 0",
        "quickstart --agents 51",
        "quickstart --agents many",
        "status -o xml",
        "status --colony NOT_AN_ID",
        "status --endpoint nowhere",
        "agents surplus",
        "connect --log-format xml",
      })
  void wrongUsageIsTwoAndSaysHowToGetHelp(String line) {
    Cli result = coral(line.isEmpty() ? new String[0] : line.split(" "));
    assertEquals(2, result.exitCode(), result.err());
    assertEquals("", result.out());
    assertTrue(result.err().startsWith("coral: "), result.err());
    assertTrue(result.err().contains("--help'."), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
  }

  @Test
  void aMistypedCommandGetsASuggestion() {
    assertTrue(coral("quickstrat").err().contains("coral quickstart"));
  }

  @Test
  void withoutAColonyAQuerySaysHowToMakeOne() {
    Cli result = coral("status");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("there is no colony under " + home), result.err());
    assertTrue(result.err().contains("coral init"), result.err());
  }

  @Test
  void ofSeveralColoniesAQueryListsAllAndAsksWhich() throws IOException {
    Files.createDirectories(home.resolve(ONE));
    Files.createDirectories(home.resolve("colonies/other-dev-222222"));
    Files.createDirectories(home.resolve("colonies/Not A Colony"));
    Cli result = coral("agents");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("there are 2 colonies"), result.err());
    assertTrue(result.err().contains("my-app-dev-111111, other-dev-222222"), result.err());
    assertTrue(result.err().contains("--colony"), result.err());
  }

  @Test
  void anUnknownColonyIsToldWithTheKnownOnes() throws IOException {
    Files.createDirectories(home.resolve(ONE));
    Cli result = coral("allocations", "--colony", "other-dev-222222");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("there is no colony other-dev-222222"), result.err());
    assertTrue(result.err().contains("Known: my-app-dev-111111."), result.err());
  }

  @Test
  void aColonyWithoutAnAdministratorsCertificateCannotBeAsked() throws IOException {
    Files.createDirectories(home.resolve(ONE));
    Cli result = coral("agents");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("key.pem"), result.err());
    assertTrue(result.err().contains("administrator's certificate"), result.err());
  }

  @Test
  void aWrongSettingNamesItsKeyAndValue() throws IOException {
    Path settings = Files.writeString(home.resolve("wrong.conf"), "coral.colony.id = NOT_AN_ID\n");
    Cli result = coral("colony", "start", "--config", settings.toString());
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("coral.colony.id"), result.err());
    assertTrue(result.err().contains("NOT_AN_ID"), result.err());
    assertFalse(result.err().contains("defect"), result.err());
  }

  @Test
  void anUnknownSettingIsRefused() throws IOException {
    Path settings = Files.writeString(home.resolve("wrong.conf"), "coral.colony.colour = red\n");
    Cli result = coral("connect", "my-app-dev-111111", "--config", settings.toString(), "--once");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("coral.colony.colour"), result.err());
  }

  @Test
  void aWrongOptionOfConnectNamesTheSettingBehindIt() {
    Cli result = coral("connect", "my-app-dev-111111", "--ca-fingerprint", "md5:12");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("coral.agent.ca-fingerprint"), result.err());
    assertTrue(result.err().contains("md5:12"), result.err());
  }

  /** What nobody foresaw has a stack trace; what was foreseen has its causes. */
  @Test
  void verboseShowsWhatIsBehindAFailure() throws IOException {
    Files.createDirectories(home.resolve(ONE));
    Cli brief = coral("status", "--colony", "my-app-dev-111111");
    Cli verbose = coral("status", "--colony", "my-app-dev-111111", "-v");
    assertFalse(brief.err().contains("because of"), brief.err());
    assertTrue(verbose.err().contains("because of java.nio.file.NoSuchFile"), verbose.err());
    assertTrue(verbose.err().contains("] proxy: none is running\n"), verbose.err());
    Logger logger = (Logger) LoggerFactory.getLogger(CommandFailures.class);
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    log.start();
    logger.addAppender(log);
    try {
      String file = Files.writeString(home.resolve("current-colony.d"), "").toString();
      coral("colony", "start", "--config", file);
      assertEquals(List.of(), log.list);
      coral("colony", "start", "--config", file, "--verbose");
      assertEquals(1, log.list.size());
      assertNotNull(log.list.get(0).getThrowableProxy());
    } finally {
      logger.detachAppender(log);
    }
  }

  @Test
  void everyCommandHasTheNameByWhichItIsFound() {
    CommandLine.create(Map.of())
        .getSubcommands()
        .forEach((name, command) -> assertEquals(name, command.getCommandName()));
    assertEquals(
        List.copyOf(CommandLine.create(Map.of()).getSubcommands().keySet()), CommandTree.NAMES);
  }

  /** What is made for one command alone is what the whole tree has of it. */
  @ParameterizedTest
  @MethodSource("names")
  void aCommandIsTheSameAloneAndAmongAll(String name) {
    picocli.CommandLine among =
        Objects.requireNonNull(CommandLine.create(Map.of()).getSubcommands().get(name));
    Cli alone = coral(name, "--help");
    assertEquals(among.getUsageMessage(), alone.out());
    assertEquals(alone, coral("-v", name, "--help"));
    assertEquals(
        Set.of(name), CommandTree.wanted(Map.of(), name, "--help").getSubcommands().keySet());
  }

  static List<String> names() {
    List<String> names = new ArrayList<>(CommandTree.NAMES);
    names.remove("complete"); // which needs all
    return names;
  }
}
