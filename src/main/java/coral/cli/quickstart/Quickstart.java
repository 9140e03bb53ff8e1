package coral.cli.quickstart;

import coral.colony.ColonyFiles;
import coral.files.Pem;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.IpPrefix;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** One mesh: the processes, from the first to the last, and the end of all of them. */
final class Quickstart implements Cleanup.Resource {
  /** A machine that is busy needs seconds for each agent; one that needs longer is stuck. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final Duration PATIENCE_PER_AGENT = Duration.ofSeconds(5);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final Duration PING_TIMEOUT = Duration.ofSeconds(3);

  private static final Duration STOP_GRACE = Duration.ofSeconds(20);

  /** Between them they load the classes that people's commands do. */
  private static final Map<JavaCommand.Kind, List<List<String>>> COMMANDS =
      Map.of(
          JavaCommand.Kind.QUERY,
          List.of(
              List.of("agents"),
              List.of("status"),
              List.of("topology"),
              List.of("allocations"),
              List.of("agent", "show", "agent-1"),
              List.of("wg", "show", "-o", "yaml")),
          JavaCommand.Kind.COMMAND,
          List.of(
              List.of("ping", "agent-1", "-c", "1"),
              List.of("complete", "--", "agent", "show", "")));

  private final int agentCount;
  private final Network network;
  private final TemporaryHome home;
  private final JavaCommand java;
  private final Progress progress;
  private final Consumer<String> warnings;
  private final InstantSource clock;
  private final Children children;
  private final Deadline deadline;

  /**
   * @param warnings told of processes that end on their own later
   */
  Quickstart(
      int agentCount,
      Network network,
      TemporaryHome home,
      JavaCommand java,
      Progress progress,
      Consumer<String> warnings,
      InstantSource clock) {
    this.agentCount = agentCount;
    this.network = network;
    this.home = home;
    this.java = java;
    this.progress = progress;
    this.warnings = warnings;
    this.clock = clock;
    this.children = new Children(clock);
    this.deadline = Deadline.in(PATIENCE.plus(PATIENCE_PER_AGENT.multipliedBy(agentCount)), clock);
  }

  /** A mesh that is up. */
  record Mesh(
      ColonyFiles.Created colony,
      Path home,
      Endpoint exposed,
      boolean namespaces,
      List<AgentReport> agents,
      List<String> problems) {}

  /** Starts everything and waits until each agent has joined and probed its tunnel. */
  Mesh start() throws IOException, QuickstartFailedException, InterruptedException {
    ChildSettings settings = new ChildSettings(home.directory(), network);
    children.newGroup();
    Child discovery = startDiscovery(settings);
    ColonyFiles.Created colony = ColonyFiles.create("quickstart", "local", home.directory(), clock);
    progress.say(
        "made colony "
            + colony.colonyId()
            + ": secret, WireGuard key, authority "
            + colony.caFingerprint());
    awaitListening(discovery, network.ports().discovery());
    Fingerprint pin = fingerprint(settings.discoveryCertificate());
    progress.say("discovery answers at " + discoveryUrl() + " (" + pin + ")");

    children.newGroup();
    Child server =
        start(
            "colony",
            network.hub(),
            JavaCommand.Kind.COLONY,
            home.directory(),
            settings.colonyArguments(colony, discoveryUrl(), pin));
    awaitReady(server, network.ports().management());
    Endpoint exposed = network.exposed();
    progress.say(
        "the colony is ready: "
            + new Endpoint(network.hubAddresses().get(0), network.ports().colony())
            + ", WireGuard on "
            + network.ports().wireGuard()
            + "/udp");

    children.newGroup();
    List<AgentReport> agents = startAgents(settings, colony, pin);
    List<String> problems = new ArrayList<>(Verification.problems(agentCount, agents));
    problems.addAll(pingEachOther(agents));
    if (java.archiving()) {
      listClassesOfCommands();
    }
    return new Mesh(colony, home.directory(), exposed, network.hasInterfaces(), agents, problems);
  }

  private Child startDiscovery(ChildSettings settings) throws IOException {
    return start(
        "discovery",
        network.hub(),
        JavaCommand.Kind.DISCOVERY,
        home.directory(),
        settings.discoveryArguments());
  }

  private String discoveryUrl() {
    return "https://" + new Endpoint(network.hubAddresses().get(0), network.ports().discovery());
  }

  private Child start(
      String name, Place place, JavaCommand.Kind kind, Path coralHome, List<String> arguments)
      throws IOException {
    return children.start(name, place, builder(kind, coralHome, arguments), line -> {});
  }

  private ProcessBuilder builder(JavaCommand.Kind kind, Path coralHome, List<String> arguments) {
    ProcessBuilder builder = new ProcessBuilder(java.line(kind, home.temporaryFiles(), arguments));
    builder.directory(home.directory().toFile());
    // What the user has set for other colonies must not reach this one.
    builder.environment().keySet().removeIf(name -> name.startsWith("CORAL_"));
    builder.environment().put("CORAL_HOME", coralHome.toString());
    return builder;
  }

  /** A few at a time, so that the joins are not slowed by the starts of the others. */
  private List<AgentReport> startAgents(
      ChildSettings settings, ColonyFiles.Created colony, Fingerprint pin)
      throws IOException, QuickstartFailedException, InterruptedException {
    int atOnce = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    ExecutorService starters = Executors.newFixedThreadPool(atOnce);
    try {
      List<Future<AgentReport>> joins = new ArrayList<>();
      for (int i = 1; i <= agentCount; i++) {
        int number = i;
        joins.add(starters.submit(() -> startAgent(number, settings, colony, pin)));
      }
      List<AgentReport> reports = new ArrayList<>();
      for (Future<AgentReport> join : joins) {
        reports.add(join.get());
      }
      return reports;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof QuickstartFailedException failure) {
        throw failure;
      }
      throw e.getCause() instanceof IOException failure ? failure : new IOException(e.getCause());
    } finally {
      starters.shutdownNow();
    }
  }

  private AgentReport startAgent(
      int number, ChildSettings settings, ColonyFiles.Created colony, Fingerprint pin)
      throws IOException, QuickstartFailedException, InterruptedException {
    String name = "agent-" + number;
    Path host = Files.createDirectory(home.directory().resolve(name));
    Place place = network.agent(number);
    AgentEvents events = new AgentEvents(clock);
    ProcessBuilder builder =
        builder(
            JavaCommand.Kind.AGENT,
            host,
            settings.agentArguments(name, colony, discoveryUrl(), pin));
    Child agent = children.start(name, place, builder, events::accept);
    var unused = agent.onExit().thenRun(() -> events.ended(name));
    try {
      AgentReport report =
          events.joined().get(deadline.remaining().toMillis(), TimeUnit.MILLISECONDS);
      progress.say(
          name
              + " joined: "
              + report.ipv4()
              + ", "
              + report.ipv6()
              + report.join().map(join -> ", join " + join.toMillis() + " ms").orElse(""));
      return report;
    } catch (ExecutionException e) {
      throw failed(agent, name + " did not join");
    } catch (TimeoutException e) {
      throw failed(agent, name + " did not join in time");
    }
  }

  /**
   * Each agent to the next one, in a ring, through the colony; only where agents have interfaces.
   */
  private List<String> pingEachOther(List<AgentReport> agents) throws IOException {
    List<String> problems = new ArrayList<>();
    if (!network.hasInterfaces() || agents.size() < 2) {
      return problems;
    }
    for (int i = 0; i < agents.size(); i++) {
      AgentReport to = agents.get((i + 1) % agents.size());
      for (String address : List.of(to.ipv4(), to.ipv6())) {
        InetAddress target = IpPrefix.parseAddress(address);
        Optional<Duration> answer = network.agent(i + 1).ping(target, PING_TIMEOUT);
        if (answer.isEmpty()) {
          problems.add(agents.get(i).agentId() + " cannot ping " + to.agentId() + " at " + address);
        }
      }
    }
    if (problems.isEmpty()) {
      progress.say("every agent pinged its neighbour through the colony, over IPv4 and IPv6");
    }
    return problems;
  }

  private void listClassesOfCommands()
      throws IOException, QuickstartFailedException, InterruptedException {
    for (JavaCommand.Kind kind : COMMANDS.keySet()) {
      for (List<String> arguments : COMMANDS.get(kind)) {
        // Without --endpoint it looks for all ways there are, as people's commands do.
        ProcessBuilder builder = builder(kind, home.directory(), arguments);
        builder.environment().put("CORAL_COLONY_PORT", Integer.toString(network.ports().colony()));
        Child command = children.start("command", network.hub(), builder, line -> {});
        if (!command.waitFor(deadline.remaining()) || command.exitCode() != 0) {
          throw failed(command, "a command failed");
        }
      }
    }
  }

  private void awaitListening(Child child, int port)
      throws IOException, QuickstartFailedException, InterruptedException {
    InetSocketAddress address =
        new InetSocketAddress(IpPrefix.parseAddress(network.hubAddresses().get(0)), port);
    await(child, () -> network.hub().isListening(address));
  }

  private void awaitReady(Child child, int managementPort)
      throws IOException, QuickstartFailedException, InterruptedException {
    InetSocketAddress address =
        new InetSocketAddress(IpPrefix.parseAddress("127.0.0.1"), managementPort);
    await(child, () -> network.hub().isReady(address));
  }

  private void await(Child child, java.util.function.BooleanSupplier condition)
      throws QuickstartFailedException, InterruptedException {
    while (!condition.getAsBoolean()) {
      if (child.waitFor(POLL)) {
        throw failed(child, child.name() + " ended with exit code " + child.exitCode());
      }
      if (deadline.hasPassed()) {
        throw failed(child, child.name() + " was not ready in time");
      }
    }
  }

  private static QuickstartFailedException failed(Child child, String message) {
    return new QuickstartFailedException(message, child.lastLines());
  }

  private static Fingerprint fingerprint(Path certificate) throws IOException {
    try {
      return Fingerprint.of(Pem.readCertificates(certificate).get(0).getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IOException(certificate + ": " + e.getMessage(), e);
    }
  }

  /**
   * Waits until a process ends on its own. Agents may: the others do without them.
   *
   * @throws QuickstartFailedException if discovery or the colony ended
   */
  void stay() throws QuickstartFailedException, InterruptedException {
    Child ended = children.awaitEndOfServer(agent -> warnings.accept(endOf(agent)));
    throw failed(ended, endOf(ended));
  }

  private static String endOf(Child child) {
    return child.name() + " ended with exit code " + child.exitCode();
  }

  /** Ends every process; the network and the files are not its own. */
  @Override
  public void close() {
    children.stop(STOP_GRACE);
  }
}
