package coral.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Callers that wait no longer than they say. */
final class DeadlineTest extends RpcServerFixture {
  private static final String UNARY = ADMIN + "GetTopology";
  private static final String STREAM = ADMIN + "PingAgent";
  private static final byte[] EMPTY = "{}".getBytes(UTF_8);
  private static final byte[] SILENT = "{\"agentId\":\"silent\"}".getBytes(UTF_8);

  /** What the protocol buffers of {@link #SILENT} are. */
  private static final byte[] SILENT_PROTOBUF = {10, 6, 's', 'i', 'l', 'e', 'n', 't'};

  private static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), UTF_8);
  }

  @Test
  void anAnswerThatIsLateIsCancelled() throws Exception {
    HttpResponse<byte[]> connect =
        post("application/json", Map.of("connect-timeout-ms", "200"), UNARY, EMPTY);
    assertEquals(504, connect.statusCode());
    assertTrue(text(connect).contains("\"deadline_exceeded\""), text(connect));
    assertTrue(text(connect).contains("no answer within 200.0 ms"), text(connect));
    assertCancelled();
    HttpResponse<byte[]> grpc =
        post("application/grpc", Map.of("grpc-timeout", "200m"), UNARY, new byte[5]);
    assertEquals("4", grpc.headers().firstValue("grpc-status").orElseThrow());
    assertCancelled();
  }

  private static void assertCancelled() throws Exception {
    CompletableFuture<?> answer = UNANSWERED.poll(10, TimeUnit.SECONDS);
    assertTrue(
        answer
            .handle((value, failure) -> failure instanceof CancellationException)
            .get(10, TimeUnit.SECONDS));
  }

  @Test
  void aStreamThatIsLongerIsCancelled() throws Exception {
    HttpResponse<byte[]> connect =
        post(
            "application/connect+json",
            Map.of("connect-timeout-ms", "200"),
            STREAM,
            Envelope.of(0, SILENT));
    assertEquals(200, connect.statusCode());
    assertTrue(text(connect).contains("\"deadline_exceeded\""), text(connect));
    assertEquals("silent", ENDED.poll(10, TimeUnit.SECONDS));
    HttpResponse<byte[]> web =
        post(
            "application/grpc-web+proto",
            Map.of("grpc-timeout", "200000u"),
            STREAM,
            Envelope.of(0, SILENT_PROTOBUF));
    assertTrue(text(web).contains("grpc-status:4") || text(web).contains("grpc-status: 4"));
    assertEquals("silent", ENDED.poll(10, TimeUnit.SECONDS));
  }

  @Test
  void aDeadlineThatHasPassedIsNotBegun() throws Exception {
    HttpResponse<byte[]> none =
        post("application/json", Map.of("connect-timeout-ms", "0"), UNARY, EMPTY);
    assertEquals(504, none.statusCode());
    assertEquals(0, UNANSWERED.size());
  }

  @Test
  void whatIsMalformedIsRefused() throws Exception {
    for (String timeout : new String[] {"", "1", "m", "-1S", "123456789S", "1s", "1 S", "1.5S"}) {
      assertEquals(
          "3",
          post("application/grpc", Map.of("grpc-timeout", timeout), UNARY, new byte[5])
              .headers()
              .firstValue("grpc-status")
              .orElseThrow(),
          timeout);
    }
    for (String timeout : new String[] {"", "x", "-1", "12345678901", "1.5"}) {
      assertEquals(
          400,
          post("application/json", Map.of("connect-timeout-ms", timeout), UNARY, EMPTY)
              .statusCode(),
          timeout);
    }
  }

  /** Pekko has no timer for 99,999,999 hours. */
  @Test
  void aDeadlineInTheFarFutureIsNone() throws Exception {
    String query = ADMIN + "GetCACertificate";
    HttpResponse<byte[]> grpc =
        post("application/grpc", Map.of("grpc-timeout", "99999999H"), query, new byte[5]);
    assertEquals(0, grpc.body()[0]);
    assertEquals(
        200,
        post("application/json", Map.of("connect-timeout-ms", "9999999999"), query, EMPTY)
            .statusCode());
  }

  /** Before Pekko answers in plain HTTP: see {@code request-timeout}. */
  @Test
  void aCallWithoutADeadlineHasOneAllTheSame() {
    Deadline capped = Deadline.after(java.util.Optional.empty()).atMost(Duration.ofSeconds(115));
    assertTrue(capped.left().orElseThrow().compareTo(Duration.ofSeconds(115)) <= 0);
    assertTrue(capped.left().orElseThrow().compareTo(Duration.ofSeconds(100)) > 0);
  }
}
