package coral.cli;

import coral.discovery.ControlSocket;
import coral.model.ColonyId;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral discovery colonies}. */
@Command(
    name = "colonies",
    description = {
      "Show the colonies: mesh id, owner key, when it was announced last.",
      "",
      "A colony without a key (-) has not shown one yet: whoever has its secret can announce it."
          + " Asks the discovery that runs in the configured folder, as its owner."
    },
    footer = {
      "Examples:",
      "  coral discovery colonies",
      "  coral discovery colonies forget my-app"
    },
    subcommands = DiscoveryColoniesCommand.Forget.class)
final class DiscoveryColoniesCommand implements Callable<Integer> {
  @ParentCommand private @Nullable DiscoveryCommand parent;
  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    return discovery().ask(ControlSocket.COLONIES, CoralCommand.out(spec));
  }

  private DiscoveryCommand discovery() {
    if (parent == null) {
      throw new IllegalStateException("not run by its parser");
    }
    return parent;
  }

  /** {@code coral discovery colonies forget}. */
  @Command(
      name = "forget",
      description = {
        "Free a mesh id, for a colony that has lost its owner key.",
        "",
        "It belongs to whoever announces it next with an owner key: start the colony at once, and"
            + " compare the key in its log with the one that 'coral discovery colonies' shows."
            + " Agents that are connected notice nothing."
      },
      footer = {"Examples:", "  coral discovery colonies forget my-app-production-4f21aa"})
  static final class Forget implements Callable<Integer> {
    @ParentCommand private @Nullable DiscoveryColoniesCommand parent;
    @Spec private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "MESH-ID", description = "The id of the colony.")
    private String meshId = "";

    @Override
    public Integer call() {
      if (parent == null) {
        throw new IllegalStateException("not run by its parser");
      }
      ColonyId id;
      try {
        id = new ColonyId(meshId);
      } catch (IllegalArgumentException e) {
        throw new ParameterException(
            CoralCommand.given(spec).commandLine(), String.valueOf(e.getMessage()), e);
      }
      return parent.discovery().ask(ControlSocket.FORGET_COLONY + " " + id, CoralCommand.out(spec));
    }
  }
}
