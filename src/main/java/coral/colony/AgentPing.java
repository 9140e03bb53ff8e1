package coral.colony;

import coral.api.colony.v1.PingAgentRequest;
import coral.api.colony.v1.PingAgentResponse;
import coral.model.Addresses;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.RefusedException;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Echos from the hub to an agent, through its tunnel, for as long as somebody reads what becomes of
 * them. Those of one caller to one address are never more than a few at once, and so many callers
 * are served at once and no more, because each echo blocks a thread.
 */
final class AgentPing {
  /** Streams at once; each sends to two addresses. */
  static final int MAX_STREAMS = 32;

  /** What is not answered by then is lost: no two hosts on this planet are so far apart. */
  static final Duration TIMEOUT = Duration.ofSeconds(1);

  private static final Logger log = LoggerFactory.getLogger(AgentPing.class);
  private static final int DEFAULT_COUNT = 4;
  private static final int MAX_COUNT = 1_000;
  private static final Duration DEFAULT_INTERVAL = Duration.ofSeconds(1);
  private static final Duration MIN_INTERVAL = Duration.ofMillis(100);
  private static final Duration MAX_INTERVAL = Duration.ofSeconds(60);

  /** To one address: echos that are late must not hold up those after them much. */
  private static final int MAX_WAITING = 4;

  /** {@link coral.wireguard.WireGuardDevice#echo} of the hub. */
  @FunctionalInterface
  interface Echo {
    Optional<Duration> send(InetAddress target, Duration timeout) throws IOException;
  }

  private final Function<AgentId, CompletionStage<Integer>> hostNumbers;
  private final MeshSubnet subnet;
  private final Echo echo;
  private final Executor blocking;
  private final Semaphore streams = new Semaphore(MAX_STREAMS);

  /**
   * @param hostNumbers of agents; fails for one that holds no address
   * @param blocking where echos wait; used by nothing else
   */
  AgentPing(
      Function<AgentId, CompletionStage<Integer>> hostNumbers,
      MeshSubnet subnet,
      Echo echo,
      Executor blocking) {
    this.hostNumbers = hostNumbers;
    this.subnet = subnet;
    this.echo = echo;
    this.blocking = blocking;
  }

  /**
   * One message for each echo, when it is answered or lost.
   *
   * @throws RefusedException INVALID_ARGUMENT if count or interval is out of bounds. The source
   *     fails with NOT_FOUND if no such agent holds an address, with LIMIT_REACHED if too many are
   *     being served.
   */
  Source<PingAgentResponse, NotUsed> ping(PingAgentRequest request) {
    AgentId agentId = Requests.agentId(request.getAgentId());
    int count = count(request.getCount());
    Duration interval =
        request.hasInterval()
            ? Requests.duration("interval", request.getInterval(), MIN_INTERVAL, MAX_INTERVAL)
            : DEFAULT_INTERVAL;
    return Source.fromMaterializer(
            (materializer, attributes) ->
                streams.tryAcquire()
                    ? echos(agentId, count, interval)
                        .watchTermination(
                            (notUsed, end) -> {
                              end.whenComplete((done, failure) -> streams.release());
                              return notUsed;
                            })
                    : Source.failed(tooMany()))
        .mapMaterializedValue(later -> NotUsed.getInstance());
  }

  private static int count(int asked) {
    if (asked < 0 || asked > MAX_COUNT) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT,
          "a count is 1 to " + MAX_COUNT + ", not " + Integer.toUnsignedString(asked));
    }
    return asked == 0 ? DEFAULT_COUNT : asked;
  }

  private static RefusedException tooMany() {
    return new RefusedException(
        Failure.LIMIT_REACHED,
        "the colony serves " + MAX_STREAMS + " pings at once: try again when one has ended");
  }

  private Source<PingAgentResponse, NotUsed> echos(AgentId agentId, int count, Duration interval) {
    return Source.completionStageSource(
            hostNumbers
                .apply(agentId)
                .thenApply(
                    hostNumber -> {
                      MeshAddresses agent = subnet.addresses(hostNumber);
                      return echos(agent.ipv4(), count, interval)
                          .merge(echos(agent.ipv6(), count, interval));
                    }))
        .mapMaterializedValue(later -> NotUsed.getInstance());
  }

  /** A tick that finds the echos before it still waiting is left out, and no number is. */
  private Source<PingAgentResponse, NotUsed> echos(
      InetAddress target, int count, Duration interval) {
    long waiting = (TIMEOUT.toMillis() + interval.toMillis() - 1) / interval.toMillis();
    return Source.tick(Duration.ZERO, interval, NotUsed.getInstance())
        .zipWithIndex()
        .take(count)
        .mapAsyncUnordered(
            (int) Math.min(MAX_WAITING, waiting),
            tick ->
                CompletableFuture.supplyAsync(
                    () -> answer(target, Math.toIntExact(tick.second()) + 1), blocking))
        .mapMaterializedValue(cancellable -> NotUsed.getInstance());
  }

  private PingAgentResponse answer(InetAddress target, int sequence) {
    PingAgentResponse.Builder answer =
        PingAgentResponse.newBuilder().setSequence(sequence).setTarget(Addresses.text(target));
    send(target).ifPresent(time -> answer.setAnswered(true).setRoundTrip(Protobuf.duration(time)));
    return answer.build();
  }

  /** A family that the host cannot send is a family that is not answered. */
  private Optional<Duration> send(InetAddress target) {
    try {
      return echo.send(target, TIMEOUT);
    } catch (IOException e) {
      log.debug("No echo could be sent to {}", target, e);
      return Optional.empty();
    }
  }
}
