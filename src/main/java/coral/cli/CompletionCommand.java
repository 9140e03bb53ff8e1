package coral.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coral completion}. */
@Command(
    name = "completion",
    description = {
      "Print the completion script of bash, zsh or fish.",
      "",
      "It completes commands, options, their values, and the names that live at the moment: the"
          + " colonies that are known here, and the agents and invitations of the one that the"
          + " command is about."
    },
    footer = {
      "Examples:",
      "  source <(coral completion bash)                              in this shell",
      "  coral completion bash > /etc/bash_completion.d/coral         for everybody",
      "  coral completion zsh > \"${fpath[1]}/_coral\"                  for you (zsh)",
      "  coral completion fish > ~/.config/fish/completions/coral.fish"
    })
final class CompletionCommand implements Callable<Integer> {
  /** A shell that has a script. */
  enum Shell {
    BASH,
    ZSH,
    FISH;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "SHELL",
      arity = "0..1",
      defaultValue = "bash",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Shell shell = Shell.BASH;

  @Override
  public Integer call() {
    PrintWriter out = CoralCommand.out(spec);
    out.print(script(shell));
    out.flush();
    return CommandLine.DONE;
  }

  private static String script(Shell shell) {
    String name = "completion/coral." + shell;
    try (InputStream script = CompletionCommand.class.getResourceAsStream(name)) {
      if (script == null) {
        throw new IllegalStateException("the build lacks " + name);
      }
      return new String(script.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
