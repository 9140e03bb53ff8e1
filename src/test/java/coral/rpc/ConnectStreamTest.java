package coral.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import coral.api.colony.v1.PingAgentRequest;
import coral.api.colony.v1.PingAgentResponse;
import coral.api.colony.v1.WatchAgentsRequest;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.model.Failure;
import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Connect's streams of answers, by our client and as bytes. */
final class ConnectStreamTest extends RpcServerFixture {
  private static final String PING = ADMIN + "PingAgent";
  private static final String WATCH = ADMIN + "WatchAgents";

  private static ConnectStream<PingAgentResponse> ping(String agent, int count, Duration silence)
      throws Exception {
    return connect(pinned(null)).stream(
        PING,
        PingAgentRequest.newBuilder().setAgentId(agent).setCount(count).build(),
        PingAgentResponse.parser(),
        silence);
  }

  private static List<Integer> read(ConnectStream<PingAgentResponse> stream, int count)
      throws RpcException {
    List<Integer> sequences = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      sequences.add(stream.next().orElseThrow().getSequence());
    }
    return sequences;
  }

  @Test
  void theMessagesComeInTheirOrderAndThenTheEnd() throws Exception {
    try (ConnectStream<PingAgentResponse> stream = ping("a", 3, TIMEOUT)) {
      assertEquals(List.of(1, 2, 3), read(stream, 3));
      assertEquals(Optional.empty(), stream.next());
      assertEquals(Optional.empty(), stream.next());
    }
  }

  @Test
  void aRefusalEndsTheStreamAsTheExceptionOfAUnaryCall() throws Exception {
    try (ConnectStream<PingAgentResponse> stream = ping("taken", 2, TIMEOUT)) {
      assertEquals(List.of(1, 2), read(stream, 2));
      RpcException e = assertThrows(RpcException.class, stream::next);
      assertEquals(RpcException.Reason.REFUSED, e.reason());
      assertEquals(Status.Code.ALREADY_EXISTS, e.code());
      assertEquals(Failure.AGENT_ID_TAKEN, e.failure());
      assertEquals("taken: ä%", e.getMessage());
    }
  }

  @Test
  void whoMayNotCallItHearsSoFromTheFirstMessage() throws Exception {
    try (ConnectStream<WatchAgentsResponse> stream =
        connect(pinned(null)).stream(
            WATCH,
            WatchAgentsRequest.getDefaultInstance(),
            WatchAgentsResponse.parser(),
            TIMEOUT)) {
      RpcException e = assertThrows(RpcException.class, stream::next);
      assertEquals(Failure.UNAUTHENTICATED, e.failure());
    }
  }

  @Test
  void silenceEndsAStreamThatIsLongerSilentThanAgreed() throws Exception {
    try (ConnectStream<PingAgentResponse> stream = ping("silent", 1, Duration.ofSeconds(1))) {
      assertEquals(List.of(1), read(stream, 1));
      RpcException e = assertThrows(RpcException.class, stream::next);
      assertEquals(RpcException.Reason.TIMEOUT, e.reason());
    }
  }

  @Test
  void theServiceIsAskedForNoMoreThanIsRead() throws Exception {
    ConnectClient administrator = connect(pinned(authority.administrator(COLONY, "root")));
    try (ConnectStream<WatchAgentsResponse> stream =
        administrator.stream(
            WATCH,
            WatchAgentsRequest.getDefaultInstance(),
            WatchAgentsResponse.parser(),
            TIMEOUT)) {
      assertEquals(LARGE, stream.next().orElseThrow().getRemovedAgentIds(0).length());
      assertNull(WATCHES.poll(1, TimeUnit.SECONDS), "all was sent to a caller that reads nothing");
      for (int i = 1; i < LARGE_MESSAGES; i++) {
        assertEquals(LARGE, stream.next().orElseThrow().getRemovedAgentIds(0).length());
      }
      assertEquals(Optional.empty(), stream.next());
      assertEquals(true, WATCHES.poll(10, TimeUnit.SECONDS));
    }
    ConnectStream<WatchAgentsResponse> left =
        administrator.stream(
            WATCH, WatchAgentsRequest.getDefaultInstance(), WatchAgentsResponse.parser(), TIMEOUT);
    left.next();
    left.close();
    assertEquals(Optional.empty(), left.next());
    assertEquals(false, WATCHES.poll(10, TimeUnit.SECONDS), "the service does not hear of the end");
  }

  @Test
  void jsonIsEnvelopedToo() throws Exception {
    byte[] request = "{\"agentId\":\"taken\",\"count\":1}".getBytes(UTF_8);
    HttpResponse<byte[]> response =
        post("application/connect+json", Map.of(), PING, Envelope.of(0, request));
    assertEquals(200, response.statusCode());
    assertEquals(
        "application/connect+json", response.headers().firstValue("content-type").orElseThrow());
    String first = new String(Envelope.of(0, "{\"sequence\":1}".getBytes(UTF_8)), UTF_8);
    String body = new String(response.body(), UTF_8);
    assertEquals(first, body.substring(0, first.length()));
    String end = body.substring(first.length());
    assertEquals(2, end.charAt(0));
    assertEquals(
        "{\"error\":{\"code\":\"already_exists\",\"message\":\"taken: ä%\",\"details\":["
            + "{\"type\":\"google.rpc.ErrorInfo\",\"value\":\""
            + "Cg5BR0VOVF9JRF9UQUtFThIFY29yYWw\"}]},\"metadata\":{}}",
        end.substring(Envelope.PREFIX_LENGTH));
  }

  @Test
  void aTypeOfTheOtherKindOfCallIsNotSupported() throws Exception {
    HttpResponse<byte[]> unaryType = post("application/json", Map.of(), PING, new byte[0]);
    assertEquals(415, unaryType.statusCode());
    assertEquals(
        "application/connect+json, application/connect+proto",
        unaryType.headers().firstValue("accept-post").orElseThrow());
    assertEquals(
        415,
        post("application/connect+proto", Map.of(), ADMIN + "GetCACertificate", new byte[5])
            .statusCode());
  }

  @Test
  void aRequestThatIsNoMessageIsRefusedInTheEnd() throws Exception {
    for (byte[] body :
        List.of(new byte[0], new byte[3], new byte[10], new byte[] {0, 0, 0, 0, 9})) {
      HttpResponse<byte[]> response = post("application/connect+proto", Map.of(), PING, body);
      assertEquals(200, response.statusCode());
      assertEquals(2, response.body()[0]);
      String end = new String(response.body(), UTF_8);
      assertEquals(true, end.contains("\"invalid_argument\""), end);
    }
  }

  /** As clients ask for reflection that speak nothing but Connect. */
  @Test
  void aStreamIsTakenToo() throws Exception {
    ByteArrayOutputStream requests = new ByteArrayOutputStream();
    for (int i = 1; i <= 3; i++) {
      requests.write(
          Envelope.of(0, ("{\"heartbeat\":{\"sequence\":\"" + i + "\"}}").getBytes(UTF_8)));
    }
    HttpResponse<byte[]> session =
        post("application/connect+json", Map.of(), MESH + "Session", requests.toByteArray());
    ByteArrayOutputStream expected = new ByteArrayOutputStream();
    for (int i = 1; i <= 3; i++) {
      expected.write(
          Envelope.of(0, ("{\"heartbeatReceived\":{\"sequence\":\"" + i + "\"}}").getBytes(UTF_8)));
    }
    expected.write(Envelope.of(Envelope.END, "{}".getBytes(UTF_8)));
    assertEquals(expected.toString(UTF_8), new String(session.body(), UTF_8));
    requests.write(Envelope.of(0, new byte[RpcServer.MAX_STREAM_MESSAGE_BYTES + 1]));
    String end =
        new String(
            post("application/connect+json", Map.of(), MESH + "Session", requests.toByteArray())
                .body(),
            UTF_8);
    assertEquals(true, end.contains("\"resource_exhausted\""), end);
    assertEquals(
        501, post("application/json", Map.of(), MESH + "Session", new byte[2]).statusCode());
  }
}
