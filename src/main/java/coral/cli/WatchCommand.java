package coral.cli;

import coral.process.UntilSignal;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code coral watch}. */
@Command(
    name = "watch",
    description = {
      "Agents as they come, change and go, until Ctrl+C.",
      "",
      "On a terminal it is a table that is drawn anew; elsewhere a line for each change. A colony"
          + " that is away is asked again until it is back."
    },
    footer = {
      "JSON: an object on a line for each change: {time, event, agent}; event is present for those",
      "that were there, joined, changed or left; agent is as of 'coral agents', and as it was last",
      "if it has left.",
      "",
      "Examples:",
      "  coral watch",
      "  coral watch -o json | jq -r 'select(.event == \"left\") | .agent.agentId'"
    })
final class WatchCommand implements Callable<Integer> {
  /** A colony that restarts is away for seconds. */
  private static final Duration PAUSE = Duration.ofSeconds(2);

  @Spec private @Nullable CommandSpec spec;

  @Mixin private QueryOptions options = new QueryOptions();

  @Override
  public Integer call() {
    ColonyClient colony = options.connect();
    CompletableFuture<Boolean> ended = new CompletableFuture<>();
    return UntilSignal.run(
        "watch",
        () -> AgentFeed.start(colony, PAUSE),
        feed -> {
          try {
            return viewer(colony).follow(feed);
          } finally {
            feed.close();
            ended.complete(true);
          }
        },
        feed -> {
          feed.close();
          ended.join();
          return CommandLine.DONE;
        });
  }

  private AgentViewer viewer(ColonyClient colony) {
    InstantSource clock = InstantSource.system();
    return !options.isStructured() && Terminal.width() > 0
        ? new LiveAgentTable(
            colony.colony(), options.out(), options.screen(), TerminalSize::measure, clock)
        : new AgentLines(
            options.output(),
            options.out(),
            CoralCommand.given(spec).commandLine().getErr(),
            clock);
  }
}
