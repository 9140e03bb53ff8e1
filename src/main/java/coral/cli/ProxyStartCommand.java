package coral.cli;

import ch.qos.logback.classic.Level;
import com.typesafe.config.Config;
import coral.agent.AgentProcess;
import coral.agent.AgentSettings;
import coral.agent.ProxyNotStartedException;
import coral.model.ColonyId;
import coral.model.InvitationText;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coral proxy start}. */
@Command(
    name = "start",
    description = {
      "Start a proxy of a colony, and stay until Ctrl+C, or go on in the background.",
      "",
      "The first start needs something to buy a certificate with, which is kept and renewed: the"
          + " colony's folder under CORAL_HOME with the certificate of an operator or"
          + " administrator, an invitation of the role proxy ('coral invite --role proxy'), or the"
          + " colony's secret. Later starts need the colony's id alone. As root the proxy makes an"
          + " interface named after the colony; otherwise it forwards to the colony's public port.",
      "",
      "The WireGuard key is new at each start and on no disk; the addresses go back at the end."
    },
    footer = {
      "Examples:",
      "  coral proxy start my-app-a3f2e1",
      "  coral proxy start my-app-a3f2e1 --daemon --listen 127.0.0.1:8001",
      "  coral proxy start --invitation-file - < invitation"
    })
final class ProxyStartCommand implements Callable<Integer> {
  /** In place of the options, as agent.conf has it. */
  private static final List<String> PAYING_VARIABLES =
      List.of(
          "CORAL_INVITATION",
          "CORAL_INVITATION_FILE",
          "CORAL_COLONY_SECRET",
          "CORAL_COLONY_SECRET_FILE");

  @Spec private @Nullable CommandSpec spec;
  @Mixin private Foreground foreground = new Foreground();
  @Mixin private ProxyOptions options = new ProxyOptions();

  @Parameters(
      paramLabel = "COLONY",
      arity = "0..1",
      description = "The colony's id (default: that of the invitation, else the only one here).")
  private @Nullable String colony;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      defaultValue = ListenAddress.DEFAULT,
      converter = ListenAddress.Converter.class,
      description =
          "Where callers reach it (default: ${DEFAULT-VALUE}). Port 0: any free one. An address"
              + " other than loopback needs --tls-cert and --tls-key, and --token-file or"
              + " --client-certs.")
  private ListenAddress listen = new ListenAddress.Converter().convert(ListenAddress.DEFAULT);

  @Option(
      names = "--daemon",
      description = "Go on in the background; return when the proxy forwards, or has failed.")
  private boolean daemon;

  @Option(names = "--background", hidden = true, description = "What --daemon starts.")
  private boolean background;

  @Override
  public Integer call() throws IOException, InterruptedException {
    CoralCommand root = CoralCommand.root(spec);
    Optional<String> invited = options.invitation(System.in);
    ProxyChoice proxies = new ProxyChoice(root.home());
    ProxyDirectory directory = proxies.of(colonyId(root, invited));
    requireNone(directory);
    ProxyContext context = ProxyContext.of(root, directory.colonyId());
    requireKnown(root, directory, context);
    if (!listen.host().isLoopbackAddress()
        && !options.letsOthersIn()
        && root.configFile().isEmpty()) {
      throw wrong(
          "--listen "
              + listen.host().getHostAddress()
              + " lets other hosts in: that needs --tls-cert and --tls-key, and --token-file or"
              + " --client-certs");
    }
    if (daemon) {
      listen.requireFree(proxies.running());
      return startInBackground(root, directory, invited);
    }
    if (background) {
      BackgroundProxy.detach(directory.log());
    } else if (!root.verbose) {
      quiet();
    }
    options.decide(foreground, invited, context);
    Config config =
        foreground
            .set("coral.agent.proxy.standalone", true)
            .set("coral.agent.proxy.listen.host", listen.host().getHostAddress())
            .set("coral.agent.proxy.listen.port", listen.port())
            .set("coral.agent.colony-id", directory.colonyId().value())
            .set("coral.agent.report", root.verbose ? "verbose" : "text")
            .configuration(root.configFile().stream().toList());
    try {
      return AgentProcess.run(
          AgentSettings.from(config), config, InstantSource.system(), System.out);
    } catch (ProxyNotStartedException e) {
      throw explained(e, proxies, directory);
    }
  }

  private ColonyId colonyId(CoralCommand root, Optional<String> invited) {
    if (colony != null) {
      Set<ColonyId> known = new LinkedHashSet<>(root.home().colonies());
      new ProxyChoice(root.home()).all().keySet().forEach(d -> known.add(d.colonyId()));
      return ProxyChoice.match(colony, List.copyOf(known));
    }
    if (invited.isPresent()) {
      try {
        return InvitationText.parse(invited.get().strip()).colonyId();
      } catch (IllegalArgumentException e) {
        throw wrong("this is no invitation: " + e.getMessage());
      }
    }
    return root.home().choose(Optional.empty());
  }

  private static void requireNone(ProxyDirectory directory) throws IOException {
    Optional<ProxyState> running;
    try {
      running = directory.running();
    } catch (IOException e) {
      throw ProxyChoice.failed(e);
    }
    if (running.isPresent()) {
      throw alreadyRunning(
          "a proxy of "
              + directory.colonyId()
              + " runs already, on "
              + ProxyStatusCommand.listening(running.get().listen())
              + " (PID "
              + running.get().process().pid()
              + ")",
          directory.colonyId());
    }
  }

  private static CommandFailedException alreadyRunning(String message, ColonyId id) {
    return new CommandFailedException(
        message,
        "Use it, or stop it with 'coral proxy stop " + id + "'; 'coral proxy status' says more.");
  }

  /** A proxy that knows nothing of its colony would try for ever. */
  private void requireKnown(CoralCommand root, ProxyDirectory directory, ProxyContext context) {
    boolean canPay =
        options.canPay()
            || context.inviter().isPresent()
            || root.configFile().isPresent()
            || PAYING_VARIABLES.stream().anyMatch(root.environment()::containsKey);
    if (!canPay && !Files.exists(directory.path().resolve("identity.pem"))) {
      throw new CommandFailedException(
          "colony " + directory.colonyId() + " is not known here",
          "Known: "
              + root.home().colonies()
              + ". For another one ask its operator for the line that 'coral invite --role proxy'"
              + " prints, and give it with --invitation.");
    }
  }

  private int startInBackground(
      CoralCommand root, ProxyDirectory directory, Optional<String> invited)
      throws IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(
            List.of("proxy", "start", directory.colonyId().value(), "--background", "--listen"));
    arguments.add(listen.toString());
    arguments.addAll(List.of("--log-format", root.logFormat().toString()));
    root.configFile()
        .ifPresent(file -> arguments.addAll(List.of("--config", file.toAbsolutePath().toString())));
    if (root.verbose) {
      arguments.add("--verbose");
    }
    options.repeat(arguments);
    Map<String, String> secrets =
        invited.map(text -> Map.of("CORAL_INVITATION", text)).orElse(Map.of());
    ProxyState state = BackgroundProxy.start(directory, arguments, secrets);
    PrintWriter out = CoralCommand.out(spec);
    out.println("✓ Proxy started (PID: " + state.process().pid() + ")");
    out.println(
        "  "
            + (state.isSecure() ? "https://" : "http://")
            + ProxyStatusCommand.listening(state.listen())
            + ", forwarding to colony at "
            + state.forwardsTo().map(Object::toString).orElse("-")
            + state.way().map(way -> " (" + way + ")").orElse(""));
    state
        .fallback()
        .ifPresent(reason -> out.println("  Not over mesh: " + Table.printable(reason)));
    out.flush();
    return CommandLine.DONE;
  }

  /** The steps are on standard output; beside them people need to read what goes wrong alone. */
  private static void quiet() {
    if (LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)
        instanceof ch.qos.logback.classic.Logger log) {
      log.setLevel(Level.WARN);
    }
  }

  private CommandFailedException explained(
      ProxyNotStartedException e, ProxyChoice proxies, ProxyDirectory directory) {
    String message = String.valueOf(e.getMessage());
    return switch (e.reason()) {
      case RUNNING -> alreadyRunning(message, directory.colonyId());
      case ADDRESS -> listen.taken(proxies.running(), message, e);
      case FILES -> new CommandFailedException(message, "Then start it again.", e);
    };
  }

  private ParameterException wrong(String message) {
    return new ParameterException(CoralCommand.given(spec).commandLine(), message);
  }
}
