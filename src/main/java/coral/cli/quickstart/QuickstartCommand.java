package coral.cli.quickstart;

import coral.cli.CommandFailedException;
import coral.cli.CommandLine;
import coral.cli.CoralCommand;
import coral.cli.HumanTime;
import coral.cli.Json;
import coral.cli.OutputFormat;
import coral.cli.Table;
import coral.linux.LinuxException;
import coral.linux.TunDevice;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code coral quickstart}. */
@Command(
    name = "quickstart",
    description = {
      "A whole mesh on this machine: discovery, a colony and agents, each a process of its own.",
      "",
      "As root on Linux each agent lives in a network namespace of its own with an interface"
          + " coral0; the host's interfaces, routes and resolver are not touched. Without root the"
          + " tunnels end inside the agents' processes. It stays up until Ctrl-C, then nothing is"
          + " left of it."
    },
    footer = {
      "JSON: {colonyId, coralHome, endpoint, caFingerprint, namespaces, seconds, problems[],",
      "agents: [{agentId, ipv4, ipv6, certificateSerial, joinMilliseconds, lastHandshake,",
      "roundTripIpv4Milliseconds, roundTripIpv6Milliseconds}]}; what is not known is null.",
      "Steps then go to standard error.",
      "",
      "Examples:",
      "  coral quickstart",
      "  coral quickstart --agents 10 --once        start, verify, leave; the exit code tells"
    })
public final class QuickstartCommand implements Callable<Integer> {
  private static final int MAX_AGENTS = 50;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--agents",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "How many agents, 1 to " + MAX_AGENTS + " (default: 3). Each needs about 200 MB.")
  private int agents;

  @Option(names = "--once", description = "Verify that every agent is reached, and leave.")
  private boolean once;

  @Option(
      names = "--user-space",
      description = "Use neither namespaces nor interfaces, even as root.")
  private boolean userSpace;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table (the default), json or yaml.")
  private OutputFormat output = OutputFormat.TABLE;

  @Option(
      names = "--archive-classes",
      hidden = true,
      description = "Leave lists of the classes that each kind of process loads.")
  private boolean archiveClasses;

  /** Made by picocli. */
  public QuickstartCommand() {}

  @Override
  public Integer call() throws Exception {
    CommandSpec command = CoralCommand.given(spec);
    if (agents < 1 || agents > MAX_AGENTS) {
      throw new ParameterException(
          command.commandLine(), "--agents is 1 to " + MAX_AGENTS + ", not " + agents);
    }
    PrintWriter out = command.commandLine().getOut();
    PrintWriter err = command.commandLine().getErr();
    InstantSource clock = InstantSource.system();
    Progress progress = new Progress(output.isStructured() ? err : out, clock);

    TemporaryHome.deleteStale();
    Cleanup cleanup = new Cleanup();
    Thread onSignal = new Thread(() -> endBySignal(cleanup), "quickstart-signal");
    Runtime.getRuntime().addShutdownHook(onSignal);
    try {
      TemporaryHome home = cleanup.make(TemporaryHome::create);
      // JNA unpacks its library where this says, and this process uses it, too.
      System.setProperty("jna.tmpdir", home.temporaryFiles().toString());
      Network network = cleanup.make(() -> network(progress));
      Quickstart quickstart =
          cleanup.make(
              () ->
                  new Quickstart(
                      agents,
                      network,
                      home,
                      JavaCommand.ofThisProcess(archiveClasses),
                      progress,
                      warning -> err.println("coral: " + warning),
                      clock));
      return run(quickstart, cleanup, progress, out, err, clock);
    } catch (IOException e) {
      if (cleanup.isClosing()) {
        return CommandLine.DONE; // as in run
      }
      throw e;
    } finally {
      cleanup.close();
      removeShutdownHook(onSignal);
    }
  }

  private int run(
      Quickstart quickstart,
      Cleanup cleanup,
      Progress progress,
      PrintWriter out,
      PrintWriter err,
      InstantSource clock)
      throws IOException, InterruptedException {
    try {
      Quickstart.Mesh mesh = quickstart.start();
      Duration took = progress.elapsed();
      if (output.isStructured()) {
        out.print(output.document(json(mesh, took)));
        out.flush();
      } else {
        progress.plain("\n" + table(mesh.agents(), clock.instant()) + "\n");
      }
      if (!mesh.problems().isEmpty()) {
        throw new QuickstartFailedException(String.join("; ", mesh.problems()));
      }
      if (once) {
        progress.say("verified: every agent answers over IPv4 and IPv6, no address twice");
        return CommandLine.DONE;
      }
      progress.plain(queries(mesh));
      quickstart.stay();
      return CommandLine.DONE;
    } catch (QuickstartFailedException e) {
      if (cleanup.isClosing()) {
        return CommandLine.DONE; // what a signal cuts off fails, and nobody needs to know
      }
      for (String line : e.lastLines()) {
        err.println("  | " + line);
      }
      err.flush();
      throw new CommandFailedException(
          e.reason(),
          e.lastLines().isEmpty() ? "" : "Its last lines are above. Everything was stopped again.",
          e);
    }
  }

  /** Ends everything, then the process: by itself Java would exit with 128 + the signal. */
  private static void endBySignal(Cleanup cleanup) {
    cleanup.close();
    Runtime.getRuntime().halt(CommandLine.DONE);
  }

  private static void removeShutdownHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // a signal ends the process already
    }
  }

  private Network network(Progress progress) throws IOException {
    String obstacle = obstacle();
    if (obstacle.isEmpty()) {
      try {
        NamespaceNetwork network = NamespaceNetwork.create();
        progress.say(network.description());
        return network;
      } catch (LinuxException e) {
        obstacle = e.getMessage(); // root in a container may open TUN and still make no namespace
      }
    }
    LoopbackNetwork network = LoopbackNetwork.create();
    progress.say(network.description() + " (" + obstacle + ")");
    return network;
  }

  /** Why there can be no namespaces and interfaces; empty if there probably can. */
  private String obstacle() {
    return userSpace ? "as asked for" : TunDevice.unavailableReason();
  }

  private static String table(List<AgentReport> agents, Instant now) {
    Table table =
        new Table(
            "AGENT", "IPV4", "IPV6", "CERTIFICATE", "HANDSHAKE", "PING V4", "PING V6", "JOIN");
    for (AgentReport agent : agents) {
      table.row(
          agent.agentId(),
          agent.ipv4(),
          agent.ipv6(),
          agent.certificateSerial(),
          agent.handshake().map(then -> HumanTime.ago(then, now)).orElse(""),
          agent.roundTripIpv4().map(HumanTime::milliseconds).orElse(""),
          agent.roundTripIpv6().map(HumanTime::milliseconds).orElse(""),
          agent.join().map(join -> join.toMillis() + " ms").orElse(""));
    }
    return table.toString();
  }

  private static String queries(Quickstart.Mesh mesh) {
    String prefix = "  CORAL_HOME=" + mesh.home() + " ./coral ";
    String suffix = " --endpoint " + mesh.exposed() + "\n";
    return "Ask the colony from another terminal:\n"
        + prefix
        + "status"
        + suffix
        + prefix
        + "agents"
        + suffix
        + "\nCtrl-C ends everything and leaves nothing behind.\n";
  }

  private String json(Quickstart.Mesh mesh, Duration took) {
    return Json.object(
        json ->
            json.put("colonyId", mesh.colony().colonyId().value())
                .put("coralHome", mesh.home().toString())
                .put("endpoint", mesh.exposed().toString())
                .put("caFingerprint", mesh.colony().caFingerprint().value())
                .put("namespaces", mesh.namespaces())
                .put("seconds", took.toMillis() / 1e3)
                .putStrings("problems", mesh.problems())
                .putObjects("agents", mesh.agents(), QuickstartCommand::put));
  }

  private static void put(Json json, AgentReport agent) {
    json.put("agentId", agent.agentId())
        .put("ipv4", agent.ipv4())
        .put("ipv6", agent.ipv6())
        .put("certificateSerial", agent.certificateSerial());
    milliseconds(json, "joinMilliseconds", agent.join());
    json.put("lastHandshake", agent.handshake());
    milliseconds(json, "roundTripIpv4Milliseconds", agent.roundTripIpv4());
    milliseconds(json, "roundTripIpv6Milliseconds", agent.roundTripIpv6());
  }

  private static void milliseconds(Json json, String name, Optional<Duration> value) {
    value.ifPresentOrElse(
        present -> json.put(name, present.toNanos() / 1e6), () -> json.putNull(name));
  }
}
