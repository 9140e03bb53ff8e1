package coral.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetCACertificateResponse;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Queries of Connect by GET. */
final class ConnectGetTest extends RpcServerFixture {
  private static final String QUERY = ADMIN + "GetCACertificate";

  private static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), UTF_8);
  }

  @Test
  void aQueryIsAnsweredInItsForm() throws Exception {
    HttpResponse<byte[]> json =
        get(QUERY + "?connect=v1&encoding=json&message=%7B%22unknown%22%3A1%7D");
    assertEquals(200, json.statusCode(), text(json));
    assertEquals("{\"caCertificate\":\"QU5ZT05F\"}", text(json));
    assertEquals("no-store", json.headers().firstValue("cache-control").orElseThrow());
    // Field 1000 with the value 1, as bytes and in base64: unknown, but a message.
    for (String message : List.of("message=%C0%3E%01", "base64=1&message=wD4B")) {
      HttpResponse<byte[]> binary = get(QUERY + "?encoding=proto&" + message);
      assertEquals(200, binary.statusCode(), text(binary));
      assertEquals("application/proto", binary.headers().firstValue("content-type").orElseThrow());
      assertEquals(
          "ANYONE",
          GetCACertificateResponse.parseFrom(binary.body()).getCaCertificate().toStringUtf8());
    }
  }

  @Test
  void theTableDecidesWhoMayAsk() throws Exception {
    assertEquals(401, get(ADMIN + "GetStatus?encoding=json&message=%7B%7D").statusCode());
  }

  @Test
  void whatIsNoQueryIsRefused() throws Exception {
    assertEquals(415, get(QUERY).statusCode());
    assertEquals(415, get(QUERY + "?encoding=xml&message=1").statusCode());
    for (String query :
        List.of(
            "encoding=json",
            "encoding=json&message=%7B",
            "encoding=json&message=%7B%7D&connect=v2",
            "encoding=json&base64=1&message=%21%21",
            "encoding=proto&base64=1&message=AAAAA",
            "encoding=proto&message=%FF")) {
      HttpResponse<byte[]> response = get(QUERY + "?" + query);
      assertEquals(400, response.statusCode(), query + ": " + text(response));
      assertTrue(text(response).contains("\"invalid_argument\""), text(response));
    }
  }

  @Test
  void onlyQueriesMayBeAskedByGet() throws Exception {
    HttpResponse<byte[]> changes = get(ADMIN + "RequestCertificate?encoding=json&message=%7B%7D");
    assertEquals(405, changes.statusCode());
    assertEquals("POST", changes.headers().firstValue("allow").orElseThrow());
    HttpResponse<byte[]> stream = get(ADMIN + "PingAgent?encoding=json&message=%7B%7D");
    assertEquals(405, stream.statusCode());
    HttpResponse<byte[]> put =
        HttpClient.newBuilder()
            .sslContext(pinned(null))
            .build()
            .send(
                HttpRequest.newBuilder(
                        URI.create("https://localhost:" + endpoint.port() + "/" + QUERY))
                    .PUT(HttpRequest.BodyPublishers.ofString("{}"))
                    .build(),
                HttpResponse.BodyHandlers.ofByteArray());
    assertEquals(405, put.statusCode());
    assertEquals("GET, POST", put.headers().firstValue("allow").orElseThrow());
  }

  @Test
  void anotherVersionOfTheProtocolIsRefused() throws Exception {
    byte[] empty = "{}".getBytes(UTF_8);
    assertEquals(
        400,
        post("application/json", Map.of("connect-protocol-version", "2"), QUERY, empty)
            .statusCode());
    assertEquals(
        200,
        post("application/json", Map.of("connect-protocol-version", "1"), QUERY, empty)
            .statusCode());
  }
}
