package coral.cli;

import java.io.PrintWriter;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** What every query can be told: which colony, where, and how to write the answer. */
final class QueryOptions extends ColonyOptions {
  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table (the default) or json.")
  private OutputFormat output = OutputFormat.TABLE;

  boolean json() {
    return output == OutputFormat.JSON;
  }

  /**
   * Writes the answer in the form that was asked for.
   *
   * @param json one object, without a line feed
   * @param text for people, with a line feed at its end
   * @return {@link CommandLine#DONE}
   */
  int answer(Supplier<String> json, Supplier<String> text) {
    PrintWriter out = out();
    out.print(json() ? json.get() + "\n" : text.get());
    out.flush();
    return CommandLine.DONE;
  }
}
