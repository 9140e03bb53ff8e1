package coral.cli;

import coral.linux.FileModeMask;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;

/** Runs a command in this process and keeps what it said. */
record Cli(int exitCode, String out, String err) {
  static Cli run(Map<String, String> environment, String... arguments) {
    // Commands that run a process close new files to others for good; this process goes on.
    try (FileModeMask mask = FileModeMask.keep()) {
      return execute(environment, arguments);
    }
  }

  private static Cli execute(Map<String, String> environment, String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int exitCode =
        CommandLine.execute(
            new PrintWriter(out, true), new PrintWriter(err, true), environment, arguments);
    return new Cli(exitCode, out.toString(), err.toString());
  }
}
