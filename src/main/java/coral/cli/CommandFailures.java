package coral.cli;

import coral.model.RefusedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says on standard error what failed and what to do next; a stack trace only when asked for. */
final class CommandFailures implements IExecutionExceptionHandler, IParameterExceptionHandler {
  private final CoralCommand root;

  CommandFailures(CoralCommand root) {
    this.root = root;
  }

  @Override
  public int handleExecutionException(
      Exception failure, CommandLine line, @Nullable ParseResult parsed) {
    PrintWriter err = line.getErr();
    Throwable cause = unwrap(failure);
    err.println("coral: " + message(cause));
    if (cause instanceof CommandFailedException expected && !expected.next().isEmpty()) {
      err.println(expected.next());
    }
    if (root.verbose && cause instanceof CommandFailedException) {
      // Foreseen: what is of interest is what it comes from, not where in the code.
      for (Throwable t = cause.getCause(); t != null; t = t.getCause()) {
        err.println("because of " + Table.printable(t.toString()));
      }
    } else if (root.verbose) {
      // Not before: to configure logging takes longer than most commands.
      LoggerFactory.getLogger(CommandFailures.class).error("The command failed", failure);
    } else if (isDefect(cause)) {
      err.println("This is a defect of Coral. Run it again with --verbose to see where.");
    }
    err.flush();
    return coral.cli.CommandLine.FAILED;
  }

  @Override
  public int handleParseException(ParameterException failure, String[] arguments) {
    CommandLine line = failure.getCommandLine();
    PrintWriter err = line.getErr();
    err.println("coral: " + decapitalized(failure.getMessage()));
    if (!UnmatchedArgumentException.printSuggestions(failure, err)) {
      err.println("Usage: " + usage(line));
    }
    err.println("See '" + line.getCommandSpec().qualifiedName() + " --help'.");
    err.flush();
    return coral.cli.CommandLine.WRONG_USAGE;
  }

  private static String usage(CommandLine line) {
    return line.getHelp().synopsis("Usage: ".length()).strip();
  }

  private static String decapitalized(@Nullable String message) {
    if (message == null || message.isEmpty()) {
      return "wrong usage";
    }
    return Character.toLowerCase(message.charAt(0)) + message.substring(1);
  }

  private static Throwable unwrap(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException
            || cause instanceof ExecutionException
            || cause instanceof UncheckedIOException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  private static String message(Throwable cause) {
    String message = cause.getMessage();
    return message == null || message.isBlank() ? cause.getClass().getSimpleName() : message;
  }

  /** What the code base throws for people to read; anything else nobody foresaw. */
  private static boolean isDefect(Throwable cause) {
    return !(cause instanceof CommandFailedException
        || cause instanceof RefusedException
        || cause instanceof IOException
        || cause instanceof IllegalArgumentException
        || cause instanceof IllegalStateException
        || cause.getClass().getName().startsWith("coral."));
  }
}
