package coral.proxy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.SecureFiles;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.rpc.Role;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** RFD 005, "Proxy Config (Runtime State)". */
class ProxyDirectoryTest {
  private static final ColonyId COLONY = new ColonyId("shop-prod-a3f2e1");

  @TempDir private Path home;

  @Test
  void aStateIsReadAsItWasWritten() throws IOException {
    ProxyState connected = connected(RunningProcess.current());
    ProxyState waiting = waiting(RunningProcess.current());
    ProxyDirectory directory = directory();

    directory.write(connected);
    assertEquals(Optional.of(connected), directory.state());
    directory.write(waiting);
    assertEquals(Optional.of(waiting), directory.state());
    assertEquals(Optional.of(waiting), directory.running());
    assertEquals(
        "rw-------",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.stateFile())));
  }

  @Test
  void thereIsNoProxyBeforeTheFirstAndAfterTheLast() throws IOException {
    assertEquals(List.of(), ProxyDirectory.list(home));
    assertEquals(Optional.empty(), ProxyDirectory.of(home, COLONY).state());
    ProxyDirectory directory = directory();
    directory.write(connected(RunningProcess.current()));
    directory.clear();
    directory.clear();
    assertEquals(Optional.empty(), directory.state());
    assertEquals(
        List.of(COLONY), ProxyDirectory.list(home).stream().map(ProxyDirectory::colonyId).toList());
  }

  @Test
  void theStateOfAProcessThatHasEndedIsStale() throws Exception {
    Process process = new ProcessBuilder("sleep", "600").start();
    ProxyDirectory directory = directory();
    RunningProcess running = processOf(process);
    directory.write(connected(running));
    assertTrue(directory.running().isPresent());

    process.destroyForcibly();
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(Optional.empty(), directory.running());
    assertTrue(directory.state().isPresent(), "whoever cleans up needs to know what was there");
  }

  @Test
  void aLaterProcessWithTheNumberIsNotTheProxy() throws IOException {
    RunningProcess self = RunningProcess.current();
    assertTrue(self.isAlive());
    RunningProcess former = new RunningProcess(self.pid(), self.startedAt() + "1");
    assertFalse(former.isAlive());
    assertEquals(Optional.empty(), former.handle());
    ProxyDirectory directory = directory();
    directory.write(connected(former));
    assertEquals(Optional.empty(), directory.running());
  }

  @Test
  void aProcessThatNobodyHasWaitedForHasEnded() throws Exception {
    // The shell waits for its input, not for its child, which has ended.
    Process shell = new ProcessBuilder("sh", "-c", "true & echo $!; exec sleep 600").start();
    try {
      long child = Long.parseLong(shell.inputReader().readLine());
      long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
      while (!Files.readString(Path.of("/proc/" + child + "/stat")).contains(") Z ")) {
        assertTrue(System.nanoTime() < deadline, "the child does not end");
        Thread.onSpinWait();
      }
      String[] stat = Files.readString(Path.of("/proc/" + child + "/stat")).split(" ", -1);
      assertFalse(new RunningProcess(child, stat[21]).isAlive());
    } finally {
      shell.destroyForcibly();
    }
  }

  @Test
  void whatIsNoStateIsAnErrorAndNeverNoProxy() throws IOException {
    ProxyDirectory directory = directory();
    byte[] good = connected(RunningProcess.current()).toBytes();
    for (int length = 0; length < good.length - 2; length++) {
      refused(directory, Arrays.copyOf(good, length));
    }
    String text = new String(good, StandardCharsets.UTF_8);
    String message = refused(directory, bytes(text.replace("\"version\" : 1", "\"version\" : 2")));
    assertTrue(message.contains("version 2"), message);
    assertTrue(message.contains(directory.stateFile().toString()), message);
    refused(directory, bytes(text.replace("connected", "perhaps")));
    refused(directory, bytes(text.replace(COLONY.value(), "another-a3f2e1")));
    refused(directory, bytes(text + text));
    refused(directory, bytes("[]"));
    refused(directory, bytes("{}"));
  }

  @Test
  void namesOfALaterReleaseArePassedOver() throws IOException {
    ProxyState state = connected(RunningProcess.current());
    String text = new String(state.toBytes(), StandardCharsets.UTF_8);
    ProxyDirectory directory = directory();
    SecureFiles.write(
        directory.stateFile(),
        bytes(text.replaceFirst("\\{", "{\"later\": [{}, 1], \"a\": null,")));
    assertEquals(Optional.of(state), directory.state());
  }

  @Test
  void onlyOneProxyOfAColonyHoldsTheLock() throws IOException {
    ProxyDirectory directory = directory();
    try (ProxyDirectory.Lock held = directory.lock().orElseThrow()) {
      assertEquals(Optional.empty(), directory.lock());
      assertTrue(held != null);
    }
    directory.lock().orElseThrow().close();
  }

  private ProxyDirectory directory() throws IOException {
    ProxyDirectory directory = ProxyDirectory.of(home, COLONY);
    SecureFiles.createDirectory(directory.path());
    return directory;
  }

  private static String refused(ProxyDirectory directory, byte[] content) throws IOException {
    SecureFiles.write(directory.stateFile(), content);
    return String.valueOf(assertThrows(IOException.class, directory::running).getMessage());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static RunningProcess processOf(Process process) throws IOException {
    String[] stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat")).split(" ", -1);
    return new RunningProcess(process.pid(), stat[21]);
  }

  private static ProxyState connected(RunningProcess process) {
    return new ProxyState(
        COLONY,
        new AgentId("proxy-alice-laptop"),
        process,
        false,
        new Endpoint("127.0.0.1", 8000),
        false,
        Optional.of(
            new ProxyState.Mesh(
                "10.42.0.15", "fd42::f", "10.42.0.1", "fd42::1", 9000, "coral-a3f2e1")),
        Optional.of(Way.MESH),
        Optional.of(new Endpoint("10.42.0.1", 9000)),
        Optional.empty(),
        Optional.of(Role.PROXY),
        ProxyState.Status.CONNECTED,
        Optional.empty(),
        Instant.parse("2026-11-21T10:00:01.5Z"),
        Instant.parse("2026-11-21T10:00:00Z"));
  }

  private static ProxyState waiting(RunningProcess process) {
    return new ProxyState(
        COLONY,
        new AgentId("proxy-alice-laptop"),
        process,
        true,
        new Endpoint("::1", 8001),
        true,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        ProxyState.Status.CONNECTING,
        Optional.of("discovery at https://localhost:8080 says \"no\"\nand more"),
        Instant.parse("2026-11-21T10:00:01Z"),
        Instant.parse("2026-11-21T10:00:00Z"));
  }
}
