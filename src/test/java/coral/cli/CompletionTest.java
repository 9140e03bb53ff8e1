package coral.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Invitation;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.colony.v1.ListInvitationsRequest;
import coral.api.colony.v1.ListInvitationsResponse;
import coral.testing.Requirements;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What shells offer for the last word: commands, options, values, and names that live now. */
@Timeout(120)
class CompletionTest {
  @TempDir static Path home;
  private static ServedColony colony;
  private static Path bin;

  @BeforeAll
  static void serve() throws Exception {
    colony = new ServedColony(home);
    colony.answer(
        "ListAgents",
        ListAgentsRequest.class,
        request ->
            ListAgentsResponse.newBuilder()
                .addAgents(Agent.newBuilder().setAgentId("web-1"))
                .addAgents(Agent.newBuilder().setAgentId("web-2"))
                .addAgents(Agent.newBuilder().setAgentId("database"))
                // No colony has such an agent; one that lies should not run commands here.
                .addAgents(Agent.newBuilder().setAgentId("web-$(touch pwned)"))
                .build());
    colony.answer(
        "ListInvitations",
        ListInvitationsRequest.class,
        request ->
            ListInvitationsResponse.newBuilder()
                .addInvitations(
                    Invitation.newBuilder().setInvitationId("5b9a5c4d").setStatus("open"))
                .addInvitations(
                    Invitation.newBuilder().setInvitationId("5b9a0000").setStatus("used"))
                .build());
    bin = Files.createDirectories(home.resolve("bin"));
    Path coral =
        Files.writeString(
            bin.resolve("coral"),
            """
            #!/bin/sh
            export CORAL_HOME='%s' CORAL_COLONY_PORT=%d
            exec '%s/bin/java' -XX:TieredStopAtLevel=1 -cp '%s' coral.Main "$@"
            """
                .formatted(
                    home, colony.endpoint().port(), System.getProperty("java.home"), classPath()));
    Files.setPosixFilePermissions(coral, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  /** As this process has it, for a process in another folder. */
  private static String classPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  @AfterAll
  static void stop() throws Exception {
    colony.close();
  }

  /** The candidates for the last word, without what describes them. */
  private static List<String> candidates(String... words) {
    List<String> arguments = new ArrayList<>(List.of("complete", "--"));
    arguments.addAll(List.of(words));
    Cli result = colony.coral(arguments.toArray(String[]::new));
    assertEquals(0, result.exitCode(), result.err());
    assertEquals("", result.err());
    return result.out().lines().map(line -> line.split("\t", -1)[0]).toList();
  }

  @ParameterizedTest
  @CsvSource({
    "all, allocations",
    "invites re, revoke",
    "invite --ro, --role",
    "invite --role op, operator",
    "invite --role=op, --role=operator",
    "invite --role = op, operator",
    "--config x status --outp, --output",
    "status -o j, json",
    "ca export --issuer s, server",
    "audit --kind secret-ref, secret-refused",
    "completion f, fish",
    "--color n, never",
    "status --config x, :files",
    "init --dir x, :directories",
    "revoke-agent web, web-1 web-2",
    "invite --agent da, database",
    "agent allow-rebind web-2, web-2",
    "invites revoke 5, 5b9a5c4d",
    "status --colony sh, shop-test-a1b2c3",
    "context use '', shop-test-a1b2c3",
    "revoke-agent --colony shop-test-a1b2c3 d, database",
    "revoke-agent web-1 '', ''",
    "no-such-command '', ''",
    "status --no-such-option=x, ''",
    "revoke-agent --colony other-dev-111111 '', ''",
    "revoke-agent --colony NOT_AN_ID '', ''",
  })
  void theLastWordIsCompleted(String line, String expected) {
    String[] words = line.split(" ", -1);
    for (int i = 0; i < words.length; i++) {
      words[i] = words[i].equals("''") ? "" : words[i];
    }
    assertEquals(expected, String.join(" ", candidates(words)));
  }

  @Test
  void commandsAreDescribedAndHiddenOnesAreNotOffered() {
    List<String> all = candidates("");
    assertTrue(all.containsAll(List.of("status", "context", "invite")), all.toString());
    assertTrue(!all.contains("complete"), all.toString());
    String described = colony.coral("complete", "--", "allo").out();
    assertTrue(described.startsWith("allocations\tWho holds"), described);
    List<String> options = candidates("status", "--output", "json", "--");
    assertTrue(!options.contains("--output"), "was given: " + options);
  }

  @Test
  void aColonyThatHangsOrIsAwayIsSilence() throws Exception {
    String[] words = {"complete", "--", "revoke-agent", ""};
    try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      Cli hangs = Cli.run(environment(silent.getLocalPort()), words);
      assertEquals(new Cli(0, "", ""), hangs);
    }
    assertEquals(new Cli(0, "", ""), Cli.run(environment(1), words));
  }

  private static Map<String, String> environment(int port) {
    return Map.of("CORAL_HOME", home.toString(), "CORAL_COLONY_PORT", Integer.toString(port));
  }

  private static String script(String shell) throws IOException {
    Cli result = colony.coral("completion", shell);
    assertEquals(0, result.exitCode(), result.err());
    return Files.writeString(home.resolve("completion." + shell), result.out()).toString();
  }

  private static boolean isThere(String shell) throws IOException, InterruptedException {
    return new ProcessBuilder("sh", "-c", "command -v " + shell).start().waitFor() == 0;
  }

  private static List<String> run(String... shell) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("timeout", "100"));
    command.addAll(List.of(shell));
    ProcessBuilder builder = new ProcessBuilder(command).directory(home.toFile());
    builder.environment().put("PATH", bin + ":" + System.getenv("PATH"));
    builder.environment().put("HOME", home.toString());
    builder.environment().put("TERM", "dumb");
    Process process = builder.redirectErrorStream(true).start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), out);
    assertTrue(Files.notExists(home.resolve("pwned")), "a name was run as a command");
    return out.lines().toList();
  }

  @Test
  void bashCompletesNamesThatLive() throws Exception {
    String ask =
        "source "
            + script("bash")
            + "; f() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($#-1)); _coral; echo \"${COMPREPLY[*]}\";"
            + " }; f coral revoke-agent web; f coral invite --role = op; f coral allo; f"
            + " ./bin/coral ver; f coral --config compl; complete -p coral";
    assertEquals(
        List.of(
            "web-1 web-2",
            "operator",
            "allocations",
            "",
            "completion.bash",
            "complete -F _coral coral"),
        run("bash", "--norc", "-c", ask).stream().map(CompletionTest::firstFile).toList());
  }

  /** Scripts of other tests may lie beside. */
  private static String firstFile(String line) {
    return line.startsWith("completion.bash") ? "completion.bash" : line;
  }

  @Test
  void zshCompletesNamesThatLive() throws Exception {
    Requirements.ZSH.check(isThere("zsh"), "zsh is not installed");
    // A shell within the shell, on a pseudo-terminal, in which somebody presses the tabulator, and
    // then a key that shows what the line has become.
    String inner =
        "PS1=; autoload -U compinit; compinit -u -D; source "
            + script("zsh")
            + "; show() { print -r -- \"@<$BUFFER>@\"; BUFFER= }; zle -N show; bindkey ^X show;"
            + " print re''ady";
    String ask =
        """
        zmodload zsh/zpty
        zpty inner zsh -f -i
        zpty -w inner '%s'
        zpty -r -m inner out '*ready*'
        for line in 'coral revoke-agent da' 'coral invi' 'coral invite --role=op'; do
          zpty -w -n inner "$line"$'\\t\\C-x'
          zpty -r -m inner out '*>@*'
          print -r -- "${${out##*@<}%%%%>@*}."
        done
        zpty -d inner
        """
            .formatted(inner.replace("'", "'\\''"));
    assertEquals(
        List.of("coral revoke-agent database .", "coral invite.", "coral invite --role=operator ."),
        run("zsh", "-f", "-c", ask));
  }

  @Test
  void fishCompletesNamesThatLive() throws Exception {
    Requirements.FISH.check(isThere("fish"), "fish is not installed");
    String ask =
        "source "
            + script("fish")
            + "; complete -C 'coral revoke-agent web'; complete -C 'coral invite --role=op';"
            + " complete -C 'coral allo'; complete -C 'coral --config completion.f'";
    List<String> answered = run("fish", "--no-config", "-c", ask);
    assertEquals(
        List.of("web-1", "web-2", "--role=operator", "allocations", "completion.fish"),
        answered.stream().map(line -> line.split("\t", -1)[0]).toList());
  }
}
