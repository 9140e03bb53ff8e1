package coral.e2e;

import coral.colony.ColonyFiles;
import coral.linux.IcmpEcho;
import coral.model.Endpoint;
import coral.testing.NetworkTopology;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * A colony in the hub of a {@link NetworkTopology} and agents on its hosts, each in a process of
 * its own with a real {@code coral0}. Closing it ends every process and removes the network.
 */
final class NamespaceMesh implements AutoCloseable {
  /** Where the agents look for the colony. */
  static final int PORT = 9000;

  /** Where agents find the colony's WireGuard socket unless a test moves it. */
  static final Endpoint WIREGUARD = Endpoint.parse("10.99.0.254:41820");

  private static final String HUB = "10.99.0.254";
  private static final Duration ECHO_TIMEOUT = Duration.ofMillis(500);

  private final Path home;
  private final NetworkTopology topology;
  private final ColonyFiles.Created created;
  private final Path agentSettings;
  private final List<ChildProcess> processes = new ArrayList<>();
  private @Nullable ChildProcess colony;
  private int port;

  private NamespaceMesh(
      Path home, NetworkTopology topology, ColonyFiles.Created created, Path agentSettings) {
    this.home = home;
    this.topology = topology;
    this.created = created;
    this.agentSettings = agentSettings;
  }

  /** Builds the network and makes a colony, which is not started yet. */
  static NamespaceMesh create(Path home, int hosts) throws Exception {
    ColonyFiles.Created created = ColonyFiles.create("shop", "test", home, InstantSource.system());
    // Short pauses: what is shown here is that things come back, not how patient they are.
    Path agentSettings =
        Files.writeString(
            home.resolve("agent.conf"),
            "coral.agent { probe.interval = 1s, back-off.longest = 2s,"
                + " legacy.send-colony-secret = true }\n",
            StandardCharsets.UTF_8);
    return new NamespaceMesh(home, NetworkTopology.create(hosts), created, agentSettings);
  }

  NetworkTopology topology() {
    return topology;
  }

  /**
   * Starts the colony and waits until it is ready.
   *
   * @param port of its calls; agents find it at {@link #PORT} only
   * @param wireGuard an address of the hub, and the port of its WireGuard socket
   */
  void startColony(int port, Endpoint wireGuard) throws Exception {
    Path settings =
        Files.writeString(
            home.resolve("colony-" + port + ".conf"),
            """
            coral.colony {
              listen.port = %d
              wireguard { device = tun, port = %d }
              public-endpoints = ["%s"]
              heartbeat-interval = 1s
              legacy.accept-colony-secret = true
            }
            """
                .formatted(port, wireGuard.port(), wireGuard),
            StandardCharsets.UTF_8);
    ChildProcess started =
        start(
            topology::inHub,
            home,
            "384m",
            List.of(
                "colony",
                "start",
                "--colony",
                created.colonyId().value(),
                "--config",
                settings.toString()));
    colony = started;
    this.port = port;
    started.await(0, line -> line.contains("is ready after"), "the colony to be ready");
  }

  ChildProcess colony() {
    ChildProcess started = colony;
    if (started == null) {
      throw new IllegalStateException("the colony was not started");
    }
    return started;
  }

  /** Starts an agent that buys its certificate with the secret; does not wait for its join. */
  Agent startAgent(String id, int host) throws Exception {
    return startAgent(
        id,
        host,
        List.of(
            "--colony-secret-file",
            created.secretFile().toString(),
            "--ca-fingerprint",
            created.caFingerprint().value()));
  }

  /** Starts an agent with what it keeps on its disk and no secret. */
  Agent startAgentAgain(String id, int host) throws Exception {
    return startAgent(id, host, List.of());
  }

  private Agent startAgent(String id, int host, List<String> credentials) throws Exception {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of("connect", created.colonyId().value(), "--agent-id", id));
    arguments.addAll(credentials);
    arguments.addAll(List.of("--colony-endpoint", HUB + ":" + PORT, "--device", "tun"));
    arguments.addAll(List.of("-o", "json", "--config", agentSettings.toString()));
    return new Agent(
        id, host, start(task -> topology.on(host, task), home.resolve(id), "96m", arguments));
  }

  private ChildProcess start(Place place, Path home, String heap, List<String> arguments)
      throws Exception {
    ChildRuntime runtime = ChildRuntime.small(Files.createDirectories(home.resolve("tmp")), heap);
    ChildProcess process =
        place.start(
            () ->
                runtime.startService(
                    Map.of("CORAL_HOME", home.toString()), arguments.toArray(String[]::new)));
    processes.add(process);
    return process;
  }

  /** Where a process is started, which decides its network. */
  private interface Place {
    ChildProcess start(Callable<ChildProcess> start) throws Exception;
  }

  /** Something that the administrator asks or does. */
  interface Query<T> {
    T run(Administrator administrator) throws Exception;
  }

  /** Runs a query from the hub's namespace. */
  <T> T asAdministrator(Query<T> query) throws Exception {
    Callable<T> task = () -> query.run(new Administrator(created, new Endpoint("127.0.0.1", port)));
    return topology.inHub(task);
  }

  /**
   * Waits until a host gets an answer from an address: with many short echoes, since what is on its
   * way when a tunnel breaks is lost.
   *
   * @throws AssertionError if none comes
   */
  void awaitEcho(Agent from, InetAddress to) throws Exception {
    long deadline = System.nanoTime() + ChildProcess.PATIENCE.toNanos();
    while (System.nanoTime() < deadline) {
      if (topology.on(from.host(), () -> IcmpEcho.ping(to, ECHO_TIMEOUT)).isPresent()) {
        return;
      }
    }
    throw from.process().failure("expected an echo from " + to.getHostAddress());
  }

  /** What the hub's network looks like. */
  NetworkState networkOfHub() throws Exception {
    return topology.inHub(NetworkState::now);
  }

  /** What a host's network looks like. */
  NetworkState networkOf(int host) throws Exception {
    return topology.on(host, NetworkState::now);
  }

  List<ChildProcess> processes() {
    return List.copyOf(processes);
  }

  @Override
  public void close() {
    try {
      processes.forEach(ChildProcess::close);
    } finally {
      topology.close();
    }
  }
}
