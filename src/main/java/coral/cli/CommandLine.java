package coral.cli;

import coral.rpc.NoDefaultTrust;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The whole command line: arguments to exit code. */
public final class CommandLine {
  /** The command did what it was asked to do. */
  public static final int DONE = 0;

  /** The command failed; standard error says why and what to do next. */
  public static final int FAILED = 1;

  /** The arguments make no sense together. */
  public static final int WRONG_USAGE = 2;

  private static final int USAGE_WIDTH = 100;

  private CommandLine() {}

  /**
   * Runs the command that the arguments name, on the process's standard streams.
   *
   * @return {@link #DONE}, {@link #FAILED} or {@link #WRONG_USAGE}
   */
  public static int execute(String... arguments) {
    NoDefaultTrust.install();
    Charset charset = terminalCharset();
    return execute(
        new PrintWriter(System.out, true, charset),
        new PrintWriter(System.err, true, charset),
        System.getenv(),
        arguments);
  }

  /**
   * The same with the surroundings handed in.
   *
   * @param environment the environment variables
   */
  static int execute(
      PrintWriter out, PrintWriter err, Map<String, String> environment, String... arguments) {
    picocli.CommandLine line = configured(CommandTree.wanted(environment, arguments));
    line.setOut(out).setErr(err);
    return line.execute(arguments);
  }

  /** The parser of the whole tree of commands. */
  static picocli.CommandLine create(Map<String, String> environment) {
    return configured(CommandTree.whole(environment));
  }

  private static picocli.CommandLine configured(picocli.CommandLine line) {
    CoralCommand root = line.getCommand();
    CommandFailures failures = new CommandFailures(root);
    line.setExecutionExceptionHandler(failures);
    line.setParameterExceptionHandler(failures);
    line.setExecutionStrategy(
        parsed -> {
          LogFormat.choose(root.logFormat);
          return new picocli.CommandLine.RunLast().execute(parsed);
        });
    EnumConverter.register(line, OutputFormat.class);
    EnumConverter.register(line, LogFormat.class);
    EnumConverter.register(line, ColorChoice.class);
    EnumConverter.register(line, Via.class);
    EnumConverter.register(line, CompletionCommand.Shell.class);
    EnumConverter.register(line, InvitedRole.class);
    EnumConverter.register(line, TopologyCommand.Format.class);
    EnumConverter.register(line, CertificatesShowCommand.Format.class);
    EnumConverter.register(line, CaExportCommand.Format.class);
    EnumConverter.register(line, CaExportCommand.Issuer.class);
    line.setUsageHelpWidth(USAGE_WIDTH);
    line.setUsageHelpLongOptionsMaxWidth(28);
    return line;
  }

  /** On Java 17 the streams of a terminal have a charset of their own. */
  private static Charset terminalCharset() {
    String name = System.getProperty("stdout.encoding", System.getProperty("sun.stdout.encoding"));
    return name == null || !Charset.isSupported(name)
        ? StandardCharsets.UTF_8
        : Charset.forName(name);
  }
}
