package coral.cli;

import picocli.CommandLine.Command;

/** {@code coral proxy}. */
@Command(
    name = "proxy",
    description = {
      "A colony's port on this host, for every client: gRPC, gRPC-Web, Connect and any other HTTP.",
      "",
      "A proxy joins the colony's mesh and forwards what comes to it through the tunnel, or, where"
          + " no network interface can be made, to the colony's public port. It has a certificate"
          + " of its own, in the role of a proxy, which reads. Its files are under"
          + " ~/.coral/proxies/COLONY."
    },
    subcommands = {
      ProxyStartCommand.class,
      ProxyStopCommand.class,
      ProxyStatusCommand.class,
      ProxyListCommand.class,
      ProxyLogsCommand.class
    },
    footer = {
      "Examples:",
      "  coral proxy start my-app-a3f2e1              in the foreground, until Ctrl+C",
      "  coral proxy start my-app-a3f2e1 --daemon     in the background",
      "  curl http://localhost:8000/coral.colony.v1.ColonyService/GetStatus \\",
      "      -H 'content-type: application/json' -d '{}'",
      "  coral proxy stop my-app-a3f2e1"
    })
final class ProxyCommand extends CommandGroup {}
