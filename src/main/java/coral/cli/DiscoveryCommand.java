package coral.cli;

import coral.discovery.ControlSocket;
import coral.discovery.DiscoverySettings;
import coral.settings.SettingsLoader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
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
    footer = {"Examples:", "  coral discovery start", "  coral discovery colonies"},
    subcommands = {
      DiscoveryStartCommand.class,
      DiscoveryColoniesCommand.class,
      DiscoveryKeysCommand.class
    })
final class DiscoveryCommand implements Runnable {
  @ParentCommand private @Nullable CoralCommand root;
  @Spec private @Nullable CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        CoralCommand.given(spec).commandLine(),
        "what with discovery? 'coral discovery start', 'coral discovery colonies' or"
            + " 'coral discovery keys'");
  }

  /** Has the discovery that runs in the configured folder do something, and prints its answer. */
  int ask(String command, PrintWriter out) {
    Path directory =
        DiscoverySettings.from(SettingsLoader.load(root().configFile().stream().toList()))
            .directory();
    String answer;
    try {
      answer = ControlSocket.ask(directory, command);
    } catch (IOException e) {
      throw new CommandFailedException(
          String.valueOf(e.getMessage()),
          "run it on discovery's host as discovery's user, with the same CORAL_HOME",
          e);
    }
    if (answer.startsWith(ControlSocket.ERROR)) {
      throw new CommandFailedException(answer.substring(ControlSocket.ERROR.length()).strip(), "");
    }
    out.print(answer);
    out.flush();
    return CommandLine.DONE;
  }

  CoralCommand root() {
    return CoralCommand.of(root);
  }
}
