package coral.session;

import coral.model.AgentId;
import coral.model.ClusterMessage;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.jspecify.annotations.Nullable;

/**
 * What agents with a session say that their hosts are connected to; a cluster singleton. Nothing of
 * it is stored: an agent tells it again in its next session.
 */
public final class ConnectionDirectory extends AbstractBehavior<ConnectionDirectory.Command> {
  /** Of all agents together: what one answer can show. */
  static final int MAX_CONNECTIONS = 20_000;

  /** An agent repeats every fourth heartbeat what does not change; three may be lost. */
  private static final int LIFETIME_INTERVALS = 12;

  /** What the directory is told and asked. */
  public sealed interface Command extends ClusterMessage {}

  /** An agent has told anew what its host is connected to. */
  record Reported(AgentId agentId, ConnectionReport report) implements Command {}

  /** An agent has no session any more. */
  record Forget(AgentId agentId) implements Command {}

  /** Asks for everything; answered with {@link Reports}. */
  public record ListReports(ActorRef<Reports> replyTo) implements Command {}

  /** What is known, in no order. */
  public record Reports(List<AgentReport> reports) implements ClusterMessage {
    public Reports {
      reports = List.copyOf(reports);
    }
  }

  /** What one agent said last, and when. */
  public record AgentReport(AgentId agentId, ConnectionReport report, Instant at)
      implements ClusterMessage {}

  /**
   * The directory.
   *
   * @param heartbeatInterval what agents are told: after twelve of them a report is stale
   */
  public static Behavior<Command> create(Duration heartbeatInterval, InstantSource clock) {
    return Behaviors.setup(
        context ->
            new ConnectionDirectory(
                context, heartbeatInterval.multipliedBy(LIFETIME_INTERVALS), clock));
  }

  private final Duration lifetime;
  private final InstantSource clock;
  private final Map<AgentId, AgentReport> reports = new HashMap<>();
  private int connections;
  private boolean hasWarned;

  private ConnectionDirectory(
      ActorContext<Command> context, Duration lifetime, InstantSource clock) {
    super(context);
    this.lifetime = lifetime;
    this.clock = clock;
  }

  @Override
  public Receive<Command> createReceive() {
    return newReceiveBuilder()
        .onMessage(Reported.class, this::onReported)
        .onMessage(Forget.class, this::onForget)
        .onMessage(ListReports.class, this::onListReports)
        .build();
  }

  private Behavior<Command> onReported(Reported reported) {
    remove(reported.agentId());
    List<ReportedConnection> told = reported.report().connections();
    if (connections + told.size() > MAX_CONNECTIONS) {
      removeStale();
    }
    int room = Math.min(told.size(), MAX_CONNECTIONS - connections);
    if (room < told.size() && !hasWarned) {
      getContext()
          .getLog()
          .warn(
              "Agents have more connections than the {} that a topology shows: some are left out",
              MAX_CONNECTIONS);
    }
    hasWarned = room < told.size();
    if (room > 0) {
      reports.put(
          reported.agentId(),
          new AgentReport(
              reported.agentId(),
              new ConnectionReport(reported.report().evidence(), told.subList(0, room)),
              clock.instant()));
      connections += room;
    }
    return this;
  }

  private Behavior<Command> onForget(Forget forget) {
    remove(forget.agentId());
    return this;
  }

  private Behavior<Command> onListReports(ListReports list) {
    removeStale();
    list.replyTo().tell(new Reports(new ArrayList<>(reports.values())));
    return this;
  }

  private void remove(AgentId agentId) {
    @Nullable AgentReport before = reports.remove(agentId);
    if (before != null) {
      connections -= before.report().connections().size();
    }
  }

  private void removeStale() {
    Instant oldest = clock.instant().minus(lifetime);
    reports.values().stream()
        .filter(report -> report.at().isBefore(oldest))
        .map(AgentReport::agentId)
        .toList()
        .forEach(this::remove);
  }
}
