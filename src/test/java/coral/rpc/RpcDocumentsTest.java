package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import coral.model.Failure;
import coral.model.RefusedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Documents for plain HTTP, asked for by the JDK's client with HTTP/1.1 and HTTP/2. */
final class RpcDocumentsTest extends RpcServerFixture {
  private static int port;

  @BeforeAll
  static void serveDocuments() throws Exception {
    RpcServer server =
        RpcServer.builder(system, CallerIdentity.none(), RpcAuthorization.of(Map.of()))
            .get("/.well-known/a.json", (remote, body) -> document("{}", Duration.ofMinutes(5)))
            .get(
                "/refused",
                (remote, body) ->
                    CompletableFuture.failedFuture(
                        new RefusedException(Failure.NOT_READY, "not yet")))
            .get(
                "/often",
                (remote, body) -> {
                  throw new RefusedException(Failure.LIMIT_REACHED, "too often");
                })
            .get(
                "/defect",
                (remote, body) -> {
                  throw new IllegalStateException("an inside that nobody should read");
                })
            .post("/reverse", 4, RpcDocumentsTest::reversed)
            .build();
    port = get(server.bind("127.0.0.1", 0, Optional.of(tls))).localAddress().getPort();
  }

  private static CompletionStage<HttpDocument> document(String text, Duration maxAge) {
    return CompletableFuture.completedFuture(
        new HttpDocument("application/json", ByteString.copyFromUtf8(text), maxAge));
  }

  private static CompletionStage<HttpDocument> reversed(InetAddress remote, ByteString body) {
    assertTrue(remote.isLoopbackAddress());
    return document(new StringBuilder(body.toStringUtf8()).reverse().toString(), Duration.ZERO);
  }

  private static HttpResponse<String> send(
      HttpClient.Version version, String method, String path, String body) throws Exception {
    return HttpClient.newBuilder()
        .version(version)
        .sslContext(pinned(null))
        .build()
        .send(
            HttpRequest.newBuilder(URI.create("https://localhost:" + port + path))
                .timeout(TIMEOUT)
                .method(method, BodyPublishers.ofString(body))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  private static HttpResponse<String> send(String method, String path, String body)
      throws Exception {
    return send(HttpClient.Version.HTTP_2, method, path, body);
  }

  @Test
  void aDocumentIsServedAtItsExactPath() throws Exception {
    for (HttpClient.Version version : HttpClient.Version.values()) {
      HttpResponse<String> response = send(version, "GET", "/.well-known/a.json", "");
      assertEquals(version, response.version());
      assertEquals(200, response.statusCode());
      assertEquals("{}", response.body());
      assertEquals("application/json", header(response, "content-type"));
      assertEquals("max-age=300", header(response, "cache-control"));
    }
    for (String other : new String[] {"/", "/.well-known", "/.well-known/a.json/", "/A"}) {
      assertEquals(404, send("GET", other, "").statusCode(), other);
    }
  }

  @Test
  void aBodyIsAnsweredWithinItsLimit() throws Exception {
    HttpResponse<String> response = send("POST", "/reverse", "abcd");
    assertEquals("dcba", response.body());
    assertEquals("no-store", header(response, "cache-control"));
    for (HttpClient.Version version : HttpClient.Version.values()) {
      assertEquals(413, send(version, "POST", "/reverse", "abcde").statusCode());
    }
  }

  @Test
  void anotherMethodIsNotAllowed() throws Exception {
    HttpResponse<String> post = send("POST", "/.well-known/a.json", "x");
    assertEquals(405, post.statusCode());
    assertEquals("GET", header(post, "allow"));
    assertEquals(405, send("HEAD", "/.well-known/a.json", "").statusCode());
    assertEquals(405, send("GET", "/reverse", "").statusCode());
    assertEquals(405, send("DELETE", "/reverse", "").statusCode());
  }

  @Test
  void aRefusalHasItsStatusAndADefectSaysNothing() throws Exception {
    assertEquals(503, send("GET", "/refused", "").statusCode());
    assertEquals(429, send("GET", "/often", "").statusCode());
    HttpResponse<String> defect = send("GET", "/defect", "");
    assertEquals(500, defect.statusCode());
    assertTrue(
        defect.body().startsWith("{\"code\":\"internal\",\"message\":\"internal error\","),
        defect.body());
    assertFalse(defect.body().contains("\"debug\""));
  }

  @Test
  void onePathHasOneDocument() {
    RpcServer.Builder builder =
        RpcServer.builder(system, CallerIdentity.none(), RpcAuthorization.of(Map.of()))
            .get("/a", (remote, body) -> document("", Duration.ZERO));
    assertThrows(
        IllegalArgumentException.class,
        () -> builder.post("/a", 1, (remote, body) -> document("", Duration.ZERO)));
    assertThrows(
        IllegalArgumentException.class,
        () -> builder.get("b", (remote, body) -> document("", Duration.ZERO)));
  }

  /** Nobody learns of the documents without the handshake. */
  @Test
  void plaintextIsNotAnswered() {
    assertThrows(
        IOException.class,
        () ->
            HttpClient.newHttpClient()
                .send(
                    HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/refused"))
                        .timeout(TIMEOUT)
                        .build(),
                    HttpResponse.BodyHandlers.ofByteArray()));
  }

  private static String header(HttpResponse<String> response, String name) {
    return response.headers().firstValue(name).orElse("");
  }
}
