package coral.colony;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.model.Failure;
import coral.model.RefusedException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.QueueOfferResult;
import org.apache.pekko.stream.javadsl.Source;

/**
 * All agents, and then those that change, for one caller after the other. A caller is registered
 * with {@link AgentChanges} before the first page is read, and what changes meanwhile waits behind
 * the last one: it may be older than the page, but what is newer comes again.
 */
final class AgentWatch {
  /** Messages of changes that a caller may be behind: half a minute of them at the least. */
  static final int BUFFER = 64;

  /** A caller that hears nothing for longer has lost its colony. */
  static final Duration KEEP_ALIVE = Duration.ofSeconds(15);

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final ActorRef<AgentChanges.Command> changes;
  private final AgentOverview agents;
  private final AgentMapping mapping;
  private final ActorSystem<?> system;

  AgentWatch(
      ActorRef<AgentChanges.Command> changes,
      AgentOverview agents,
      AgentMapping mapping,
      ActorSystem<?> system) {
    this.changes = changes;
    this.agents = agents;
    this.mapping = mapping;
    this.system = system;
  }

  /** A caller's queue. */
  private record Caller(BoundedSourceQueue<WatchAgentsResponse> queue)
      implements AgentChanges.Watcher {
    /** One that has left is no slow one: it is about to be forgotten. */
    @Override
    public boolean offer(WatchAgentsResponse changes) {
      return queue.isCompleted() || queue.offer(changes) != QueueOfferResult.dropped();
    }

    /** It may have been cancelled, or never have been read. */
    void end() {
      if (!queue.isCompleted()) {
        queue.complete();
      }
    }

    @Override
    public void fail(RefusedException reason) {
      if (!queue.isCompleted()) {
        queue.fail(reason);
      }
    }
  }

  /** The source fails with LIMIT_REACHED if too many watch, or if its caller reads too slowly. */
  Source<WatchAgentsResponse, NotUsed> watch() {
    return Source.fromMaterializer((materializer, attributes) -> watch(materializer))
        .mapMaterializedValue(later -> NotUsed.getInstance());
  }

  private Source<WatchAgentsResponse, NotUsed> watch(Materializer materializer) {
    Pair<BoundedSourceQueue<WatchAgentsResponse>, Source<WatchAgentsResponse, NotUsed>> queue =
        Source.<WatchAgentsResponse>queue(BUFFER).preMaterialize(materializer);
    Caller caller = new Caller(queue.first());
    CompletionStage<Source<WatchAgentsResponse, NotUsed>> accepted =
        AskPattern.<AgentChanges.Command, AgentChanges.Accepted>ask(
                changes,
                replyTo -> new AgentChanges.Watch(caller, replyTo),
                TIMEOUT,
                system.scheduler())
            .thenApply(
                answer -> {
                  if (!answer.watching()) {
                    throw new RefusedException(
                        Failure.LIMIT_REACHED,
                        "the colony has " + AgentChanges.MAX_WATCHERS + " watchers already");
                  }
                  return all().concat(queue.second().keepAlive(KEEP_ALIVE, AgentWatch::nothing));
                });
    return Source.completionStageSource(accepted)
        .watchTermination(
            (later, end) -> {
              end.whenComplete(
                  (done, failure) -> {
                    changes.tell(new AgentChanges.Leave(caller));
                    caller.end();
                  });
              return NotUsed.getInstance();
            });
  }

  private static WatchAgentsResponse nothing() {
    return WatchAgentsResponse.newBuilder().setComplete(true).build();
  }

  /** The first picture, page by page. */
  private Source<WatchAgentsResponse, NotUsed> all() {
    return Source.unfoldAsync(
        Optional.of(0),
        from ->
            from.isEmpty()
                ? CompletableFuture.completedStage(Optional.empty())
                : agents
                    .page(from.get(), Requests.MAX_PAGE)
                    .thenApply(page -> Optional.of(Pair.create(next(page), message(page)))));
  }

  private static Optional<Integer> next(AgentOverview.Page page) {
    return page.nextHostNumber() == 0 ? Optional.empty() : Optional.of(page.nextHostNumber());
  }

  private WatchAgentsResponse message(AgentOverview.Page page) {
    List<Agent> told = page.members().stream().map(mapping::agent).toList();
    told.forEach(agent -> changes.tell(new AgentChanges.Told(agent)));
    return WatchAgentsResponse.newBuilder()
        .addAllAgents(told)
        .setComplete(page.nextHostNumber() == 0)
        .build();
  }
}
