package coral.cli;

import com.typesafe.config.Config;
import coral.agent.AgentProcess;
import coral.agent.AgentSettings;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code coral connect}: the agent. */
@Command(
    name = "connect",
    description = {
      "Join this host to a colony's mesh and stay, in the foreground.",
      "",
      "The first join needs the colony's secret and the fingerprint of its authority, both as"
          + " 'coral init' printed them. They buy a certificate, which is kept; later joins need"
          + " neither. As root the tunnel is the interface coral0; otherwise it ends inside the"
          + " process, which then answers pings and nothing else.",
      "Every option is a setting, too: see agent.conf."
    },
    footer = {
      "Examples:",
      "  coral connect my-app-a3f2e1 --colony-secret-file secret --ca-fingerprint sha256:1f...",
      "  coral connect my-app-a3f2e1                     again, with the certificate it has",
      "  coral connect my-app-a3f2e1 --once -o json      join, probe, report, leave"
    })
final class ConnectCommand implements Callable<Integer> {
  @ParentCommand private @Nullable CoralCommand root;
  @Mixin private Foreground foreground = new Foreground();

  @Parameters(paramLabel = "COLONY-ID", arity = "0..1", description = "The colony to join.")
  private @Nullable String colonyId;

  @Option(
      names = "--colony-secret-file",
      paramLabel = "FILE",
      description = "File with the colony's secret.")
  private @Nullable Path colonySecretFile;

  @Option(
      names = "--ca-fingerprint",
      paramLabel = "sha256:HEX",
      description = "SHA-256 of the certificate of the colony's authority.")
  private @Nullable String caFingerprint;

  @Option(
      names = "--discovery",
      paramLabel = "URL",
      description = "Where colonies are looked up (default: https://localhost:8080).")
  private @Nullable String discovery;

  @Option(
      names = "--discovery-fingerprint",
      paramLabel = "sha256:HEX",
      description = "Accept this certificate of discovery only.")
  private @Nullable String discoveryFingerprint;

  @Option(
      names = "--colony-endpoint",
      paramLabel = "HOST:PORT",
      description = "Where the colony answers; then discovery is not asked.")
  private @Nullable String colonyEndpoint;

  @Option(
      names = "--agent-id",
      paramLabel = "ID",
      description = "This agent's name for ever (default: made from the host's name).")
  private @Nullable String agentId;

  @Option(
      names = "--device",
      paramLabel = "MODE",
      description = "Where the tunnel ends: auto (the default), tun or user-space.")
  private @Nullable String device;

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
    foreground
        .set("coral.agent.colony-id", colonyId)
        .set("coral.agent.colony-secret-file", colonySecretFile)
        .set("coral.agent.ca-fingerprint", caFingerprint)
        .set("coral.agent.discovery.url", discovery)
        .set("coral.agent.discovery.fingerprint", discoveryFingerprint)
        .set("coral.agent.colony-endpoint", colonyEndpoint)
        .set("coral.agent.id", agentId)
        .set("coral.agent.device.mode", device)
        .set("coral.agent.once", once ? true : null)
        .set("coral.agent.report", report());
    Config config = foreground.configuration(coral.configFile().stream().toList());
    return AgentProcess.run(AgentSettings.from(config), config, InstantSource.system(), System.out);
  }

  private @Nullable String report() {
    if (output == null) {
      return once ? "text" : null;
    }
    return output == OutputFormat.JSON ? "json" : "text";
  }
}
