package coral.cli;

import coral.model.ColonyId;
import java.io.PrintWriter;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What commands about contexts can be told; nothing of it asks a colony. */
final class ContextOptions {
  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table (the default), json or yaml.")
  private OutputFormat output = OutputFormat.TABLE;

  CoralCommand root() {
    return CoralCommand.root(command);
  }

  PrintWriter err() {
    return CoralCommand.given(command).commandLine().getErr();
  }

  int answer(String json, java.util.function.Function<Screen, String> text) {
    PrintWriter out = CoralCommand.out(command);
    out.print(output.isStructured() ? output.document(json) : text.apply(root().screen()));
    out.flush();
    return CommandLine.DONE;
  }

  /** The context of this id, which must exist. */
  ColonyId existing(ColonyId id) {
    return root().home().choose(Optional.of(id));
  }

  /** The colony that a command names, or the one that others would be about. */
  static final class Subject {
    @Parameters(
        paramLabel = "COLONY",
        arity = "0..1",
        converter = ColonyOptions.ColonyIdConverter.class,
        description = "Its id (default: the colony that other commands are about).")
    private @Nullable ColonyId colony;

    ColonyId in(CoralCommand root) {
      CoralHome home = root.home();
      Optional<ColonyId> named =
          Optional.ofNullable(colony).or(() -> home.named(root.environment()));
      return home.choose(named);
    }
  }
}
