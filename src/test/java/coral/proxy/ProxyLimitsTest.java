package coral.proxy;

import static coral.proxy.ProxyFixture.get;
import static coral.proxy.StandInColony.COLONY;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.testing.Eventually;
import io.grpc.Status;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What others on this host can make grow has an end. */
@Timeout(60)
final class ProxyLimitsTest {
  private final List<AutoCloseable> closing = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable each : closing) {
      each.close();
    }
  }

  private ProxyFixture proxy(ProxyLimits limits) throws Exception {
    ProxyFixture fixture =
        new ProxyFixture(new StandInColony(), ProxyFixture.loopback(Set.of()), limits);
    closing.add(fixture);
    fixture.connect(fixture.colony.endpoint());
    return fixture;
  }

  private static ProxyLimits limits(
      int connections, int requests, int upstreamConnections, int streams, Duration first) {
    ProxyLimits d = ProxyLimits.DEFAULT;
    return new ProxyLimits(
        connections,
        requests,
        upstreamConnections,
        streams,
        d.headBytes(),
        d.streamWindow(),
        first,
        d.idle(),
        d.connect(),
        Duration.ofMillis(300),
        d.quiet(),
        d.retiringConnections(),
        d.retirement(),
        d.firstRetry(),
        d.longestRetry(),
        d.drain());
  }

  @Test
  void connectionsBeyondTheLimitAreClosedAsTheyCome() throws Exception {
    ProxyFixture fixture = proxy(limits(2, 10, 1, 10, Duration.ofSeconds(10)));
    for (int i = 0; i < 2; i++) {
      closing.add(new Socket(fixture.proxy.address().getAddress(), fixture.endpoint().port()));
    }
    Eventually.holds(() -> assertEquals(2, fixture.proxy.statistics().connections()));
    try (Socket third =
        new Socket(fixture.proxy.address().getAddress(), fixture.endpoint().port())) {
      third.setSoTimeout(10_000);
      assertEquals(-1, third.getInputStream().read());
    }
  }

  @Test
  void aConnectionWithoutARequestIsClosed() throws Exception {
    ProxyFixture fixture = proxy(limits(10, 10, 1, 10, Duration.ofMillis(200)));
    try (Socket silent =
        new Socket(fixture.proxy.address().getAddress(), fixture.endpoint().port())) {
      silent.setSoTimeout(10_000);
      silent.getOutputStream().write("GET / HT".getBytes(UTF_8));
      assertEquals(-1, silent.getInputStream().read());
    }
  }

  @Test
  void requestsBeyondTheLimitAreRefusedAndTheNextIsServed() throws Exception {
    ProxyFixture fixture = proxy(limits(10, 2, 4, 10, Duration.ofSeconds(10)));
    List<CompletionStage<?>> calls = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      calls.add(fixture.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance()));
    }
    Eventually.holds(() -> assertEquals(2, fixture.colony.waiting.get()));
    HttpResponse<byte[]> refused =
        fixture.post(COLONY + "GetStatus", "application/json", Map.of(), "{}".getBytes(UTF_8));
    assertEquals(503, refused.statusCode());
    assertTrue(new String(refused.body(), UTF_8).contains("as many requests"));
    fixture.colony.release.complete(null);
    for (CompletionStage<?> call : calls) {
      get(call);
    }
    get(fixture.grpc().getStatus(GetStatusRequest.getDefaultInstance()));
  }

  /** Two streams on each of two connections: the fifth waits in vain, and the colony is asked. */
  @Test
  void connectionsToTheColonyAreOpenedAsTheyAreNeededAndNoMore() throws Exception {
    ProxyFixture fixture = proxy(limits(10, 10, 2, 2, Duration.ofSeconds(10)));
    List<CompletionStage<?>> calls = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      calls.add(fixture.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance()));
    }
    Eventually.holds(() -> assertEquals(4, fixture.colony.waiting.get()));
    Status fifth =
        ProxyFixture.status(
            fixture.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance()));
    assertEquals(Status.Code.UNAVAILABLE, fifth.getCode());
    fixture.colony.release.complete(null);
    for (CompletionStage<?> call : calls) {
      get(call);
    }
    get(fixture.grpc().getStatus(GetStatusRequest.getDefaultInstance()));
  }

  @Test
  void aProxyThatClosesLetsCallsUnderWayEnd() throws Exception {
    ProxyFixture fixture = proxy(ProxyLimits.DEFAULT);
    var call = fixture.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance());
    Eventually.holds(() -> assertEquals(1, fixture.colony.waiting.get()));
    var closed = fixture.proxy.close();
    fixture.colony.release.complete(null);
    get(call);
    get(closed);
    get(fixture.proxy.close());
  }

  @Test
  void aProxyThatClosesTellsCallersOfCallsThatDoNotEnd() throws Exception {
    ProxyFixture fixture = proxy(ProxyLimits.DEFAULT);
    var call = fixture.grpc().listAllocations(ListAllocationsRequest.getDefaultInstance());
    Eventually.holds(() -> assertEquals(1, fixture.colony.waiting.get()));
    get(fixture.proxy.close());
    Status ended = ProxyFixture.status(call);
    assertEquals(Status.Code.UNAVAILABLE, ended.getCode());
    assertEquals("this proxy has been stopped", ended.getDescription());
  }
}
