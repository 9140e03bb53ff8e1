package coral;

import coral.cli.CommandLine;

/** Starts Coral: arguments in, exit code out. */
public final class Main {
  private Main() {}

  /** Runs one command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    System.exit(CommandLine.execute(arguments));
  }
}
