package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import coral.testing.Eventually;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.function.Predicate;

/**
 * The proxies of one home, on hosts of a {@link NamespaceMesh}. Closing it ends those left over.
 */
final class ProxySite implements AutoCloseable {
  private static final int TIMEOUT_MILLIS = 10_000;

  private final NamespaceMesh mesh;
  private final Path home;

  /** Of 10 s each. */
  private static final int LOOKS = 6;

  /** What somebody without our code has heard. */
  record Answer(int status, String body) {
    boolean isFrom(ColonyId colony) {
      return status == HttpURLConnection.HTTP_OK
          && body.contains("\"colonyId\":\"" + colony + "\"");
    }
  }

  ProxySite(NamespaceMesh mesh, Path home) {
    this.mesh = mesh;
    this.home = home;
  }

  /** Runs a command about proxies on host 0 to its end. */
  ChildProcess run(int exitCode, String... arguments) throws Exception {
    List<String> all = new ArrayList<>(List.of("proxy"));
    all.addAll(Arrays.asList(arguments));
    ChildProcess command = mesh.coralOn(0, all.toArray(String[]::new));
    assertEquals(exitCode, command.awaitExit(), command::log);
    return command;
  }

  /** Starts a proxy in the background on host 0; it forwards when this returns. */
  ChildProcess start(ColonyId colony, int port, String... more) throws Exception {
    List<String> all =
        new ArrayList<>(
            List.of(
                "start",
                colony.value(),
                "--daemon",
                "--listen",
                "127.0.0.1:" + port,
                "--config",
                home.resolve("agent.conf").toString(),
                "--discovery",
                "https://10.99.0.254:" + NamespaceMesh.DISCOVERY_PORT,
                "--discovery-fingerprint",
                mesh.discoveryFingerprint()));
    all.addAll(Arrays.asList(more));
    return run(0, all.toArray(String[]::new));
  }

  ProxyState state(ColonyId colony) throws IOException {
    return directory(colony)
        .running()
        .orElseThrow(() -> new AssertionError("no proxy of " + colony + " runs"));
  }

  ProxyDirectory directory(ColonyId colony) {
    return ProxyDirectory.of(home, colony);
  }

  /** Waits until a proxy is as it should be. */
  ProxyState await(ColonyId colony, Predicate<ProxyState> wanted) throws IOException {
    for (int i = 1; i < LOOKS; i++) {
      try {
        Eventually.holds(() -> assertTrue(wanted.test(state(colony))));
        return state(colony);
      } catch (AssertionError e) {
        // a loaded machine takes longer
      }
    }
    ProxyState last = state(colony);
    assertTrue(wanted.test(last), last::toString);
    return last;
  }

  /** What the colony says of itself to whoever calls a port of host 0. */
  Answer ask(int port) throws Exception {
    return onHost(
        () -> {
          HttpURLConnection call =
              (HttpURLConnection)
                  URI.create(
                          "http://localhost:" + port + "/coral.colony.v1.ColonyService/GetStatus")
                      .toURL()
                      .openConnection(Proxy.NO_PROXY);
          call.setConnectTimeout(TIMEOUT_MILLIS);
          call.setReadTimeout(TIMEOUT_MILLIS);
          call.setRequestProperty("Content-Type", "application/json");
          call.setRequestProperty("Connection", "close"); // kept ones know of no namespaces
          call.setDoOutput(true);
          call.getOutputStream().write("{}".getBytes(StandardCharsets.US_ASCII));
          int status = call.getResponseCode();
          try (InputStream in =
              status < HttpURLConnection.HTTP_BAD_REQUEST
                  ? call.getInputStream()
                  : call.getErrorStream()) {
            return new Answer(status, new String(in.readAllBytes(), StandardCharsets.UTF_8));
          }
        });
  }

  private <T> T onHost(Callable<T> task) throws Exception {
    return mesh.topology().on(0, task);
  }

  /** What a proxy may leave behind: what the next start needs, and its log. */
  List<String> filesOf(ColonyId colony) {
    return Arrays.stream(
            Objects.requireNonNullElse(directory(colony).path().toFile().list(), new String[0]))
        .sorted()
        .toList();
  }

  /** As a file that some other release has written. */
  void writeState(ColonyId colony, String text) throws IOException {
    SecureFiles.write(
        directory(colony).path().resolve("state.json"), text.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() throws IOException {
    for (ProxyDirectory directory : ProxyDirectory.list(home)) {
      directory
          .running()
          .flatMap(state -> state.process().handle())
          .ifPresent(ProcessHandle::destroyForcibly);
    }
  }
}
