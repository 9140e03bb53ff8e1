package coral.cli;

import coral.api.colony.v1.GetAuthorityStatusResponse;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Shows the agents of a colony following a rotation: as a bar on a terminal, as a line for each
 * change elsewhere.
 */
final class FleetWatch {
  /** Agents acknowledge within a heartbeat; who looks wants to see them move. */
  private static final Duration INTERVAL = Duration.ofSeconds(2);

  /** A colony that restarts is away for seconds; the rotation is not lost. */
  private static final int MAX_FAILURES = 15;

  private static final int MAX_BAR = 40;

  /** ECMA-48, section 8.3.41. */
  private static final String ERASE_TO_END_OF_LINE = "\u001b[K";

  private static final String RESUME =
      "What was done stays done: watch on with 'coral ca status --watch'.";

  private final PrintWriter out;
  private final OutputFormat format;
  private final int width;
  private final Duration interval;
  private String last = "";

  /**
   * @param format of each change
   * @param width of the terminal, in characters; 0 if there is none
   * @param interval from an answer to the next question
   */
  FleetWatch(PrintWriter out, OutputFormat format, int width, Duration interval) {
    this.out = out;
    this.format = format;
    this.width = width;
    this.interval = interval;
  }

  static FleetWatch of(QueryOptions options) {
    return new FleetWatch(options.out(), options.output(), options.screen().width(), INTERVAL);
  }

  /**
   * Shows one status after the other until no agent is missing, or nobody reads any more.
   *
   * @return {@link CommandLine#DONE}
   * @throws CommandFailedException if the colony is away for long
   */
  int until(GetAuthorityStatusResponse first, Supplier<GetAuthorityStatusResponse> ask) {
    GetAuthorityStatusResponse status = first;
    int failures = 0;
    show(status);
    while (!Rotation.of(status).complete() && !out.checkError()) {
      try {
        status = afterPause(ask);
        failures = 0;
        show(status);
      } catch (CommandFailedException e) {
        failures++;
        if (failures == MAX_FAILURES) {
          endLine();
          throw new CommandFailedException(e.getMessage() + " (" + failures + " times)", RESUME, e);
        }
      }
    }
    endLine();
    if (!format.isStructured()) {
      out.println(Rotation.of(status).next());
    }
    out.flush();
    return CommandLine.DONE;
  }

  private void show(GetAuthorityStatusResponse status) {
    Rotation rotation = Rotation.of(status);
    String text =
        format.isStructured()
            ? format.event(CaStatusCommand.json(status)).stripTrailing()
            : Table.printable(rotation.phase()) + ": " + rotation.progress();
    if (text.equals(last)) {
      return;
    }
    if (bar()) {
      out.print("\r" + bar(rotation, text) + ERASE_TO_END_OF_LINE);
    } else {
      out.println(text);
    }
    out.flush();
    last = text;
  }

  private boolean bar() {
    return !format.isStructured() && width > 0;
  }

  private String bar(Rotation rotation, String text) {
    int room = Math.min(MAX_BAR, width - text.length() - 4);
    if (room < 5) {
      return text.substring(0, Math.min(text.length(), Math.max(0, width - 1)));
    }
    int full = rotation.agents() == 0 ? room : (int) (room * rotation.done() / rotation.agents());
    return "["
        + "#".repeat(Math.min(room, full))
        + "-".repeat(Math.max(0, room - full))
        + "] "
        + text;
  }

  private void endLine() {
    if (bar() && !last.isEmpty()) {
      out.println();
    }
  }

  private GetAuthorityStatusResponse afterPause(Supplier<GetAuthorityStatusResponse> ask) {
    Executor later = CompletableFuture.delayedExecutor(interval.toMillis(), TimeUnit.MILLISECONDS);
    try {
      return CompletableFuture.supplyAsync(ask, later).get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof CommandFailedException expected) {
        throw expected;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
