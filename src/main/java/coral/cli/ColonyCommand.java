package coral.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral colony}. */
@Command(
    name = "colony",
    description = "The control plane of one mesh, and the hub of its tunnels.",
    footer = {"Examples:", "  coral colony start"},
    subcommands = ColonyStartCommand.class)
final class ColonyCommand implements Runnable {
  @ParentCommand private @Nullable CoralCommand root;
  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        CoralCommand.given(spec).commandLine(), "what with the colony? 'coral colony start'");
  }

  CoralCommand root() {
    return CoralCommand.of(root);
  }
}
