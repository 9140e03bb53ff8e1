package coral.cli;

import coral.api.colony.v1.WatchAgentsRequest;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.model.Failure;
import coral.rpc.ConnectStream;
import coral.rpc.RpcException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a colony tells of its agents, read on a thread of its own, which comes back by itself when
 * the colony does. What is not taken is not read on, and the colony may end the stream for that.
 */
final class AgentFeed implements AutoCloseable {
  /** A colony that has nothing to tell says so every 15 s. */
  private static final Duration SILENCE = Duration.ofSeconds(45);

  private static final int WAITING = 16;

  /** What comes. */
  sealed interface Item {}

  /**
   * Something was told.
   *
   * @param first whether it is the first of a new stream
   */
  record Told(WatchAgentsResponse message, boolean first) implements Item {}

  /** The colony is away; it is asked again. */
  record Away(CommandFailedException reason) implements Item {}

  /** There is no use in asking again. */
  record Refused(CommandFailedException reason) implements Item {}

  /** It was closed: wakes whoever waits. */
  private enum Closed implements Item {
    INSTANCE
  }

  private final ColonyClient colony;
  private final Duration pause;
  private final BlockingQueue<Item> items = new ArrayBlockingQueue<>(WAITING);
  private final CountDownLatch closed = new CountDownLatch(1);

  /** Of the reader, once it has started. */
  private @Nullable ConnectStream<WatchAgentsResponse> stream;

  private AgentFeed(ColonyClient colony, Duration pause) {
    this.colony = colony;
    this.pause = pause;
  }

  /**
   * Begins to watch.
   *
   * @param pause before the colony is asked again
   * @throws CommandFailedException if it cannot be asked now
   */
  static AgentFeed start(ColonyClient colony, Duration pause) {
    AgentFeed feed = new AgentFeed(colony, pause);
    feed.stream = feed.open();
    Thread reader = new Thread(feed::read, "agent-feed");
    reader.setDaemon(true);
    reader.start();
    return feed;
  }

  /** The next; empty if nothing comes in time, and once this is closed. */
  Optional<Item> next(Duration timeout) throws InterruptedException {
    return Optional.ofNullable(items.poll(timeout.toMillis(), TimeUnit.MILLISECONDS))
        .filter(item -> item != Closed.INSTANCE);
  }

  boolean isClosed() {
    return closed.getCount() == 0;
  }

  private ConnectStream<WatchAgentsResponse> open() {
    return colony.stream(
        Services.COLONY + "WatchAgents",
        WatchAgentsRequest.getDefaultInstance(),
        WatchAgentsResponse.parser(),
        SILENCE);
  }

  private void read() {
    boolean goOn = true;
    boolean told = false;
    try {
      while (goOn && !isClosed()) {
        try {
          ConnectStream<WatchAgentsResponse> current = current();
          boolean first = true;
          for (Optional<WatchAgentsResponse> next = current.next();
              next.isPresent() && !isClosed();
              next = current.next()) {
            offer(new Told(next.get(), first));
            first = false;
            told = true;
          }
        } catch (RpcException e) {
          goOn = told && !isFinal(e);
          CommandFailedException reason = colony.failure(e, Map.of());
          offer(goOn ? new Away(reason) : new Refused(reason));
        } catch (CommandFailedException e) {
          offer(new Away(e));
        }
        end();
        goOn &= !closed.await(pause.toMillis(), TimeUnit.MILLISECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void offer(Item item) throws InterruptedException {
    boolean taken = false;
    while (!taken && !isClosed()) {
      taken = items.offer(item, pause.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  private static boolean isFinal(RpcException e) {
    return e.reason() == RpcException.Reason.REFUSED
        && (e.failure() == Failure.PERMISSION_DENIED || e.failure() == Failure.UNAUTHENTICATED);
  }

  /** The stream that is open, or a new one. */
  private ConnectStream<WatchAgentsResponse> current() {
    ConnectStream<WatchAgentsResponse> current = stream;
    if (current == null) {
      current = open();
      stream = current;
    }
    return current;
  }

  private void end() {
    ConnectStream<WatchAgentsResponse> ended = stream;
    stream = null;
    if (ended != null) {
      ended.close();
    }
  }

  /**
   * Nothing comes any more. The stream ends with the next message, which is a sign of life at the
   * latest: to close it under its reader's hands would wait for that message, too.
   */
  @Override
  public void close() {
    closed.countDown();
    items.clear();
    items.offer(Closed.INSTANCE);
  }
}
