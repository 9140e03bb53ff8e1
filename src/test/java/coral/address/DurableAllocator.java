package coral.address;

import com.typesafe.config.ConfigFactory;
import coral.address.IpAllocator.Command;
import coral.address.IpAllocator.Reply;
import coral.model.AgentId;
import coral.model.MeshSubnet;
import coral.model.WireGuardKey;
import coral.storage.DuckDbFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** An allocator with its journal in a real file, as a colony has it. */
public final class DurableAllocator implements AutoCloseable {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  public final DuckDbFile file;
  public final ActorSystem<Command> system;

  /** The changes announced since this allocator was started. */
  public final List<AllocationChange> changes = new CopyOnWriteArrayList<>();

  public DurableAllocator(Path path, MeshSubnet subnet) throws IOException {
    this(path, subnet, IpAllocator.Settings.of(path.toString()), InstantSource.system());
  }

  public DurableAllocator(
      Path path, MeshSubnet subnet, IpAllocator.Settings settings, InstantSource clock)
      throws IOException {
    file = DuckDbFile.open(path);
    system = start(IpAllocator.create(subnet, clock, settings, changes::add));
  }

  /** For millions of changes, which {@link #changes} would not bear. */
  public DurableAllocator(Path path, MeshSubnet subnet, Consumer<AllocationChange> afterCommit)
      throws IOException {
    file = DuckDbFile.open(path);
    system =
        start(
            IpAllocator.create(
                subnet,
                InstantSource.system(),
                IpAllocator.Settings.of(path.toString()),
                afterCommit));
  }

  private ActorSystem<Command> start(Behavior<Command> allocator) {
    return ActorSystem.create(
        allocator,
        "durable-allocator",
        file.persistenceConfig().withFallback(ConfigFactory.load()));
  }

  /**
   * Asks. What an ask returns runs each dependent stage in the common pool, which on two processors
   * is a new thread per stage; the future of this method runs them where the reply arrives.
   */
  public CompletableFuture<Reply> ask(Function<ActorRef<Reply>, Command> request) {
    CompletableFuture<Reply> answer = new CompletableFuture<>();
    AskPattern.ask(system, request::apply, TIMEOUT, system.scheduler())
        .whenCompleteAsync(
            (reply, failure) -> {
              if (failure != null) {
                answer.completeExceptionally(failure);
              } else {
                answer.complete(reply);
              }
            },
            Runnable::run);
    return answer;
  }

  public Reply get(Function<ActorRef<Reply>, Command> request) {
    try {
      return ask(request).get(30, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError("no reply", e);
    }
  }

  public CompletableFuture<Reply> allocate(String agent, WireGuardKey key, String requestId) {
    return ask(replyTo -> new IpAllocator.Allocate(new AgentId(agent), key, requestId, replyTo));
  }

  /** All allocations, page by page. */
  public List<Allocation> list() {
    List<Allocation> all = new ArrayList<>();
    int from = 0;
    do {
      int first = from;
      IpAllocator.Allocations page =
          (IpAllocator.Allocations)
              get(replyTo -> new IpAllocator.ListAllocations(first, 7_000, replyTo));
      all.addAll(page.allocations());
      from = page.nextHostNumber();
    } while (from != 0);
    return all;
  }

  @Override
  public void close() {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().join();
    file.close();
  }
}
