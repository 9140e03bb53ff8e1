package coral.cli;

import java.io.PrintWriter;
import java.util.function.Function;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** What every query can be told: which colony, where, and how to write the answer. */
final class QueryOptions extends ColonyOptions {
  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table (the default), json or yaml.")
  private OutputFormat output = OutputFormat.TABLE;

  /** The form that was asked for. */
  OutputFormat output() {
    return output;
  }

  /** Whether programs read the answer: JSON or YAML. */
  boolean isStructured() {
    return output.isStructured();
  }

  /**
   * Writes the answer in the form that was asked for.
   *
   * @param json one object, without a line feed
   * @param text for people, with a line feed at its end
   * @return {@link CommandLine#DONE}
   */
  int answer(Supplier<String> json, Supplier<String> text) {
    return answer(json, screen -> text.get());
  }

  /**
   * The same with text that fits the terminal.
   *
   * @param text for people, with a line feed at its end
   */
  int answer(Supplier<String> json, Function<Screen, String> text) {
    PrintWriter out = out();
    out.print(isStructured() ? output.document(json.get()) : text.apply(screen()));
    out.flush();
    return CommandLine.DONE;
  }
}
