package coral.cli;

import coral.api.colony.v1.AllowRebindRequest;
import coral.api.colony.v1.AllowRebindResponse;
import coral.model.AgentId;
import coral.model.Failure;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code coral agent}. */
@Command(
    name = "agent",
    description = "One agent and its identity. 'coral agents' lists all agents.",
    footer = {"Examples:", "  coral agent show web-1", "  coral agent allow-rebind web-1"},
    subcommands = {AgentShowCommand.class, AgentCommand.AllowRebind.class})
final class AgentCommand extends CommandGroup {
  /** {@code coral agent allow-rebind}. */
  @Command(
      name = "allow-rebind",
      description = {
        "Let an agent id be claimed once by another key.",
        "",
        "For a host that was set up anew and has lost its key, and for an id that is revoked or"
            + " frozen. The host needs an invitation, too. It keeps its mesh address; what the"
            + " former key has ends when the id is claimed."
      },
      footer = {
        "JSON: {agentId, expiresAt}; the time is ISO 8601 in UTC.",
        "",
        "Examples:",
        "  coral agent allow-rebind web-1 --reason 'new disk'",
        "  coral agent allow-rebind web-1 --ttl 2h && coral invite --agent web-1 --ttl 2h"
      })
  static final class AllowRebind implements Callable<Integer> {
    @Mixin private QueryOptions options = new QueryOptions();

    @Parameters(
        paramLabel = "AGENT-ID",
        converter = AgentIdConverter.class,
        description = "As 'coral agents' shows it.")
    private @Nullable AgentId agent;

    @Option(
        names = "--ttl",
        paramLabel = "TIME",
        defaultValue = "15m",
        converter = Ttl.class,
        description = "How long: 1s to 24h, such as 15m (the default) or 2h.")
    private Duration ttl = Duration.ofMinutes(15);

    @Option(
        names = "--reason",
        paramLabel = "TEXT",
        converter = Reason.class,
        defaultValue = "allowed from the command line",
        description = "Why, for the audit: up to 255 characters.")
    private String reason = "";

    @Override
    public Integer call() {
      AgentId id = Objects.requireNonNull(agent, "demanded by the parser");
      AllowRebindResponse allowed =
          options
              .connect()
              .ask(
                  Services.CERTIFICATES + "AllowRebind",
                  AllowRebindRequest.newBuilder()
                      .setAgentId(id.value())
                      .setTtl(DurationOption.message(ttl))
                      .setReason(reason)
                      .build(),
                  AllowRebindResponse.parser(),
                  Map.of(
                      Failure.NOT_FOUND,
                      "Nobody has claimed this id: 'coral invite --agent "
                          + id
                          + "' is all that its host needs."));
      return options.answer(
          () -> json(id, allowed), () -> text(id, allowed, InstantSource.system().instant()));
    }
  }

  static final class Ttl extends DurationOption {
    Ttl() {
      super(Duration.ofSeconds(1), Duration.ofHours(24));
    }
  }

  static String json(AgentId id, AllowRebindResponse allowed) {
    return Json.object(
        json ->
            json.put("agentId", id.value())
                .put("expiresAt", Times.instant(allowed.getExpiresAt())));
  }

  static String text(AgentId id, AllowRebindResponse allowed, Instant now) {
    return """
    %1$s may be claimed once by another key, until %2$s.
    Its host needs an invitation, too: 'coral invite --agent %1$s'.
    """
        .formatted(id, Times.moment(allowed.getExpiresAt(), now));
  }
}
