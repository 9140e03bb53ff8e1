package coral.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral completion}. */
@Command(
    name = "completion",
    description = "Print the completion script of bash and zsh.",
    footer = {
      "Examples:",
      "  source <(coral completion)                                 in this shell",
      "  coral completion > /etc/bash_completion.d/coral            for everybody (bash)",
      "  echo 'source <(coral completion)' >> ~/.zshrc              for you (zsh)"
    })
final class CompletionCommand implements Callable<Integer> {
  @ParentCommand private @Nullable CoralCommand root;
  @Spec private @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = CoralCommand.out(spec);
    out.print(AutoComplete.bash("coral", new picocli.CommandLine(CoralCommand.of(root))));
    out.flush();
    return CommandLine.DONE;
  }
}
