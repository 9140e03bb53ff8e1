package coral.cli;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.PingAgentResponse;
import coral.model.AgentId;
import coral.process.UntilSignal;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coral ping}. */
@Command(
    name = "ping",
    description = {
      "Have the colony send ICMP echos to an agent through its tunnel, over IPv4 and IPv6.",
      "",
      "An echo that is not answered within a second is lost. Ctrl+C ends it and shows what there"
          + " is. Fails if nothing is answered."
    },
    footer = {
      "JSON: {targets: [{agentId, address, sent, answered, lossPercent, minMilliseconds,",
      "p50Milliseconds, p95Milliseconds, p99Milliseconds, maxMilliseconds}]}; what nothing was",
      "answered for is null.",
      "",
      "Examples:",
      "  coral ping web-1",
      "  coral ping web-1 -c 100 -i 0.1",
      "  coral ping --all"
    })
final class PingCommand implements Callable<Integer> {
  /** Such an identity has no tunnel. */
  private static final Set<String> WITHOUT_TUNNEL = Set.of("revoked", "frozen");

  private static final int MAX_COUNT = 1_000;

  @Spec private @Nullable CommandSpec spec;

  @Mixin private QueryOptions options = new QueryOptions();

  @ArgGroup(multiplicity = "1")
  private Whom whom = new Whom();

  /** One or all. */
  static final class Whom {
    @Parameters(
        paramLabel = "AGENT-ID",
        converter = AgentIdConverter.class,
        description = "As 'coral agents' shows it.")
    private @Nullable AgentId agent;

    @Option(names = "--all", description = "All agents at once, and a table at the end.")
    private boolean all;
  }

  @Option(
      names = {"-c", "--count"},
      paramLabel = "N",
      defaultValue = "4",
      description = "How many to each address: 1 to 1000 (default: 4).")
  private int count = 4;

  @Option(
      names = {"-i", "--interval"},
      paramLabel = "TIME",
      defaultValue = "1s",
      converter = PingInterval.class,
      description = "From one to the next: 100ms to 60s (default: 1s).")
  private Duration interval = Duration.ofSeconds(1);

  @Override
  public Integer call() {
    if (count < 1 || count > MAX_COUNT) {
      throw new ParameterException(
          CoralCommand.given(spec).commandLine(), "--count is 1 to " + MAX_COUNT);
    }
    ColonyClient colony = options.connect();
    AgentId agent = whom.agent;
    return whom.all || agent == null ? all(colony) : one(colony, agent.value());
  }

  private int one(ColonyClient colony, String agentId) {
    CompletableFuture<Integer> done = new CompletableFuture<>();
    return UntilSignal.run(
        "ping",
        () -> Pinging.start(colony, agentId, count, interval),
        pinging -> {
          try {
            pinging.run(this::show);
            int code = report(List.of(pinging), () -> text(pinging));
            done.complete(code);
            return code;
          } finally {
            done.complete(CommandLine.FAILED);
          }
        },
        pinging -> {
          pinging.close();
          return done.join();
        });
  }

  private void show(PingAgentResponse answer) {
    if (!options.isStructured()) {
      PrintWriter out = options.out();
      out.println(line(answer));
      out.flush();
    }
  }

  private int all(ColonyClient colony) {
    List<String> agentIds =
        colony.agents().stream()
            .filter(agent -> !WITHOUT_TUNNEL.contains(agent.getStatus()))
            .map(Agent::getAgentId)
            .toList();
    CompletableFuture<Integer> done = new CompletableFuture<>();
    return UntilSignal.run(
        "ping",
        () -> new PingingAll(colony, agentIds, count, interval),
        everybody -> {
          try {
            everybody.run();
            everybody.failures().forEach(this::complain);
            int code = report(everybody.ended(), () -> table(everybody.ended()));
            done.complete(code);
            return code;
          } finally {
            done.complete(CommandLine.FAILED);
          }
        },
        everybody -> {
          everybody.close();
          return done.join();
        });
  }

  private void complain(String agentId, String failure) {
    PrintWriter err = CoralCommand.given(spec).commandLine().getErr();
    err.println("coral: " + agentId + " was not pinged to the end: " + failure);
    err.flush();
  }

  private int report(Collection<Pinging> ended, Supplier<String> text) {
    options.answer(() -> json(ended), text);
    return ended.stream().anyMatch(Pinging::isAnswered) ? CommandLine.DONE : CommandLine.FAILED;
  }

  static String line(PingAgentResponse answer) {
    return Pinging.roundTrip(answer)
        .map(
            time ->
                answer.getTarget()
                    + ": seq="
                    + answer.getSequence()
                    + " time="
                    + HumanTime.milliseconds(time))
        .orElseGet(() -> answer.getTarget() + ": seq=" + answer.getSequence() + " lost");
  }

  private static String text(Pinging pinging) {
    StringBuilder text = new StringBuilder();
    pinging
        .statistics()
        .forEach(
            (target, statistics) ->
                text.append("--- ")
                    .append(pinging.agentId())
                    .append(", ")
                    .append(target)
                    .append(": ")
                    .append(statistics)
                    .append('\n'));
    return text.toString();
  }

  private String table(Collection<Pinging> ended) {
    if (ended.isEmpty()) {
      return "No agents to ping.\n";
    }
    Table table =
        new Table("AGENT", "ADDRESS", "SENT", "LOST", "MIN", "P50", "P95", "P99", "MAX")
            .expendable("P99", "MIN", "SENT", "P95");
    for (Pinging pinging : ended) {
      for (Map.Entry<String, PingStatistics> target : pinging.statistics().entrySet()) {
        PingStatistics statistics = target.getValue();
        List<String> cells = new ArrayList<>();
        cells.add(pinging.agentId());
        cells.add(target.getKey());
        cells.add(Integer.toString(statistics.sent()));
        cells.add(statistics.loss());
        statistics
            .percentiles()
            .forEach(time -> cells.add(time.map(HumanTime::milliseconds).orElse("")));
        table.row(cells.toArray(String[]::new));
      }
    }
    return table.on(options.screen());
  }

  /** A target, whose it is, and what became of its echos. */
  private record Target(String agentId, String address, PingStatistics statistics) {}

  private static String json(Collection<Pinging> ended) {
    List<Target> targets = new ArrayList<>();
    for (Pinging pinging : ended) {
      pinging
          .statistics()
          .forEach(
              (address, statistics) ->
                  targets.add(new Target(pinging.agentId(), address, statistics)));
    }
    return Json.object(json -> json.putObjects("targets", targets, PingCommand::put));
  }

  private static void put(Json json, Target target) {
    json.put("agentId", target.agentId())
        .put("address", target.address())
        .put("sent", target.statistics().sent())
        .put("answered", target.statistics().answered())
        .put("lossPercent", target.statistics().lossPercent());
    milliseconds(json, "minMilliseconds", target, 0);
    milliseconds(json, "p50Milliseconds", target, 50);
    milliseconds(json, "p95Milliseconds", target, 95);
    milliseconds(json, "p99Milliseconds", target, 99);
    milliseconds(json, "maxMilliseconds", target, 100);
  }

  private static void milliseconds(Json json, String name, Target target, int percent) {
    target
        .statistics()
        .percentile(percent)
        .ifPresentOrElse(time -> json.put(name, time.toNanos() / 1e6), () -> json.putNull(name));
  }
}
