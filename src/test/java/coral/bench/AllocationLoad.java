package coral.bench;

import coral.address.Allocation;
import coral.address.DurableAllocator;
import coral.address.IpAllocator;
import coral.model.AgentId;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;

/**
 * Asks an allocator for addresses of new agents. An actor, because a client that waits for futures
 * takes longer than the allocator. Any answer but an allocation ends the benchmark.
 */
final class AllocationLoad {
  private final DurableAllocator allocator;
  private final Random random = new Random(65_000);
  private int agents;

  AllocationLoad(DurableAllocator allocator) {
    this.allocator = allocator;
  }

  /** So many are under way at any time; allocations per second. */
  double oneByOne(int inFlight, Duration time) {
    return rate(inFlight, 1, Long.MAX_VALUE, time);
  }

  /** So many are offered together, and the next when all have their answers; per second. */
  double inBatches(int size, Duration time) {
    return rate(size, size, Long.MAX_VALUE, time);
  }

  /** Makes so many allocations. */
  void count(int allocations) {
    rate(1_000, 1, allocations, Duration.ofMinutes(5));
  }

  private double rate(int inFlight, int refill, long limit, Duration time) {
    CompletableFuture<Double> rate = new CompletableFuture<>();
    allocator.system.systemActorOf(
        Behaviors.<IpAllocator.Reply>setup(
            context -> new Client(context, inFlight, refill, limit, time, rate)),
        "load-" + agents,
        Props.empty());
    return rate.join();
  }

  private final class Client extends AbstractBehavior<IpAllocator.Reply> {
    private final int refill;
    private final CompletableFuture<Double> rate;
    private final ActorRef<IpAllocator.Command> asked = allocator.system;
    private final long began = System.nanoTime();
    private final long end;
    private long left;
    private long done;
    private int outstanding;

    Client(
        ActorContext<IpAllocator.Reply> context,
        int inFlight,
        int refill,
        long limit,
        Duration time,
        CompletableFuture<Double> rate) {
      super(context);
      this.refill = refill;
      this.left = limit;
      this.end = began + time.toNanos();
      this.rate = rate;
      offer(inFlight);
    }

    private void offer(int count) {
      for (int i = 0; i < count && left > 0 && System.nanoTime() < end; i++) {
        byte[] key = new byte[WireGuardKey.LENGTH];
        random.nextBytes(key);
        int number = agents++;
        asked.tell(
            new IpAllocator.Allocate(
                new AgentId("agent-" + number),
                WireGuardKey.of(key),
                "request-" + number,
                getContext().getSelf()));
        outstanding++;
        left--;
      }
    }

    @Override
    public Receive<IpAllocator.Reply> createReceive() {
      return newReceiveBuilder().onAnyMessage(this::onReply).build();
    }

    private Behavior<IpAllocator.Reply> onReply(IpAllocator.Reply reply) {
      if (!(reply instanceof Allocation)) {
        rate.completeExceptionally(new IllegalStateException(reply.toString()));
        return Behaviors.stopped();
      }
      done++;
      outstanding--;
      if (refill == 1 || outstanding == 0) {
        offer(refill);
      }
      if (outstanding > 0) {
        return this;
      }
      rate.complete(done * 1e9 / (System.nanoTime() - began));
      return Behaviors.stopped();
    }
  }
}
