package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.PingAgentRequest;
import coral.api.colony.v1.PingAgentResponse;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.model.RefusedException;
import coral.rpc.FailureStatus;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AgentPingTest {
  private static final ActorTestKit kit = ActorTestKit.create(ConfigFactory.load());
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  /** What was sent, until somebody answers. */
  private record Sent(InetAddress target, CompletableFuture<Optional<Duration>> answer) {}

  private final BlockingQueue<Sent> sent = new LinkedBlockingQueue<>();

  private final AgentPing ping =
      new AgentPing(
          agentId ->
              agentId.value().equals("web-1")
                  ? CompletableFuture.completedFuture(2)
                  : CompletableFuture.failedFuture(
                      new RefusedException(Failure.NOT_FOUND, "no such agent")),
          SUBNET,
          this::send,
          command -> new Thread(command, "echo").start());

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
  }

  private Optional<Duration> send(InetAddress target, Duration timeout) throws IOException {
    Sent echo = new Sent(target, new CompletableFuture<>());
    sent.add(echo);
    try {
      return echo.answer().get(30, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  private Sent next() throws InterruptedException {
    Sent echo = sent.poll(10, TimeUnit.SECONDS);
    assertTrue(echo != null, "no echo was sent");
    return echo;
  }

  private static PingAgentRequest.Builder request() {
    return PingAgentRequest.newBuilder()
        .setAgentId("web-1")
        .setInterval(Protobuf.duration(Duration.ofMillis(100)));
  }

  private SinkQueueWithCancel<PingAgentResponse> run(Source<PingAgentResponse, NotUsed> source) {
    return source.toMat(Sink.queue(), Keep.right()).run(kit.system());
  }

  private static Optional<PingAgentResponse> pull(SinkQueueWithCancel<PingAgentResponse> answers)
      throws Exception {
    return answers.pull().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private static Failure failure(SinkQueueWithCancel<PingAgentResponse> answers) {
    return FailureStatus.failure(assertThrows(ExecutionException.class, () -> pull(answers)));
  }

  @Test
  void bothFamiliesAreAskedAndEachEchoIsToldWhenItIsAnsweredOrLost() throws Exception {
    SinkQueueWithCancel<PingAgentResponse> answers = run(ping.ping(request().setCount(2).build()));
    for (int i = 0; i < 4; i++) {
      Sent echo = next();
      echo.answer()
          .complete(
              echo.target() instanceof Inet6Address
                  ? Optional.empty()
                  : Optional.of(Duration.ofMillis(3)));
    }
    List<PingAgentResponse> told = new ArrayList<>();
    for (Optional<PingAgentResponse> one = pull(answers); one.isPresent(); one = pull(answers)) {
      told.add(one.get());
    }
    assertEquals(4, told.size());
    for (String target : List.of("10.42.0.2", "fd42::2")) {
      assertEquals(
          List.of(1, 2),
          told.stream()
              .filter(answer -> answer.getTarget().equals(target))
              .map(PingAgentResponse::getSequence)
              .sorted()
              .toList());
    }
    for (PingAgentResponse answer : told) {
      boolean ipv4 = answer.getTarget().startsWith("10.");
      assertEquals(ipv4, answer.getAnswered());
      assertEquals(ipv4, answer.hasRoundTrip());
    }
    assertEquals(0, sent.size());
  }

  @Test
  void anEchoThatWaitsHoldsUpOnlySoMany() throws Exception {
    SinkQueueWithCancel<PingAgentResponse> answers = run(ping.ping(request().setCount(9).build()));
    List<Sent> waiting = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      waiting.add(next());
    }
    assertEquals(null, sent.poll(300, TimeUnit.MILLISECONDS), "four of each family wait");
    waiting.get(7).answer().complete(Optional.empty());
    next().answer().complete(Optional.empty());
    answers.cancel();
    waiting.forEach(echo -> echo.answer().complete(Optional.empty()));
  }

  @Test
  void nothingIsSentAnyMoreOnceTheCallerHasLeft() throws Exception {
    SinkQueueWithCancel<PingAgentResponse> answers =
        run(ping.ping(request().setCount(1_000).build()));
    next().answer().complete(Optional.of(Duration.ofMillis(1)));
    answers.cancel();
    // Permits are given back, or the last of these would be refused.
    for (int i = 0; i < 3 * AgentPing.MAX_STREAMS; i++) {
      SinkQueueWithCancel<PingAgentResponse> more =
          run(ping.ping(request().setAgentId("gone").build()));
      assertEquals(Failure.NOT_FOUND, failure(more));
    }
  }

  @Test
  void onlySoManyAreServedAtOnce() throws Exception {
    List<SinkQueueWithCancel<PingAgentResponse>> served = new ArrayList<>();
    for (int i = 0; i < AgentPing.MAX_STREAMS; i++) {
      served.add(run(ping.ping(request().setCount(1).build())));
    }
    List<Sent> waiting = new ArrayList<>();
    for (int i = 0; i < 2 * AgentPing.MAX_STREAMS; i++) {
      waiting.add(next());
    }
    assertEquals(Failure.LIMIT_REACHED, failure(run(ping.ping(request().build()))));
    waiting.forEach(echo -> echo.answer().complete(Optional.of(Duration.ofMillis(1))));
    for (SinkQueueWithCancel<PingAgentResponse> answers : served) {
      assertTrue(pull(answers).isPresent());
      assertTrue(pull(answers).isPresent());
      assertEquals(Optional.empty(), pull(answers));
    }
  }

  @Test
  void whatIsOutOfBoundsIsRefused() {
    for (PingAgentRequest bad :
        List.of(
            request().setCount(1_001).build(),
            request().setCount(-1).build(),
            request().setAgentId("").build(),
            request().setAgentId("No Agent").build(),
            request().setInterval(Protobuf.duration(Duration.ofMillis(99))).build(),
            request().setInterval(Protobuf.duration(Duration.ofMillis(-1000))).build(),
            request().setInterval(Protobuf.duration(Duration.ofSeconds(61))).build())) {
      assertEquals(
          Failure.INVALID_ARGUMENT,
          assertThrows(RefusedException.class, () -> ping.ping(bad)).refused().failure());
    }
  }
}
