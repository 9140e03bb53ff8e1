package coral.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.RequestCertificateRequest;
import io.grpc.Status;
import java.lang.management.ManagementFactory;
import java.net.http.HttpResponse;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.Test;

/** Requests compressed with gzip, in every protocol; and those that are made to grow. */
final class CompressedRequestsTest extends RpcServerFixture {
  private static final String ANYONE = ADMIN + "RequestCertificate";
  private static final String QUERY = ADMIN + "GetCACertificate";
  private static final String PING = ADMIN + "PingAgent";

  /** 40 MB in 39 KB. */
  private static byte[] bomb() throws Exception {
    return Gzip.of(new byte[40 << 20]);
  }

  private static String grpcStatus(HttpResponse<byte[]> response) {
    return response.headers().firstValue("grpc-status").orElse("in the trailers");
  }

  private static String text(HttpResponse<byte[]> response) {
    return new String(response.body(), UTF_8);
  }

  @Test
  void everyProtocolTakesACompressedMessage() throws Exception {
    byte[] taken = RequestCertificateRequest.newBuilder().setAgentId("taken").build().toByteArray();
    assertEquals(
        "6", // ALREADY_EXISTS: it has been read
        grpcStatus(
            post(
                "application/grpc",
                Map.of("grpc-encoding", "gzip"),
                ANYONE,
                Envelope.of(1, Gzip.of(taken)))));
    assertEquals(
        409,
        post("application/proto", Map.of("content-encoding", "gzip"), ANYONE, Gzip.of(taken))
            .statusCode());
    HttpResponse<byte[]> ping =
        post(
            "application/connect+json",
            Map.of("connect-content-encoding", "gzip"),
            PING,
            Envelope.of(1, Gzip.of("{\"count\":1}".getBytes(UTF_8))));
    assertTrue(text(ping).contains("{\"sequence\":1}"), text(ping));
    String message =
        Base64.getUrlEncoder().withoutPadding().encodeToString(Gzip.of("{}".getBytes(UTF_8)));
    HttpResponse<byte[]> query =
        get(QUERY + "?encoding=json&base64=1&compression=gzip&connect=v1&message=" + message);
    assertEquals(200, query.statusCode(), text(query));
  }

  @Test
  void aBombIsRefusedInEveryProtocol() throws Exception {
    byte[] bomb = bomb();
    assertTrue(bomb.length < 41_000, "a bomb of " + bomb.length + " bytes");
    String tooLarge = "8"; // RESOURCE_EXHAUSTED
    for (String type : new String[] {"application/grpc", "application/grpc-web+proto"}) {
      for (String rpc : new String[] {QUERY, PING}) {
        assertEquals(
            tooLarge,
            grpcStatus(post(type, Map.of("grpc-encoding", "gzip"), rpc, Envelope.of(1, bomb))));
      }
    }
    HttpResponse<byte[]> unary =
        post("application/json", Map.of("content-encoding", "gzip"), QUERY, bomb);
    assertEquals(429, unary.statusCode());
    assertTrue(text(unary).contains("\"resource_exhausted\""), text(unary));
    HttpResponse<byte[]> stream =
        post(
            "application/connect+proto",
            Map.of("connect-content-encoding", "gzip"),
            PING,
            Envelope.of(1, bomb));
    assertTrue(text(stream).contains("\"resource_exhausted\""), text(stream));
    byte[] small = Gzip.of(new byte[4 << 20]); // of what a URL holds
    HttpResponse<byte[]> query =
        get(
            QUERY
                + "?encoding=json&base64=1&compression=gzip&message="
                + Base64.getUrlEncoder().encodeToString(small));
    assertEquals(429, query.statusCode(), text(query));
  }

  @Test
  void aBombInAStreamEndsIt() throws Exception {
    HttpResponse<byte[]> session =
        post(
            "application/grpc-web+proto",
            Map.of("grpc-encoding", "gzip"),
            MESH + "Session",
            Envelope.of(1, Gzip.of(new byte[RpcServer.MAX_STREAM_MESSAGE_BYTES + 1])));
    assertTrue(text(session).matches("(?s).*grpc-status: *8\r.*"), text(session));
  }

  /** Measured: what the thread that inflates has allocated. */
  @Test
  void noMoreIsInflatedThanTheLimit() throws Exception {
    ByteString bomb = ByteString.fromArray(bomb());
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    GrpcServiceException e =
        assertThrows(
            GrpcServiceException.class,
            () -> Compression.GZIP.inflate(bomb, RpcServer.MAX_REQUEST_BYTES));
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, e.status().getCode());
    assertTrue(allocated < 3 * RpcServer.MAX_REQUEST_BYTES, allocated + " bytes");
  }

  @Test
  void anyOtherCodingIsUnimplementedAndTheAcceptedOnesAreNamed() throws Exception {
    HttpResponse<byte[]> grpc =
        post("application/grpc", Map.of("grpc-encoding", "br"), QUERY, Envelope.of(1, new byte[1]));
    assertEquals("12", grpcStatus(grpc));
    assertEquals("gzip, identity", header(grpc, "grpc-accept-encoding"));
    HttpResponse<byte[]> unary =
        post("application/proto", Map.of("content-encoding", "zstd"), QUERY, new byte[1]);
    assertEquals(501, unary.statusCode());
    assertEquals("gzip, identity", header(unary, "accept-encoding"));
    HttpResponse<byte[]> stream =
        post(
            "application/connect+proto",
            Map.of("connect-content-encoding", "br"),
            PING,
            new byte[5]);
    assertTrue(text(stream).contains("\"unimplemented\""), text(stream));
    assertTrue(
        text(stream).contains("\"connect-accept-encoding\":[\"gzip, identity\"]"), text(stream));
    assertEquals(501, get(QUERY + "?encoding=json&compression=br&message=%7B%7D").statusCode());
  }

  @Test
  void whatIsNotCompressedAsItSaysIsRefused() throws Exception {
    assertEquals(
        "13", // INTERNAL: "Compression" of the gRPC protocol
        grpcStatus(
            post("application/grpc", Map.of(), QUERY, Envelope.of(1, Gzip.of(new byte[1])))));
    assertEquals(
        "3",
        grpcStatus(
            post(
                "application/grpc",
                Map.of("grpc-encoding", "gzip"),
                QUERY,
                Envelope.of(1, new byte[] {1, 2, 3}))));
    assertEquals(
        400,
        post("application/json", Map.of("content-encoding", "gzip"), QUERY, "{}".getBytes(UTF_8))
            .statusCode());
  }

  /** A compressed length tells of what stands beside a secret. */
  @Test
  void answersAreNeverCompressed() throws Exception {
    HttpResponse<byte[]> unary =
        post("application/json", Map.of("accept-encoding", "gzip"), QUERY, "{}".getBytes(UTF_8));
    assertEquals("{\"caCertificate\":\"QU5ZT05F\"}", text(unary));
    HttpResponse<byte[]> grpc =
        post(
            "application/grpc",
            Map.of("grpc-accept-encoding", "gzip"),
            QUERY,
            Envelope.of(0, new byte[0]));
    assertEquals(0, grpc.body()[0]);
  }

  private static String header(HttpResponse<byte[]> response, String name) {
    return Objects.requireNonNull(response.headers().firstValue(name).orElse(""));
  }
}
