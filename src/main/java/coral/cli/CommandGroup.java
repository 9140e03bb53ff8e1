package coral.cli;

import java.util.LinkedHashSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that does nothing by itself and says which commands it has. */
abstract class CommandGroup implements Runnable {
  @Spec private @Nullable CommandSpec spec;

  @Override
  public final void run() {
    CommandLine line = CoralCommand.given(spec).commandLine();
    String known =
        new LinkedHashSet<>(line.getSubcommands().values())
            .stream()
                .map(command -> "'" + command.getCommandSpec().qualifiedName() + "'")
                .collect(Collectors.joining(", "));
    throw new ParameterException(line, "a command is missing: " + known);
  }
}
