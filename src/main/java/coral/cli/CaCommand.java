package coral.cli;

import picocli.CommandLine.Command;

/** {@code coral ca}. */
@Command(
    name = "ca",
    description = "The colony's certificate authority: its roots, its lists, its rotation.",
    footer = {
      "Examples:",
      "  coral ca status",
      "  coral ca rotate --watch",
      "  coral ca export --out ca.pem"
    },
    subcommands = {CaStatusCommand.class, CaRotateCommand.class, CaExportCommand.class})
final class CaCommand extends CommandGroup {}
