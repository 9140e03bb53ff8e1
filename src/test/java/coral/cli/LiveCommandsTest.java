package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.agent.AgentProcess;
import coral.agent.AgentSettings;
import coral.certificate.KeyType;
import coral.settings.SettingsLoader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Commands that look at agents, against a colony and an agent that run. */
@Timeout(180)
class LiveCommandsTest {
  @TempDir static Path home;
  private static StartedColony colony;
  private static AgentProcess agent;

  @BeforeAll
  static void start() throws Exception {
    colony = new StartedColony(home, KeyType.P_256);
    agent = join("web-1");
  }

  @AfterAll
  static void stop() {
    agent.close();
    colony.close();
  }

  /** Starts an agent and waits until it has joined. */
  private static AgentProcess join(String id) throws Exception {
    String invitation =
        colony.json("invite", "--agent", id, "-o", "json").get("invitation").asText();
    Config config =
        ConfigFactory.parseMap(
                Map.of(
                    "coral.agent.id",
                    id,
                    "coral.agent.home",
                    home.resolve("agent").toString(),
                    "coral.agent.invitation",
                    invitation,
                    "coral.agent.colony-endpoint",
                    colony.endpoint().toString(),
                    "coral.agent.device.mode",
                    "user-space",
                    "coral.agent.report",
                    "json"))
            .withFallback(SettingsLoader.load(Optional.empty()));
    Lines events = new Lines();
    AgentProcess started =
        AgentProcess.start(
            AgentSettings.from(config),
            config,
            InstantSource.system(),
            new PrintStream(
                new OutputStream() {
                  @Override
                  public void write(int octet) {
                    events.append((char) octet);
                  }
                },
                true));
    events.await(line -> line.contains("\"event\":\"joined\""));
    return started;
  }

  /** What was written, line by line; somebody who does not read any more after {@link #leave}. */
  private static final class Lines extends Writer {
    private final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final StringBuilder line = new StringBuilder();
    private boolean left;

    @Override
    public synchronized Lines append(char c) {
      if (c == '\n') {
        lines.add(line.toString());
        line.setLength(0);
      } else {
        line.append(c);
      }
      return this;
    }

    @Override
    public synchronized void write(char[] text, int offset, int length) throws IOException {
      if (left) {
        throw new IOException("broken pipe");
      }
      for (int i = offset; i < offset + length; i++) {
        append(text[i]);
      }
    }

    synchronized void leave() {
      left = true;
    }

    @Override
    public synchronized void flush() throws IOException {
      if (left) {
        throw new IOException("broken pipe");
      }
    }

    @Override
    public void close() {}

    String await(Predicate<String> expected) throws InterruptedException {
      while (true) {
        String next = lines.poll(30, TimeUnit.SECONDS);
        assertTrue(next != null, "nothing more was written");
        if (expected.test(next)) {
          return next;
        }
      }
    }
  }

  /** A command that goes on, in a thread of its own. */
  private static CompletableFuture<Integer> run(Writer out, String... arguments) {
    CompletableFuture<Integer> exitCode = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () ->
                exitCode.complete(
                    CommandLine.execute(
                        new PrintWriter(out, true),
                        new PrintWriter(new StringWriter()),
                        Map.of(
                            "CORAL_HOME",
                            home.toString(),
                            "CORAL_COLONY_PORT",
                            Integer.toString(colony.endpoint().port())),
                        arguments)),
            "command");
    thread.setDaemon(true);
    thread.start();
    return exitCode;
  }

  @Test
  void anAgentIsPingedOverBothFamilies() throws Exception {
    String out = colony.done("ping", "web-1", "-c", "3", "-i", "0.1");
    List<String> lines = out.lines().toList();
    assertEquals(8, lines.size(), out);
    assertEquals(3, lines.stream().filter(line -> line.startsWith("10.42.0.2: seq=")).count(), out);
    assertTrue(
        lines.get(6).startsWith("--- web-1, 10.42.0.2: 3 sent, 3 answered, 0 % lost, min/"), out);
    assertTrue(lines.get(7).startsWith("--- web-1, fd42::2: 3 sent, 3 answered"), out);
    JsonNode json = colony.json("ping", "web-1", "-c", "1", "-o", "json");
    assertEquals(2, json.get("targets").size());
    assertEquals(0, json.at("/targets/0/lossPercent").asInt());
    assertTrue(json.at("/targets/1/p99Milliseconds").asDouble() > 0);
  }

  @Test
  void allAgentsArePingedAtOnceAndOneThatIsAwayIsLost() throws Exception {
    AgentProcess gone = join("gone-1");
    gone.close();
    Cli one = colony.coral("ping", "gone-1", "-c", "1");
    assertEquals(1, one.exitCode());
    assertTrue(one.out().contains("1 sent, 0 answered, 100 % lost"), one.out());
    String out = colony.done("ping", "--all", "-c", "2", "-i", "100ms");
    List<String> lines = out.lines().toList();
    assertEquals(5, lines.size(), out);
    assertTrue(lines.get(1).matches("gone-1 +10\\.42\\.0\\.\\d+ +2 +100 % .*"), out);
    assertTrue(lines.get(3).matches("web-1 +10\\.42\\.0\\.2 +2 +0 % .*"), out);
    colony.done("release", "gone-1");
  }

  @Test
  void whoIsNotThereCannotBePingedOrShown() {
    Cli ping = colony.coral("ping", "nobody");
    assertEquals(1, ping.exitCode());
    assertTrue(ping.err().contains("'coral agents' shows which there are."), ping.err());
    Cli show = colony.coral("agent", "show", "nobody");
    assertEquals(1, show.exitCode());
    assertTrue(show.err().contains("has no agent nobody"), show.err());
    for (String wrong :
        List.of(
            "ping",
            "ping web-1 --all",
            "ping web-1 -c 0",
            "ping web-1 -c 1001",
            "ping web-1 -i 1ms")) {
      assertEquals(2, colony.coral(wrong.split(" ")).exitCode(), wrong);
    }
  }

  @Test
  void theTunnelIsShownInEveryForm() throws Exception {
    String tree = colony.done("topology");
    assertTrue(tree.startsWith("shop-test-a1b2c3\n"), tree);
    assertTrue(tree.contains("web-1  10.42.0.2  healthy  handshake "), tree);
    JsonNode json = colony.json("topology", "-o", "json");
    assertEquals("wireguard", json.at("/connections/0/connectionType").asText());
    assertTrue(colony.done("topology", "-o", "yaml").contains("connectionType: "));
    assertTrue(colony.done("topology", "-o", "dot").contains("\"web-1\" -> \"shop-test-a1b2c3\""));
    assertTrue(colony.done("topology", "-o", "mermaid").startsWith("graph LR\n"));
    String wg = colony.done("wg", "show");
    assertTrue(wg.contains("  agent: web-1\n  endpoint: 127.0.0.1:"), wg);
    String show = colony.done("agent", "show", "web-1");
    assertTrue(show.contains("status         healthy, connected\n"), show);
    assertEquals(
        "web-1", colony.json("agent", "show", "web-1", "-o", "json").at("/peer/agentId").asText());
  }

  @Test
  void whoWatchesSeesAnAgentComeAndGo() throws Exception {
    Lines text = new Lines();
    Lines json = new Lines();
    CompletableFuture<Integer> people = run(text, "watch");
    CompletableFuture<Integer> programs = run(json, "watch", "-o", "json");
    text.await(line -> line.endsWith("web-1  healthy, connected, 10.42.0.2"));
    json.await(line -> line.contains("\"event\":\"present\"") && line.contains("\"web-1\""));

    AgentProcess other = join("web-2");
    text.await(line -> line.contains("web-2  joined: "));
    json.await(line -> line.contains("\"event\":\"joined\"") && line.contains("\"web-2\""));
    other.close();
    text.await(line -> line.contains("web-2  disconnected"));
    colony.done("release", "web-2");
    text.await(line -> line.contains("web-2  left, 10.42.0."));
    json.await(line -> line.contains("\"event\":\"left\"") && line.contains("\"web-2\""));

    text.leave();
    json.leave();
    assertEquals(0, people.get(30, TimeUnit.SECONDS));
    assertEquals(0, programs.get(30, TimeUnit.SECONDS));
  }
}
