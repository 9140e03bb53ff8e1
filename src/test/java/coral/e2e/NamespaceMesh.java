package coral.e2e;

import coral.certificate.AuthoritySettings;
import coral.certificate.KeyType;
import coral.colony.ColonyFiles;
import coral.linux.IcmpEcho;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.testing.NetworkTopology;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * A colony and its discovery in the hub of a {@link NetworkTopology} and agents on its hosts, each
 * in a process of its own with a real {@code coral0}. Closing it ends every process and removes the
 * network.
 */
final class NamespaceMesh implements AutoCloseable {
  /** Where the agents look for the colony. */
  static final int PORT = 9000;

  /** Where they look for discovery. */
  static final int DISCOVERY_PORT = 8080;

  /** Where agents find the colony's WireGuard socket unless a test moves it. */
  static final Endpoint WIREGUARD = Endpoint.parse("10.99.0.254:41820");

  private static final String HUB = "10.99.0.254";
  private static final Contact DIRECT = Contact.at(PORT, DISCOVERY_PORT);
  private static final String FINGERPRINT = "colonies pin its certificate: ";
  private static final Duration ECHO_TIMEOUT = Duration.ofMillis(500);

  /** What an agent pays with for its first certificate. */
  enum Payment {
    /** The line that the administrator made for it. */
    INVITATION,
    /** A token that discovery gives for the colony's secret. */
    TOKEN,
    /** The secret itself, as before there were tokens. */
    LEGACY_SECRET
  }

  /** Where an agent believes to find the colony and discovery. */
  record Contact(Endpoint colony, Endpoint discovery) {
    /** At these ports of the hub. */
    static Contact at(int colonyPort, int discoveryPort) {
      return new Contact(new Endpoint(HUB, colonyPort), new Endpoint(HUB, discoveryPort));
    }
  }

  private final Path home;
  private final NetworkTopology topology;
  private final ColonyFiles.Created created;
  private final Path agentSettings;
  private final List<ChildProcess> processes = new ArrayList<>();
  private @Nullable String discoveryFingerprint;
  private @Nullable ChildProcess colony;
  private int port;

  private NamespaceMesh(
      Path home, NetworkTopology topology, ColonyFiles.Created created, Path agentSettings) {
    this.home = home;
    this.topology = topology;
    this.created = created;
    this.agentSettings = agentSettings;
  }

  /**
   * Builds the network and makes a colony; nothing is started yet.
   *
   * @param authority the colony's: RSA keys, the default, take seconds to make
   */
  static NamespaceMesh create(Path home, int hosts, KeyType authority) throws Exception {
    ColonyId id = ColonyFiles.newId("shop", "test");
    ColonyFiles.Created created =
        ColonyFiles.createIn(
            ColonyFiles.directory(home, id),
            id,
            "shop",
            "test",
            new AuthoritySettings(authority, Optional.empty(), Optional.empty(), Optional.empty()),
            InstantSource.system());
    // Short pauses: what is shown here is that things come back, not how patient they are.
    Path agentSettings =
        Files.writeString(
            home.resolve("agent.conf"),
            "coral.agent { probe.interval = 1s, back-off.longest = 2s }\n",
            StandardCharsets.UTF_8);
    return new NamespaceMesh(home, NetworkTopology.create(hosts), created, agentSettings);
  }

  NetworkTopology topology() {
    return topology;
  }

  ColonyFiles.Created created() {
    return created;
  }

  /** Starts discovery and waits until it listens. */
  void startDiscovery() throws Exception {
    ChildProcess discovery =
        start(
            topology::inHub,
            home,
            "128m",
            Map.of("CORAL_DISCOVERY_PORT", Integer.toString(DISCOVERY_PORT)),
            List.of("discovery", "start"));
    String told = discovery.await(0, line -> line.contains(FINGERPRINT), "discovery to listen");
    discoveryFingerprint = told.substring(told.indexOf(FINGERPRINT) + FINGERPRINT.length()).strip();
  }

  /** What agents and colonies pin discovery by. */
  String discoveryFingerprint() {
    String known = discoveryFingerprint;
    if (known == null) {
      throw new IllegalStateException("discovery was not started");
    }
    return known;
  }

  /** Starts the colony where agents find it, and waits until it is ready. */
  void startColony() throws Exception {
    startColony(PORT, WIREGUARD, "");
  }

  /**
   * Starts the colony and waits until it is ready.
   *
   * @param port of its calls; agents find it at {@link #PORT} only
   * @param wireGuard an address of the hub, and the port of its WireGuard socket
   * @param more settings inside of {@code coral.colony}
   */
  void startColony(int port, Endpoint wireGuard, String more) throws Exception {
    Path settings =
        Files.writeString(
            home.resolve("colony-" + port + ".conf"),
            """
            coral.colony {
              listen.port = %d
              wireguard { device = tun, port = %d }
              public-endpoints = ["%s"]
              heartbeat-interval = 1s
              discovery { url = "https://%s:%d", fingerprint = "%s" }
              %s
            }
            """
                .formatted(
                    port,
                    wireGuard.port(),
                    wireGuard,
                    HUB,
                    DISCOVERY_PORT,
                    discoveryFingerprint(),
                    more),
            StandardCharsets.UTF_8);
    ChildProcess started =
        start(
            topology::inHub,
            home,
            "384m",
            Map.of(),
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

  /** Starts an agent that has no certificate yet; does not wait for its join. */
  Agent startAgent(String id, int host, Payment payment) throws Exception {
    return startAgent(id, host, payment, DIRECT);
  }

  /** Starts an agent that has no certificate yet; does not wait for its join. */
  Agent startAgent(String id, int host, Payment payment, Contact contact) throws Exception {
    if (payment == Payment.INVITATION) {
      String invitation = asAdministrator(administrator -> administrator.invitation(id));
      return startAgent(id, host, contact, Map.of(), List.of(invitation));
    }
    return startAgent(
        id,
        host,
        contact,
        payment == Payment.LEGACY_SECRET
            ? Map.of("CORAL_LEGACY_SEND_COLONY_SECRET", "true")
            : Map.of(),
        List.of(
            created.colonyId().value(),
            "--colony-secret-file",
            created.secretFile().toString(),
            "--ca-fingerprint",
            created.caFingerprint().value(),
            "--discovery",
            "https://" + contact.discovery(),
            "--discovery-fingerprint",
            discoveryFingerprint()));
  }

  /** Starts an agent with what it keeps on its disk and nothing to pay with. */
  Agent startAgentAgain(String id, int host) throws Exception {
    return startAgent(id, host, DIRECT, Map.of(), List.of(created.colonyId().value()));
  }

  private Agent startAgent(
      String id,
      int host,
      Contact contact,
      Map<String, String> environment,
      List<String> credentials)
      throws Exception {
    List<String> arguments = new ArrayList<>();
    arguments.add("connect");
    arguments.addAll(credentials);
    arguments.addAll(List.of("--agent-id", id, "--device", "tun", "-o", "json"));
    arguments.addAll(List.of("--colony-endpoint", contact.colony().toString()));
    arguments.addAll(List.of("--config", agentSettings.toString()));
    return new Agent(
        id,
        host,
        start(task -> topology.on(host, task), home.resolve(id), "96m", environment, arguments));
  }

  /** Where an agent keeps what it has. */
  AgentState stateOf(String id) {
    return new AgentState(home.resolve(id).resolve("agents").resolve(id));
  }

  /** Starts a command of the administrator, in the hub. */
  ChildProcess coral(String... arguments) throws Exception {
    ChildRuntime runtime = ChildRuntime.small(Files.createDirectories(home.resolve("tmp")), "96m");
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--endpoint", new Endpoint("127.0.0.1", port).toString()));
    ChildProcess process =
        topology.inHub(
            () -> runtime.start(Map.of("CORAL_HOME", home.toString()), all.toArray(String[]::new)));
    processes.add(process);
    return process;
  }

  /**
   * Starts a command on a host, with the home of the administrator and without its endpoint.
   *
   * @param arguments of {@code coral}
   */
  ChildProcess coralOn(int host, String... arguments) throws Exception {
    ChildRuntime runtime = ChildRuntime.small(Files.createDirectories(home.resolve("tmp")), "96m");
    ChildProcess process =
        topology.on(host, () -> runtime.start(Map.of("CORAL_HOME", home.toString()), arguments));
    processes.add(process);
    return process;
  }

  /** Starts a service of a home on a host, such as another colony; does not wait for it. */
  ChildProcess serviceOn(int host, Path ofHome, String... arguments) throws Exception {
    return start(task -> topology.on(host, task), ofHome, "384m", Map.of(), List.of(arguments));
  }

  private ChildProcess start(
      Place place, Path home, String heap, Map<String, String> environment, List<String> arguments)
      throws Exception {
    ChildRuntime runtime = ChildRuntime.small(Files.createDirectories(home.resolve("tmp")), heap);
    Map<String, String> all = new HashMap<>(environment);
    all.put("CORAL_HOME", home.toString());
    ChildProcess process =
        place.start(() -> runtime.startService(all, arguments.toArray(String[]::new)));
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
    Administrator administrator = administrator();
    Callable<T> task = () -> query.run(administrator);
    return topology.inHub(task);
  }

  /** Who asks the colony in the hub's namespace; one keeps its connection. */
  Administrator administrator() throws IOException {
    return new Administrator(created, new Endpoint("127.0.0.1", port));
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
