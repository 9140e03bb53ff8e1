package coral.cli;

import coral.api.colony.v1.PingAgentRequest;
import coral.api.colony.v1.PingAgentResponse;
import coral.model.Failure;
import coral.rpc.ConnectStream;
import coral.rpc.RpcException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** One agent that is being pinged; {@link #close} may come from any thread. */
final class Pinging implements AutoCloseable {
  /** Longer than any echo is waited for, beside the interval. */
  private static final Duration SILENCE = Duration.ofSeconds(15);

  private static final Map<Failure, String> NEXT =
      Map.of(Failure.NOT_FOUND, "'coral agents' shows which there are.");

  private final String agentId;
  private final ColonyClient colony;
  private final ConnectStream<PingAgentResponse> stream;
  private final Map<String, PingStatistics> statistics = new TreeMap<>();
  private final CompletableFuture<Optional<RpcException>> ended = new CompletableFuture<>();

  private Pinging(String agentId, ColonyClient colony, ConnectStream<PingAgentResponse> stream) {
    this.agentId = agentId;
    this.colony = colony;
    this.stream = stream;
  }

  /**
   * Begins; the first answers are on their way.
   *
   * @throws CommandFailedException if the colony cannot be asked
   */
  static Pinging start(ColonyClient colony, String agentId, int count, Duration interval) {
    PingAgentRequest request =
        PingAgentRequest.newBuilder()
            .setAgentId(agentId)
            .setCount(count)
            .setInterval(
                com.google.protobuf.Duration.newBuilder()
                    .setSeconds(interval.getSeconds())
                    .setNanos(interval.getNano()))
            .build();
    return new Pinging(
        agentId,
        colony,
        colony.stream(
            Services.COLONY + "PingAgent",
            request,
            PingAgentResponse.parser(),
            interval.plus(SILENCE)));
  }

  String agentId() {
    return agentId;
  }

  /**
   * Waits until the last echo is answered or lost, or until this is closed.
   *
   * @param each hears of every echo, on another thread
   * @throws CommandFailedException if the colony refuses or does not answer any more
   */
  void run(Consumer<PingAgentResponse> each) {
    Thread reader = new Thread(() -> read(each), "ping-reader");
    reader.setDaemon(true);
    reader.start();
    Optional<RpcException> failure = ended.join();
    if (failure.isPresent()) {
      throw colony.failure(failure.get(), NEXT);
    }
  }

  private void read(Consumer<PingAgentResponse> each) {
    try (stream) {
      Optional<PingAgentResponse> next = stream.next();
      while (next.isPresent() && take(next.get(), each)) {
        next = stream.next();
      }
      ended.complete(Optional.empty());
    } catch (RpcException e) {
      ended.complete(Optional.of(e));
    } catch (RuntimeException e) {
      ended.completeExceptionally(e);
    }
  }

  /** Whether somebody still wants to know. */
  private synchronized boolean take(PingAgentResponse answer, Consumer<PingAgentResponse> each) {
    if (ended.isDone()) {
      return false;
    }
    statistics
        .computeIfAbsent(answer.getTarget(), target -> new PingStatistics())
        .add(roundTrip(answer));
    each.accept(answer);
    return true;
  }

  static Optional<Duration> roundTrip(PingAgentResponse answer) {
    return answer.getAnswered()
        ? Optional.of(Times.duration(answer.getRoundTrip()))
        : Optional.empty();
  }

  /** By address, IPv4 first. To be read when {@link #run} has returned. */
  Map<String, PingStatistics> statistics() {
    return statistics;
  }

  boolean isAnswered() {
    return statistics.values().stream().anyMatch(target -> target.answered() > 0);
  }

  /**
   * Nobody is told any more. The stream ends with the next echo: to close it under its reader's
   * hands would wait for that echo, too.
   */
  @Override
  public synchronized void close() {
    ended.complete(Optional.empty());
  }
}
