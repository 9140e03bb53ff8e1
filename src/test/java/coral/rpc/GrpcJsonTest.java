package coral.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** gRPC-Web with JSON, byte by byte; gRPC's own client for it is among the clients of others. */
@Timeout(60)
final class GrpcJsonTest extends RpcServerFixture {
  private static final String TYPE = "application/grpc-web+json";
  private static final String OK = "grpc-status: 0\r\n";

  @Test
  void aCallIsAnsweredInJsonAndTheTrailersFollow() throws Exception {
    String answer = call("GetCACertificate", "{}");
    assertTrue(answer.startsWith(message("{\"caCertificate\":\"QU5ZT05F\"}")), answer);
    assertTrue(answer.endsWith(new String(Envelope.of(0x80, OK.getBytes(UTF_8)), UTF_8)), answer);
  }

  @Test
  void aStreamIsAnsweredMessageByMessageAndEndsAsItEnds() throws Exception {
    String answer = call("PingAgent", "{\"agentId\":\"taken\",\"count\":2}");
    String messages = message("{\"sequence\":1}") + message("{\"sequence\":2}");
    assertTrue(answer.startsWith(messages), answer);
    assertTrue(answer.contains("grpc-status: 6\r\n"), answer);
    assertTrue(answer.contains("grpc-message: taken: %C3%A4%25\r\n"), answer);
    assertTrue(answer.contains("grpc-status-details-bin: "), answer);
  }

  @Test
  void whatIsNoJsonIsRefusedWithoutAWordOfIt() throws Exception {
    HttpResponse<byte[]> refused = post("GetCACertificate", "secret");
    assertEquals("3", refused.headers().firstValue("grpc-status").orElseThrow());
    String why = refused.headers().firstValue("grpc-message").orElseThrow();
    assertEquals("the body is not a coral.colony.v1.GetCACertificateRequest", why);
  }

  private static String message(String json) {
    return new String(Envelope.of(Envelope.MESSAGE, json.getBytes(UTF_8)), UTF_8);
  }

  private static String call(String rpc, String json) throws Exception {
    HttpResponse<byte[]> response = post(rpc, json);
    assertEquals(TYPE, response.headers().firstValue("content-type").orElseThrow());
    return new String(response.body(), UTF_8);
  }

  private static HttpResponse<byte[]> post(String rpc, String json) throws Exception {
    return post(TYPE, Map.of(), ADMIN + rpc, Envelope.of(Envelope.MESSAGE, json.getBytes(UTF_8)));
  }
}
