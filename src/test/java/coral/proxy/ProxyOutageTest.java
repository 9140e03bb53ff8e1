package coral.proxy;

import static coral.proxy.ProxyFixture.get;
import static coral.proxy.StandInColony.COLONY;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.ColonyServiceClient;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.WatchAgentsRequest;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.rpc.Role;
import coral.testing.Eventually;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.stream.javadsl.Sink;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** While the colony is away nobody waits for it. */
@Timeout(90)
final class ProxyOutageTest {
  private static final String REASON = "the session with the colony is \"lost\"";

  private ProxyFixture fixture;

  @BeforeEach
  void start() throws Exception {
    fixture = new ProxyFixture(new StandInColony());
  }

  @AfterEach
  void stop() throws Exception {
    fixture.close();
  }

  @Test
  void theReasonIsToldInEveryProtocol() throws Exception {
    fixture.proxy.disconnect(REASON);
    Eventually.holds(() -> assertEquals(REASON, fixture.proxy.statistics().reason().orElse("")));

    Status grpc =
        ProxyFixture.status(fixture.grpc().getStatus(GetStatusRequest.getDefaultInstance()));
    assertEquals(Status.Code.UNAVAILABLE, grpc.getCode());
    assertEquals(REASON, grpc.getDescription());

    HttpResponse<byte[]> web =
        fixture.post(COLONY + "GetStatus", "application/grpc-web+proto", Map.of(), new byte[5]);
    assertEquals(200, web.statusCode());
    assertEquals("14", web.headers().firstValue("grpc-status").orElse(""));
    assertEquals(REASON, web.headers().firstValue("grpc-message").orElse(""));

    HttpResponse<byte[]> unary =
        fixture.post(COLONY + "GetStatus", "application/json", Map.of(), "{}".getBytes(UTF_8));
    String json =
        "{\"code\":\"unavailable\",\"message\":\"the session with the colony is \\\"lost\\\"\"}";
    assertEquals(503, unary.statusCode());
    assertEquals(json, new String(unary.body(), UTF_8));
    HttpResponse<byte[]> query =
        ProxyFixture.HTTP_1.send(
            fixture.request(COLONY + "GetStatus?connect=v1&encoding=json&message=%7B%7D").build(),
            HttpResponse.BodyHandlers.ofByteArray());
    assertEquals(503, query.statusCode());
    assertEquals(json, new String(query.body(), UTF_8));

    HttpResponse<byte[]> stream =
        fixture.post(
            COLONY + "WatchAgents",
            "application/connect+json",
            Map.of(),
            new byte[] {0, 0, 0, 0, 0});
    assertEquals(200, stream.statusCode());
    assertEquals(2, stream.body()[0]);
    assertEquals(
        "{\"error\":" + json + "}", new String(stream.body(), 5, stream.body().length - 5, UTF_8));

    HttpResponse<byte[]> plain = fixture.post("docs", "text/plain", Map.of(), new byte[3]);
    assertEquals(503, plain.statusCode());
    assertEquals(REASON + "\n", new String(plain.body(), UTF_8));
  }

  /** Each caller calls on and on, over gRPC and Connect, while the colony goes and comes back. */
  @Test
  void fiftyCallersAreAllAnsweredWhileTheColonyIsKilledAndComesBack() throws Exception {
    try (Relay relay = new Relay(fixture.colony.endpoint())) {
      fixture.connect(relay.endpoint());
      ColonyServiceClient grpc = fixture.grpc();
      AtomicBoolean over = new AtomicBoolean();
      AtomicInteger answers = new AtomicInteger();
      AtomicInteger unavailable = new AtomicInteger();
      ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
      CountDownLatch ended = new CountDownLatch(50);
      for (int i = 0; i < 50; i++) {
        boolean overGrpc = i % 2 == 0;
        Thread caller =
            new Thread(
                () -> {
                  while (!over.get()) {
                    String outcome = overGrpc ? grpc(grpc) : connect();
                    if (outcome.equals("answer")) {
                      answers.incrementAndGet();
                    } else if (outcome.equals("unavailable")) {
                      unavailable.incrementAndGet();
                    } else {
                      wrong.add(outcome);
                    }
                  }
                  ended.countDown();
                });
        caller.setDaemon(true);
        caller.start();
      }
      for (int round = 0; round < 3; round++) {
        int answered = answers.get();
        Eventually.holds(() -> assertTrue(answers.get() > answered + 100));
        int away = unavailable.get();
        relay.cut();
        Eventually.holds(() -> assertTrue(unavailable.get() > away + 50));
        relay.mend();
        fixture.awaitConnected();
      }
      int answered = answers.get();
      Eventually.holds(() -> assertTrue(answers.get() > answered + 100));
      over.set(true);
      assertTrue(ended.await(10, TimeUnit.SECONDS), ended.getCount() + " callers hang");
      assertEquals(List.of(), List.copyOf(wrong));
      Eventually.holds(() -> assertEquals(0, fixture.proxy.statistics().open()));
    }
  }

  private static String grpc(ColonyServiceClient client) {
    try {
      get(client.getStatus(GetStatusRequest.getDefaultInstance()));
      return "answer";
    } catch (Exception e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      Status status = Status.fromThrowable(cause);
      return status.getCode() == Status.Code.UNAVAILABLE ? "unavailable" : cause.toString();
    }
  }

  private String connect() {
    try {
      HttpResponse<byte[]> response =
          fixture.post(COLONY + "GetStatus", "application/json", Map.of(), "{}".getBytes(UTF_8));
      return switch (response.statusCode()) {
        case 200 -> "answer";
        case 502, 503 -> "unavailable";
        default -> response.statusCode() + " " + new String(response.body(), UTF_8);
      };
    } catch (Exception e) {
      return e.toString();
    }
  }

  @Test
  void callsUnderWayEndAtOnceWhenTheColonyIsKilled() throws Exception {
    try (Relay relay = new Relay(fixture.colony.endpoint())) {
      fixture.connect(relay.endpoint());
      List<CompletableFuture<?>> calls = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        calls.add(
            fixture
                .grpc()
                .listAllocations(ListAllocationsRequest.getDefaultInstance())
                .toCompletableFuture());
      }
      ConcurrentLinkedQueue<WatchAgentsResponse> heard = new ConcurrentLinkedQueue<>();
      CompletableFuture<?> stream =
          fixture
              .grpc()
              .watchAgents(WatchAgentsRequest.getDefaultInstance())
              .runWith(Sink.foreach(heard::add), fixture.colony.system)
              .toCompletableFuture();
      get(fixture.colony.watcher).offer(WatchAgentsResponse.getDefaultInstance());
      CompletableFuture<HttpResponse<byte[]>> connect =
          ProxyFixture.HTTP_1.sendAsync(
              fixture
                  .request(COLONY + "ListAllocations")
                  .header("content-type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofString("{}"))
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray());
      Eventually.holds(
          () -> {
            assertEquals(21, fixture.colony.waiting.get());
            assertEquals(1, heard.size());
          });
      relay.cut();
      for (CompletableFuture<?> call : calls) {
        assertEquals(Status.Code.UNAVAILABLE, ProxyFixture.status(call).getCode());
      }
      assertEquals(Status.Code.UNAVAILABLE, ProxyFixture.status(stream).getCode());
      assertEquals(502, get(connect).statusCode());
      assertEquals(0, fixture.proxy.statistics().open());
    }
  }

  /** As in a tunnel whose other end is gone: what is sent is never answered, nor refused. */
  @Test
  void aColonyThatIsSilentFromTheStartHoldsNobody() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      fixture.proxy.connect(
          fixture.colony.upstream(new coral.model.Endpoint("127.0.0.1", silent.getLocalPort())));
      for (int i = 0; i < 3; i++) {
        assertEquals(
            503,
            fixture
                .post(COLONY + "GetStatus", "application/json", Map.of(), new byte[0])
                .statusCode());
      }
      Eventually.holds(
          () ->
              assertTrue(
                  fixture.proxy.statistics().reason().orElse("").contains("within 2 s"),
                  fixture.proxy.statistics().reason().orElse("")));
    }
  }

  @Test
  void aColonyThatFallsSilentIsGivenUpAndItsCallersAreTold() throws Exception {
    get(fixture.proxy.close());
    ProxyLimits d = ProxyLimits.DEFAULT;
    ProxyLimits hasty =
        new ProxyLimits(
            d.connections(),
            d.requests(),
            d.upstreamConnections(),
            d.streamsPerConnection(),
            d.headBytes(),
            d.streamWindow(),
            d.firstRequest(),
            d.idle(),
            d.connect(),
            d.waiting(),
            Duration.ofMillis(200),
            d.retiringConnections(),
            d.retirement(),
            d.firstRetry(),
            d.longestRetry(),
            d.drain());
    ProxyFixture impatient =
        new ProxyFixture(fixture.colony, ProxyFixture.loopback(java.util.Set.of()), hasty);
    try (Relay relay = new Relay(fixture.colony.endpoint())) {
      impatient.connect(relay.endpoint());
      var call = impatient.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance());
      Eventually.holds(() -> assertEquals(1, fixture.colony.waiting.get()));
      relay.swallow();
      Status status = ProxyFixture.status(call);
      assertEquals(Status.Code.UNAVAILABLE, status.getCode());
      assertTrue(status.getDescription().contains("has not answered for"), status.toString());
    } finally {
      get(impatient.proxy.close());
    }
  }

  @Test
  void theNextEndpointIsTakenWhenTheFirstDoesNotAnswer() throws Exception {
    int refused;
    try (ServerSocket reserved = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      refused = reserved.getLocalPort();
    }
    fixture.proxy.connect(
        new Upstream(
            List.of(new coral.model.Endpoint("127.0.0.1", refused), fixture.colony.endpoint()),
            fixture.colony.tls(Role.PROXY, "p"),
            Role.PROXY,
            Way.MESH));
    fixture.awaitConnected();
    get(fixture.grpc().getStatus(GetStatusRequest.getDefaultInstance()));
  }

  @Test
  void callsGoOnWhenTheUpstreamIsReplacedByOneWithANewCertificate() throws Exception {
    fixture.connect(fixture.colony.endpoint());
    var call = fixture.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance());
    Eventually.holds(() -> assertEquals(1, fixture.colony.waiting.get()));
    fixture.proxy.connect(
        new Upstream(
            List.of(fixture.colony.endpoint()),
            fixture.colony.tls(Role.OPERATOR, "renewed"),
            Role.OPERATOR,
            Way.PUBLIC));
    Eventually.holds(
        () ->
            assertEquals(
                "operator/renewed for operator/local",
                get(fixture.grpc().getStatus(GetStatusRequest.getDefaultInstance())).getStatus()));
    fixture.colony.release.complete(null);
    get(call);
  }

  @Test
  void aColonyThatDoesNotAcceptTheProxysCertificateIsSaidTo() throws Exception {
    fixture.proxy.connect(
        new Upstream(
            List.of(fixture.colony.endpoint()),
            coral.rpc.ClientTls.pinned(
                fixture.colony.authority.fingerprint(),
                "spiffe://" + StandInColony.ID + "/colony",
                java.util.Optional.of(
                    new coral.rpc.TestAuthority("Another CA").agent(StandInColony.ID, "stranger"))),
            Role.PROXY,
            Way.PUBLIC));
    Eventually.holds(
        () ->
            assertTrue(
                fixture.proxy.statistics().reason().orElse("").contains("certificate"),
                fixture.proxy.statistics().reason().orElse("")));
  }
}
