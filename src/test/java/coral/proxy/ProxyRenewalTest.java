package coral.proxy;

import static coral.proxy.ProxyFixture.get;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.Agent;
import coral.api.colony.v1.ColonyServiceClient;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.WatchAgentsRequest;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.model.Endpoint;
import coral.rpc.Role;
import coral.testing.Eventually;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SourceQueueWithComplete;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The connection to the colony is replaced, as it is when the proxy's certificate is renewed. */
@Timeout(60)
final class ProxyRenewalTest {
  private static final Duration HOUR = Duration.ofHours(1);

  /** Longer than any of these tests. */
  private static final Duration AGES = Duration.ofSeconds(50);

  private final AtomicInteger dialled = new AtomicInteger();
  private StandInColony colony;

  @SuppressWarnings("NullAway.Init") // each test opens it, with limits of its own
  private ProxyFixture fixture;

  @BeforeEach
  void start() throws Exception {
    colony = new StandInColony();
  }

  @AfterEach
  void stop() throws Exception {
    fixture.close();
  }

  /** Connected with the certificate of {@code first}. */
  private void open(ProxyLimits limits) throws Exception {
    Executor resolver =
        task -> {
          dialled.incrementAndGet();
          task.run();
        };
    fixture =
        new ProxyFixture(
            colony, ProxyFixture.loopback(Set.of()), limits, resolver, InstantSource.system());
    connect("first", colony.endpoint());
    fixture.awaitConnected();
  }

  private void connect(String name, Endpoint at) throws Exception {
    fixture.proxy.connect(
        new Upstream(List.of(at), colony.tls(Role.PROXY, name), Role.PROXY, Way.PUBLIC));
  }

  private static ProxyLimits limits(
      Duration connect, int retiringConnections, Duration retirement) {
    return limits(connect, retiringConnections, retirement, 128);
  }

  private static ProxyLimits limits(
      Duration connect, int retiringConnections, Duration retirement, int streamsPerConnection) {
    ProxyLimits d = ProxyLimits.DEFAULT;
    return new ProxyLimits(
        d.connections(),
        d.requests(),
        d.upstreamConnections(),
        streamsPerConnection,
        d.headBytes(),
        d.streamWindow(),
        d.firstRequest(),
        d.idle(),
        connect,
        AGES,
        d.quiet(),
        retiringConnections,
        retirement,
        d.firstRetry(),
        d.longestRetry(),
        d.drain());
  }

  /** A stream that is open at the colony. */
  private final class Watch {
    final SourceQueueWithComplete<WatchAgentsResponse> colonySide;
    final LinkedBlockingQueue<WatchAgentsResponse> heard = new LinkedBlockingQueue<>();
    final CompletionStage<Done> end;

    Watch() throws Exception {
      colony.watcher = new CompletableFuture<>();
      end =
          fixture
              .grpc()
              .watchAgents(WatchAgentsRequest.getDefaultInstance())
              .runWith(Sink.foreach(heard::add), colony.system);
      colonySide = get(colony.watcher);
      hears("the beginning");
    }

    void hears(String agentId) throws Exception {
      colonySide.offer(
          WatchAgentsResponse.newBuilder()
              .addAgents(Agent.newBuilder().setAgentId(agentId))
              .build());
      WatchAgentsResponse next = heard.poll(20, TimeUnit.SECONDS);
      assertEquals(agentId, next == null ? "nothing" : next.getAgents(0).getAgentId());
    }

    void ends(String why) {
      Status status = ProxyFixture.status(end);
      assertEquals(Status.Code.UNAVAILABLE, status.getCode());
      assertTrue(String.valueOf(status.getDescription()).contains(why), status.toString());
    }
  }

  private CompletionStage<GetStatusResponse> ask() {
    return fixture.grpc().getStatus(GetStatusRequest.getDefaultInstance());
  }

  private void awaitCallsAs(String name) {
    Eventually.holds(
        () -> assertEquals("proxy/" + name + " for viewer/local", get(ask()).getStatus()));
  }

  private void awaitRequests(long requests) {
    Eventually.holds(() -> assertEquals(requests, fixture.proxy.statistics().requests()));
  }

  @Test
  void aStreamGoesOnOverTheFormerConnectionWhichClosesWithItsLastStream() throws Exception {
    open(ProxyLimits.DEFAULT);
    try (Relay relay = new Relay(colony.endpoint())) {
      connect("second", relay.endpoint());
      awaitCallsAs("second");
      Watch watch = new Watch();
      connect("third", colony.endpoint());
      awaitCallsAs("third");
      watch.hears("after the renewal");
      assertEquals(2, relay.open());
      watch.colonySide.complete();
      get(watch.end);
      Eventually.holds(() -> assertEquals(0, relay.open()));
    }
  }

  @Test
  void aStreamOverAConnectionThatWasReplacedLongAgoEndsAndSaysWhy() throws Exception {
    open(limits(AGES, 16, Duration.ofMillis(500)));
    Watch watch = new Watch();
    connect("second", colony.endpoint());
    watch.ends("was replaced 500 ms ago: call again");
    awaitCallsAs("second");
  }

  @Test
  void ofConnectionsThatWereReplacedTheNewestAreKept() throws Exception {
    open(limits(AGES, 2, HOUR));
    Watch first = new Watch();
    connect("second", colony.endpoint());
    awaitCallsAs("second");
    Watch second = new Watch();
    connect("third", colony.endpoint());
    awaitCallsAs("third");
    Watch third = new Watch();
    first.hears("two connections are kept");
    connect("fourth", colony.endpoint());
    first.ends("replaced more than 2 times");
    awaitCallsAs("fourth");
    second.hears("still here");
    third.hears("still here");
  }

  @Test
  void streamsOverFormerConnectionsEndAtOnceWhenTheColonyIsAway() throws Exception {
    open(ProxyLimits.DEFAULT);
    Watch watch = new Watch();
    connect("second", colony.endpoint());
    awaitCallsAs("second");
    fixture.proxy.disconnect("the session is lost");
    watch.ends("the session is lost");
  }

  /** The session's connection, which is another one, may show the new certificate first. */
  @Test
  void noNewCallIsShownWithACertificateThatTheColonyMayRefuseByNow() throws Exception {
    open(limits(AGES, 16, HOUR));
    colony.accepts =
        certificate -> !certificate.getSubjectX500Principal().getName().contains("first");
    try (Relay relay = new Relay(colony.endpoint())) {
      relay.swallow();
      connect("second", relay.endpoint());
      Eventually.holds(() -> assertEquals(2, relay.open()));
      CompletableFuture<GetStatusResponse> call = ask().toCompletableFuture();
      awaitRequests(1);
      relay.pass();
      assertEquals("proxy/second for viewer/local", get(call).getStatus());
    }
  }

  /** One call after the other, of several callers, whatever the connection that each meets. */
  @Test
  void everyCallIsAnsweredWhileTheConnectionIsReplacedAgainAndAgain() throws Exception {
    open(ProxyLimits.DEFAULT);
    AtomicBoolean over = new AtomicBoolean();
    AtomicInteger answers = new AtomicInteger();
    List<CompletableFuture<Void>> callers = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      CompletableFuture<Void> caller = new CompletableFuture<>();
      callers.add(caller);
      Thread thread =
          new Thread(
              () -> {
                try {
                  ColonyServiceClient client = fixture.grpc();
                  while (!over.get()) {
                    get(client.getStatus(GetStatusRequest.getDefaultInstance()));
                    answers.incrementAndGet();
                  }
                  caller.complete(null);
                } catch (Exception e) {
                  caller.completeExceptionally(e);
                }
              },
              "caller " + i);
      thread.setDaemon(true);
      thread.start();
    }
    for (int i = 0; i < 50; i++) {
      int before = answers.get();
      connect("renewed-" + i, colony.endpoint());
      if (i % 2 == 0) { // else while the one before may not be there yet
        Eventually.holds(() -> assertTrue(answers.get() > before + 4));
      }
    }
    awaitCallsAs("renewed-49");
    over.set(true);
    for (CompletableFuture<Void> caller : callers) {
      get(caller);
    }
    assertEquals(0, fixture.proxy.statistics().failed());
    assertEquals(0, fixture.proxy.statistics().refused());
  }

  @Test
  void callsGoToTheFormerConnectionIfTheNewOneIsRefused() throws Exception {
    open(limits(AGES, 16, HOUR));
    try (Relay relay = new Relay(colony.endpoint())) {
      relay.refuse();
      connect("second", relay.endpoint());
      assertEquals("proxy/first for viewer/local", get(ask()).getStatus());
      relay.mend();
      awaitCallsAs("second");
    }
  }

  @Test
  void callsGoToTheFormerConnectionIfTheNewOneIsSilent() throws Exception {
    open(limits(Duration.ofMillis(500), 16, HOUR));
    try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      connect("second", new Endpoint("127.0.0.1", silent.getLocalPort()));
      assertEquals("proxy/first for viewer/local", get(ask()).getStatus());
    }
  }

  /** Nothing ends, and nobody else calls: only the proxy can wake up who waits. */
  @Test
  void aCallThatWaitsForAnotherConnectionIsServedWhenThatCanBeOpenedAgain() throws Exception {
    open(limits(Duration.ofSeconds(2), 16, HOUR, 1));
    try (Relay relay = new Relay(colony.endpoint())) {
      connect("second", relay.endpoint());
      awaitCallsAs("second");
      CompletionStage<?> first =
          fixture.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance());
      Eventually.holds(() -> assertEquals(1, colony.waiting.get()));
      relay.refuse();
      int before = dialled.get();
      CompletionStage<?> second =
          fixture.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance());
      Eventually.holds(() -> assertTrue(dialled.get() > before + 1, "it tries once only"));
      assertFalse(second.toCompletableFuture().isDone());
      relay.mend();
      Eventually.holds(() -> assertEquals(2, colony.waiting.get()));
      colony.release.complete(null);
      get(first);
      get(second);
    }
  }
}
