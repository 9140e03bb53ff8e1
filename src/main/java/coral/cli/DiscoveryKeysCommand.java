package coral.cli;

import coral.discovery.ControlSocket;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral discovery keys}. */
@Command(
    name = "keys",
    description = {
      "Show the keys that registration tokens are signed with: id, state, since when.",
      "",
      "Asks the discovery that runs in the configured folder, as its owner."
    },
    footer = {"Examples:", "  coral discovery keys", "  coral discovery keys rotate"},
    subcommands = DiscoveryKeysCommand.Rotate.class)
final class DiscoveryKeysCommand implements Callable<Integer> {
  @ParentCommand private @Nullable DiscoveryCommand parent;
  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    return discovery().ask(ControlSocket.KEYS, CoralCommand.out(spec));
  }

  private DiscoveryCommand discovery() {
    if (parent == null) {
      throw new IllegalStateException("not run by its parser");
    }
    return parent;
  }

  /** {@code coral discovery keys rotate}. */
  @Command(
      name = "rotate",
      description = {
        "Let the next key sign from now on, and show the keys.",
        "",
        "The former key holds for as long as what it signed. The next one has to be published for"
            + " ten minutes (twice key-cache-time) before it signs."
      },
      footer = {"Examples:", "  coral discovery keys rotate"})
  static final class Rotate implements Callable<Integer> {
    @ParentCommand private @Nullable DiscoveryKeysCommand parent;
    @Spec private @Nullable CommandSpec spec;

    @Override
    public Integer call() {
      if (parent == null) {
        throw new IllegalStateException("not run by its parser");
      }
      return parent.discovery().ask(ControlSocket.ROTATE_KEYS, CoralCommand.out(spec));
    }
  }
}
