package coral.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral discovery}. */
@Command(
    name = "discovery",
    description = "The directory in which colonies are found.",
    footer = {"Examples:", "  coral discovery start", "  coral discovery keys"},
    subcommands = {DiscoveryStartCommand.class, DiscoveryKeysCommand.class})
final class DiscoveryCommand implements Runnable {
  @ParentCommand private @Nullable CoralCommand root;
  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        CoralCommand.given(spec).commandLine(),
        "what with discovery? 'coral discovery start' or 'coral discovery keys'");
  }

  CoralCommand root() {
    return CoralCommand.of(root);
  }
}
