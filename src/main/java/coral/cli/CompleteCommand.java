package coral.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coral complete}: what the scripts of {@link CompletionCommand} call. */
@Command(
    name = "complete",
    hidden = true,
    description = {
      "Print what may stand for the last of the words of a command line.",
      "",
      "A candidate a line, with a tab and a description if there is one; or ':files' or"
          + " ':directories' for names of such. Prints nothing where it does not know."
    },
    footer = {"Examples:", "  coral complete -- revoke-agent we", "  coral complete -- ''"})
final class CompleteCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(paramLabel = "WORD", arity = "0..*", description = "Behind 'coral'.")
  private List<String> words = List.of();

  @Override
  public Integer call() {
    CoralCommand root = CoralCommand.root(spec);
    PrintWriter out = CoralCommand.out(spec);
    for (String line : new Completion(root, CoralCommand.given(spec).root()).of(words)) {
      out.print(line + "\n");
    }
    out.flush();
    return CommandLine.DONE;
  }
}
