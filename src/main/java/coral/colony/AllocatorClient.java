package coral.colony;

import coral.address.Allocation;
import coral.address.IpAllocator;
import coral.address.Registrant;
import coral.address.Reservation;
import coral.model.AgentId;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** Asks the allocator; a refusal fails the stage with {@link coral.model.RefusedException}. */
final class AllocatorClient {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** While a colony starts, the allocator may still be reading its journal. */
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);

  /** As large as the allocator lets a page be. */
  private static final int LARGE_PAGE = 10_000;

  private final ActorRef<IpAllocator.Command> allocator;
  private final ActorSystem<?> system;

  AllocatorClient(ActorRef<IpAllocator.Command> allocator, ActorSystem<?> system) {
    this.allocator = allocator;
    this.system = system;
  }

  CompletionStage<Allocation> allocate(
      AgentId agentId, WireGuardKey key, String requestId, Registrant registrant) {
    return ask(
        Allocation.class,
        replyTo -> new IpAllocator.Allocate(agentId, key, requestId, registrant, replyTo),
        TIMEOUT);
  }

  CompletionStage<IpAllocator.Released> release(AgentId agentId) {
    return ask(
        IpAllocator.Released.class, replyTo -> new IpAllocator.Release(agentId, replyTo), TIMEOUT);
  }

  CompletionStage<Reservation> reserve(
      AgentId agentId, int hostNumber, String actor, String source, String requestId) {
    return ask(
        Reservation.class,
        replyTo -> new IpAllocator.Reserve(agentId, hostNumber, actor, source, requestId, replyTo),
        TIMEOUT);
  }

  CompletionStage<Allocation> find(AgentId agentId) {
    return ask(Allocation.class, replyTo -> new IpAllocator.Find(agentId, replyTo), TIMEOUT);
  }

  CompletionStage<IpAllocator.Usage> usage() {
    return ask(IpAllocator.Usage.class, IpAllocator.GetUsage::new, TIMEOUT);
  }

  CompletionStage<IpAllocator.Allocations> page(int fromHostNumber, int limit) {
    return page(fromHostNumber, limit, TIMEOUT);
  }

  /** All there are, for the start of a colony. */
  CompletionStage<List<Allocation>> all() {
    return all(0, new ArrayList<>());
  }

  private CompletionStage<List<Allocation>> all(int fromHostNumber, List<Allocation> collected) {
    return page(fromHostNumber, LARGE_PAGE, START_TIMEOUT)
        .thenCompose(
            page -> {
              collected.addAll(page.allocations());
              return page.nextHostNumber() == 0
                  ? CompletableFuture.completedFuture(collected)
                  : all(page.nextHostNumber(), collected);
            });
  }

  private CompletionStage<IpAllocator.Allocations> page(
      int fromHostNumber, int limit, Duration timeout) {
    return ask(
        IpAllocator.Allocations.class,
        replyTo -> new IpAllocator.ListAllocations(fromHostNumber, limit, replyTo),
        timeout);
  }

  private <R extends IpAllocator.Reply> CompletionStage<R> ask(
      Class<R> expected,
      Function<ActorRef<IpAllocator.Reply>, IpAllocator.Command> command,
      Duration timeout) {
    return AskPattern.<IpAllocator.Command, IpAllocator.Reply>ask(
            allocator, command::apply, timeout, system.scheduler())
        .thenApply(
            reply -> {
              if (reply instanceof IpAllocator.Refusal refusal) {
                throw refusal.refused().toException();
              }
              return expected.cast(reply);
            });
  }
}
