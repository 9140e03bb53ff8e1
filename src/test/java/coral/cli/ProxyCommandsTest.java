package coral.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import coral.proxy.RunningProcess;
import coral.proxy.Way;
import coral.rpc.Role;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.TypeConversionException;

/** RFD 005, "CLI Commands": what the commands about proxies say, without a proxy. */
class ProxyCommandsTest {
  private static final ColonyId COLONY = new ColonyId("my-app-prod-a3f2e1");
  private static final Instant START = Instant.parse("2026-11-21T10:00:00Z");

  @TempDir private Path home;

  private Cli coral(String... arguments) {
    return Cli.run(Map.of(CoralHome.VARIABLE, home.toString()), arguments);
  }

  @Test
  void withoutAProxyThereIsNothingToShowAndNothingToStop() {
    assertEquals(0, coral("proxy", "list").exitCode());
    assertEquals("{\"proxies\":[]}\n", coral("proxy", "status", "-o", "json").out());
    Cli stop = coral("proxy", "stop", COLONY.value());
    assertEquals(1, stop.exitCode());
    assertTrue(stop.err().contains("no proxy of " + COLONY + " is running"), stop.err());
    assertTrue(stop.err().contains("coral proxy start"), stop.err());
  }

  @Test
  void aColonyThatNobodyHasHeardOfHereIsNotTriedForEver() {
    Cli start = coral("proxy", "start", COLONY.value());
    assertEquals(1, start.exitCode());
    assertTrue(start.err().contains("colony " + COLONY + " is not known here"), start.err());
    assertFalse(Files.exists(home.resolve("proxies")));
    assertEquals(2, coral("proxy", "start", COLONY.value(), "--listen", "nowhere").exitCode());
  }

  @Test
  void aSecondProxyOfAColonyIsRefusedAndAnAgentsIsNotStopped() throws IOException {
    write(state(RunningProcess.current(), true));
    Cli start = coral("proxy", "start", "my-app-prod", "--daemon");
    assertEquals(1, start.exitCode());
    assertTrue(start.err().contains("runs already, on localhost:8000"), start.err());
    Cli stop = coral("proxy", "stop");
    assertEquals(1, stop.exitCode());
    assertTrue(stop.err().contains("is part of the agent proxy-alice-laptop"), stop.err());
  }

  @Test
  void whatAKilledProxyLeftIsToldAndCleared() throws IOException {
    RunningProcess self = RunningProcess.current();
    write(state(new RunningProcess(self.pid(), self.startedAt() + "1"), false));
    assertTrue(coral("proxy", "list").out().contains("killed"));
    assertTrue(coral("proxy", "status").out().startsWith("No proxy is running"));
    Cli stop = coral("proxy", "stop", COLONY.value());
    assertEquals(1, stop.exitCode());
    assertTrue(stop.err().contains("was killed; what it left is cleared"), stop.err());
    assertTrue(coral("proxy", "list").out().contains("stopped"));
  }

  @Test
  void aStateThatCannotBeUnderstoodIsNoAnswer() throws IOException {
    ProxyDirectory directory = ProxyDirectory.of(home, COLONY);
    SecureFiles.createDirectory(directory.path());
    SecureFiles.write(
        directory.path().resolve("state.json"), "{\"ver".getBytes(StandardCharsets.UTF_8));
    for (String command : List.of("list", "status", "stop", "start")) {
      Cli cli = coral("proxy", command, COLONY.value());
      boolean takesNone = command.equals("list");
      Cli shown = takesNone ? coral("proxy", "list") : cli;
      assertEquals(1, shown.exitCode(), command);
      assertTrue(shown.err().contains("state.json cannot be understood"), shown.err());
    }
  }

  /** RFD 005, "Check proxy status". */
  @Test
  void theStatusSaysWhereRequestsGoAndWhy() {
    ProxyState proxy = state(RunningProcess.current(), false);
    assertEquals(
        """
        Active Proxies:
          my-app-prod-a3f2e1
            ├─ Listening: localhost:8000
            ├─ Colony: 10.42.0.1:9000 / [fd42::1]:9000
            ├─ Mesh IPs: 10.42.0.15 / fd42::f
            ├─ Status: Connected
            ├─ Way: 203.0.113.42:9000 over the public port, because CAP_NET_ADMIN is missing
            ├─ Role: proxy as proxy-alice-laptop
            ├─ PID: %d
            └─ Uptime: 2 h 15 min
        """
            .formatted(proxy.process().pid()),
        ProxyStatusCommand.text(List.of(proxy), START.plusSeconds(2 * 3600 + 15 * 60)));
  }

  @Test
  void aTakenPortIsToldWithItsHolderAndTheNextFreeOne() throws IOException {
    InetAddress loopback = InetAddress.getByName("127.0.0.1");
    try (ServerSocket taken = new ServerSocket(0, 1, loopback)) {
      ListenAddress address = new ListenAddress(loopback, taken.getLocalPort());
      CommandFailedException failure =
          assertThrows(CommandFailedException.class, () -> address.requireFree(List.of()));
      assertTrue(String.valueOf(failure.getMessage()).contains("cannot listen on " + address));
      assertTrue(failure.next().startsWith("Free is --listen 127.0.0.1:"), failure.next());
    }
    ListenAddress.Converter converter = new ListenAddress.Converter();
    assertEquals("127.0.0.1:8001", converter.convert("8001").toString());
    assertEquals("[0:0:0:0:0:0:0:1]:0", converter.convert("[::1]:0").toString());
    for (String wrong : List.of("", "a", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1")) {
      assertThrows(TypeConversionException.class, () -> converter.convert(wrong), wrong);
    }
  }

  @Test
  void aLogNeverOutgrowsTwiceItsBound() throws IOException {
    Path log = home.resolve("proxy.log");
    Files.writeString(log, "before\n");
    try (BoundedLog out = BoundedLog.open(log, 100)) {
      for (int i = 0; i < 100; i++) {
        out.write(("line " + i + "\n").getBytes(StandardCharsets.UTF_8));
        assertTrue(Files.size(log) <= 100);
      }
      out.write(new byte[1000]);
    }
    assertEquals(100, Files.size(log));
    assertTrue(Files.size(BoundedLog.former(log)) <= 100);
    Files.writeString(log, "last\n");
    assertArrayEquals(new String[] {"line 99", "last"}, ProxyLogsCommand.last(log, 2).toArray());
  }

  private void write(ProxyState state) throws IOException {
    ProxyDirectory directory = ProxyDirectory.of(home, COLONY);
    SecureFiles.createDirectory(directory.path());
    directory.write(state);
  }

  private static ProxyState state(RunningProcess process, boolean isEmbedded) {
    return new ProxyState(
        COLONY,
        new AgentId("proxy-alice-laptop"),
        process,
        isEmbedded,
        new Endpoint("127.0.0.1", 8000),
        false,
        Optional.of(new ProxyState.Mesh("10.42.0.15", "fd42::f", "10.42.0.1", "fd42::1", 9000, "")),
        Optional.of(Way.PUBLIC),
        Optional.of(new Endpoint("203.0.113.42", 9000)),
        Optional.of("CAP_NET_ADMIN is missing"),
        Optional.of(Role.PROXY),
        ProxyState.Status.CONNECTED,
        Optional.empty(),
        START,
        START);
  }
}
