package coral.cli;

import coral.cli.quickstart.QuickstartCommand;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/**
 * The commands of {@code coral}. To make all of them takes the parser a third of a second, which is
 * longer than a query takes: so for arguments that begin with a command only that one is made.
 */
final class CommandTree {
  /** In the order of the help. */
  static final List<String> NAMES =
      List.of(
          "quickstart",
          "init",
          "discovery",
          "colony",
          "connect",
          "context",
          "proxy",
          "status",
          "agents",
          "topology",
          "watch",
          "ping",
          "wg",
          "allocations",
          "reserve",
          "release",
          "invite",
          "invites",
          "secret",
          "revoke-agent",
          "agent",
          "certificates",
          "ca",
          "admin",
          "audit",
          "completion",
          "complete");

  private CommandTree() {}

  private static Object command(String name) {
    return switch (name) {
      case "quickstart" -> new QuickstartCommand();
      case "init" -> new InitCommand();
      case "discovery" -> new DiscoveryCommand();
      case "colony" -> new ColonyCommand();
      case "connect" -> new ConnectCommand();
      case "context" -> new ContextCommand();
      case "proxy" -> new ProxyCommand();
      case "status" -> new StatusCommand();
      case "agents" -> new AgentsCommand();
      case "topology" -> new TopologyCommand();
      case "watch" -> new WatchCommand();
      case "ping" -> new PingCommand();
      case "wg" -> new WgCommand();
      case "allocations" -> new AllocationsCommand();
      case "reserve" -> new ReserveCommand();
      case "release" -> new ReleaseCommand();
      case "invite" -> new InviteCommand();
      case "invites" -> new InvitesCommand();
      case "secret" -> new SecretCommand();
      case "revoke-agent" -> new RevokeAgentCommand();
      case "agent" -> new AgentCommand();
      case "certificates" -> new CertificatesCommand();
      case "ca" -> new CaCommand();
      case "admin" -> new AdminCommand();
      case "audit" -> new AuditCommand();
      case "completion" -> new CompletionCommand();
      case "complete" -> new CompleteCommand();
      default -> throw new IllegalArgumentException("there is no command " + name);
    };
  }

  /** The parser of all commands. */
  static CommandLine whole(Map<String, String> environment) {
    return of(environment, NAMES);
  }

  /** The parser of all commands that these arguments can be about. */
  static CommandLine wanted(Map<String, String> environment, String... arguments) {
    for (String argument : arguments) {
      if (argument.equals("complete")) {
        break; // it completes any
      }
      if (NAMES.contains(argument)) {
        return of(environment, List.of(argument));
      }
      if (argument.equals("-V") || argument.equals("--version")) {
        return of(environment, List.of());
      }
      if (!argument.equals("-v") && !argument.equals("--verbose")) {
        break; // an option with a value, help, or what is no command
      }
    }
    return whole(environment);
  }

  private static CommandLine of(Map<String, String> environment, List<String> names) {
    CommandLine line = new CommandLine(new CoralCommand(environment));
    for (String name : names) {
      line.addSubcommand(name, command(name));
    }
    return line;
  }
}
