package coral.cli;

import com.typesafe.config.Config;
import coral.agent.AgentProcess;
import coral.agent.AgentSettings;
import coral.model.Endpoint;
import coral.model.InvitationText;
import java.io.IOException;
import java.io.InputStream;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral connect}: the agent. */
@Command(
    name = "connect",
    description = {
      "Join this host to a colony's mesh and stay, in the foreground.",
      "",
      "The first join needs an invitation, the line that 'coral invite' prints: it buys a"
          + " certificate, which is kept and renewed; later joins need nothing but the colony's id."
          + " Where hosts share the colony's secret, the secret with the fingerprints of discovery"
          + " and of the colony's authority does the same. As root the tunnel is the interface"
          + " coral0; otherwise it ends inside the process, which then answers pings and nothing"
          + " else.",
      "Every option is a setting, too: see agent.conf."
    },
    footer = {
      "Examples:",
      "  coral connect coral-invite:AbC...               with an invitation",
      "  coral connect - < invitation                    the same, kept out of the process list",
      "  coral connect my-app-a3f2e1                     again, with the certificate it has",
      "  coral connect my-app-a3f2e1 --once -o json      join, probe, report, leave",
      "  coral connect my-app-a3f2e1 --colony-secret-file secret --ca-fingerprint sha256:1f... \\",
      "      --discovery https://discovery.example:8080 --discovery-fingerprint sha256:9c..."
    })
final class ConnectCommand implements Callable<Integer> {
  private static final String PASTE = "Give the line that 'coral invite' printed.";

  @ParentCommand private @Nullable CoralCommand root;
  @Spec private @Nullable CommandSpec spec;
  @Mixin private Foreground foreground = new Foreground();
  @Mixin private EnrolmentOptions enrolment = new EnrolmentOptions();

  @Parameters(
      paramLabel = "INVITATION|COLONY-ID",
      arity = "0..1",
      description = "An invitation, '-' to read one from standard input, or the colony to join.")
  private @Nullable String what;

  @Option(
      names = "--agent-id",
      paramLabel = "ID",
      description = "This agent's name for ever (default: made from the host's name).")
  private @Nullable String agentId;

  @Option(
      names = "--enable-proxy",
      description =
          "Have a proxy of the colony on this host, too, through the agent's own tunnel; a"
              + " certificate that is bought with the secret is then one of the role proxy.")
  private boolean enableProxy;

  @Option(
      names = "--proxy-listen",
      paramLabel = "HOST:PORT",
      converter = ColonyOptions.EndpointConverter.class,
      description = "Where the proxy listens (default: 127.0.0.1:8000).")
  private @Nullable Endpoint proxyListen;

  @Option(names = "--once", description = "Join, probe the tunnel, report and leave.")
  private boolean once;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description =
          "Report on standard output: table (lines for people) or json (one object a line).")
  private @Nullable OutputFormat output;

  @Override
  public Integer call() {
    CoralCommand coral = CoralCommand.of(root);
    boolean isInput = "-".equals(what);
    boolean isInvitation = what != null && InvitationText.isInvitation(what);
    Optional<String> invited =
        isInput || enrolment.isInvitationInput()
            ? Optional.of(firstLine(System.in))
            : Optional.ofNullable(isInvitation ? what : null);
    enrolment.decide(foreground, invited);
    foreground
        .set("coral.agent.colony-id", isInvitation || isInput ? null : what)
        .set("coral.agent.id", agentId)
        .set("coral.agent.proxy.enabled", enableProxy ? true : null)
        .set("coral.agent.proxy.listen.host", proxyListen == null ? null : proxyListen.host())
        .set("coral.agent.proxy.listen.port", proxyListen == null ? null : proxyListen.port())
        .set("coral.agent.once", once ? true : null)
        .set("coral.agent.report", report());
    Config config = foreground.configuration(coral.configFile().stream().toList());
    return AgentProcess.run(AgentSettings.from(config), config, InstantSource.system(), System.out);
  }

  /** A line, or what there is of one; no more is read than an invitation can have. */
  static String firstLine(InputStream in) {
    StringBuilder line = new StringBuilder();
    try {
      for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
        if (line.length() > InvitationText.MAX_LENGTH) {
          throw new CommandFailedException(
              "standard input is not an invitation: it is too long", PASTE);
        }
        line.append((char) c);
      }
    } catch (IOException e) {
      throw new CommandFailedException(
          "standard input cannot be read: " + e.getMessage(), PASTE, e);
    }
    if (line.toString().isBlank()) {
      throw new CommandFailedException("there is no invitation on standard input", PASTE);
    }
    return line.toString();
  }

  private @Nullable String report() {
    if (output == null) {
      return once ? "text" : null;
    }
    return switch (output) {
      case TABLE -> "text";
      case JSON -> "json";
      case YAML ->
          throw new ParameterException(
              CoralCommand.given(spec).commandLine(), "-o: a report is table or json");
    };
  }
}
