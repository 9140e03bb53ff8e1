package coral.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/**
 * {@code coral} itself: the options that every command knows. Its commands are those of {@link
 * CommandTree}.
 */
@Command(
    name = "coral",
    mixinStandardHelpOptions = true,
    versionProvider = BuildVersion.class,
    scope = ScopeType.INHERIT,
    synopsisSubcommandLabel = "COMMAND",
    description = "Connects hosts into one private WireGuard network and keeps them there.",
    optionListHeading = "%nOptions:%n",
    parameterListHeading = "%nArguments:%n",
    commandListHeading = "%nCommands:%n",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:failed; standard error says why and what to do next",
      "2:wrong usage"
    },
    footerHeading = "%n",
    footer = {
      "Examples:",
      "  coral quickstart                 a whole mesh on this machine, to look at",
      "  coral init my-app                make a colony: its secret, keys and authority",
      "  coral discovery start            the directory in which colonies are found",
      "  coral colony start               run the colony that init made",
      "  coral invite                     one line that lets one host join",
      "  coral agents                     who is connected, and how fast",
      "",
      "State lives under ~/.coral; CORAL_HOME moves it.",
      "'coral COMMAND --help' explains a command."
    })
public final class CoralCommand implements Runnable {
  private final Map<String, String> environment;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "Settings laid over the built-in application.conf.")
  @Nullable Path config;

  @Option(
      names = "--log-format",
      // Not FORMAT: completion scripts keep values by this label, and --output has others.
      paramLabel = "STYLE",
      scope = ScopeType.INHERIT,
      defaultValue = "plain",
      description = "Log lines on standard error: plain (the default) or json.")
  LogFormat logFormat = LogFormat.PLAIN;

  @Option(
      names = "--color",
      paramLabel = "WHEN",
      scope = ScopeType.INHERIT,
      defaultValue = "auto",
      description =
          "Colours: auto (the default: on a terminal, unless NO_COLOR is set), always or"
              + " never.")
  ColorChoice color = ColorChoice.AUTO;

  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "Tell on standard error which ways are tried, and what is behind a failure.")
  boolean verbose;

  CoralCommand(Map<String, String> environment) {
    this.environment = Map.copyOf(environment);
  }

  /** The command that picocli says another one belongs to. */
  static CoralCommand of(@Nullable CoralCommand parent) {
    if (parent == null) {
      throw new IllegalStateException("not run by its parser");
    }
    return parent;
  }

  /** The command at the top of the tree that a command is in. */
  static CoralCommand root(@Nullable CommandSpec spec) {
    if (given(spec).root().userObject() instanceof CoralCommand root) {
      return root;
    }
    throw new IllegalStateException("not run by its parser");
  }

  /** Where a command writes its answer. */
  static PrintWriter out(@Nullable CommandSpec spec) {
    return given(spec).commandLine().getOut();
  }

  /** What picocli says about a command that it runs. */
  public static CommandSpec given(@Nullable CommandSpec spec) {
    if (spec == null) {
      throw new IllegalStateException("not run by its parser");
    }
    return spec;
  }

  /** Without a command there is nothing to do: show what there is. */
  @Override
  public void run() {
    throw new picocli.CommandLine.ParameterException(
        given(spec).commandLine(), "a command is missing");
  }

  /** The environment variables of the process. */
  public Map<String, String> environment() {
    return environment;
  }

  /** The file given by {@code --config}. */
  public Optional<Path> configFile() {
    return Optional.ofNullable(config);
  }

  /** How the log lines of this process look. */
  public LogFormat logFormat() {
    return logFormat;
  }

  /** Standard output, for answers that people read. */
  Screen screen() {
    return Terminal.screen(color, environment);
  }

  /** Where state lives. */
  public CoralHome home() {
    return CoralHome.of(environment);
  }
}
