package coral.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import io.grpc.Status;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.Test;

/** What a browser would send meets the limits and the table of gRPC. */
final class GrpcWebTest extends RpcServerFixture {
  private static final String TYPE = "application/grpc-web+proto";
  private static final String TEXT = "application/grpc-web-text";
  private static final Pattern STATUS = Pattern.compile("grpc-status: *(\\d+)");
  private static final int PREFIX_LENGTH = 5;

  @Test
  void anAgentIsKnownByItsCertificate() throws Exception {
    HttpResponse<byte[]> answer =
        web(pinned(authority.agent(COLONY, "web-1")), MESH + "Register", frame(register()));
    assertEquals(Status.Code.OK, status(answer));
    int length = ByteBuffer.wrap(answer.body()).getInt(1);
    assertEquals(
        "AGENT web-1",
        RegisterAgentResponse.parseFrom(
                Arrays.copyOfRange(answer.body(), PREFIX_LENGTH, PREFIX_LENGTH + length))
            .getReason());
  }

  @Test
  void theTableDecidesWhoMayCall() throws Exception {
    SSLContext agent = pinned(authority.agent(COLONY, "web-2"));
    SSLContext administrator = pinned(authority.administrator(COLONY, "alice"));
    byte[] getStatus = frame(GetStatusRequest.getDefaultInstance());
    assertEquals(
        Status.Code.OK,
        status(
            web(
                pinned(null),
                ADMIN + "GetCACertificate",
                frame(GetCACertificateRequest.getDefaultInstance()))));
    assertEquals(
        Status.Code.UNAUTHENTICATED,
        status(web(pinned(null), MESH + "Register", frame(register()))));
    assertEquals(Status.Code.PERMISSION_DENIED, status(web(agent, ADMIN + "GetStatus", getStatus)));
    assertEquals(Status.Code.OK, status(web(administrator, ADMIN + "GetStatus", getStatus)));
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        status(
            web(
                administrator,
                ADMIN + "ListAgents",
                frame(ListAgentsRequest.getDefaultInstance()))),
        "the table does not name it");
  }

  @Test
  void messagesHaveTheLimitsOfGrpc() throws Exception {
    SSLContext agent = pinned(authority.agent(COLONY, "big"));
    RegisterAgentRequest fits =
        register().toBuilder().setComponentName("x".repeat((1 << 20) - 100)).build();
    RegisterAgentRequest large =
        register().toBuilder().setComponentName("x".repeat(1 << 20)).build();
    assertEquals(Status.Code.OK, status(web(agent, MESH + "Register", frame(fits))));
    assertEquals(
        Status.Code.RESOURCE_EXHAUSTED, status(web(agent, MESH + "Register", frame(large))));
    RequestCertificateRequest largeForThisRpc =
        RequestCertificateRequest.newBuilder()
            .setCsr(ByteString.copyFrom(new byte[40 << 10]))
            .build();
    assertEquals(
        Status.Code.RESOURCE_EXHAUSTED,
        status(web(pinned(null), ADMIN + "RequestCertificate", frame(largeForThisRpc))));
    assertEquals(
        Status.Code.INTERNAL,
        status(web(agent, MESH + "Register", new byte[] {1, 0, 0, 0, 0})),
        "compressed, and the request does not say how");
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    stream.write(frame(heartbeat(1, 10)));
    stream.write(frame(heartbeat(2, 70_000)));
    assertEquals(
        Status.Code.RESOURCE_EXHAUSTED,
        status(web(agent, MESH + "Session", stream.toByteArray())),
        "a message of a stream");
  }

  /** What browsers send that can read no bytes while they arrive. */
  @Test
  void theTextFormIsBase64BothWays() throws Exception {
    byte[] request =
        Base64.getEncoder().encode(frame(GetCACertificateRequest.getDefaultInstance()));
    HttpResponse<byte[]> answer = web(pinned(null), ADMIN + "GetCACertificate", request, TEXT);
    assertEquals(TEXT + "+proto", answer.headers().firstValue("content-type").orElseThrow());
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < answer.body().length; i += 4) { // each part has its own padding
      bytes.write(Base64.getDecoder().decode(Arrays.copyOfRange(answer.body(), i, i + 4)));
    }
    byte[] body = bytes.toByteArray();
    assertEquals(
        "ANYONE",
        GetCACertificateResponse.parseFrom(
                Arrays.copyOfRange(
                    body, PREFIX_LENGTH, PREFIX_LENGTH + ByteBuffer.wrap(body).getInt(1)))
            .getCaCertificate()
            .toStringUtf8());
    assertTrue(STATUS.matcher(new String(body, UTF_8)).find());
    RequestCertificateRequest large =
        RequestCertificateRequest.newBuilder()
            .setCsr(ByteString.copyFrom(new byte[40 << 10]))
            .build();
    assertEquals(
        Status.Code.RESOURCE_EXHAUSTED,
        status(
            web(
                pinned(null),
                ADMIN + "RequestCertificate",
                Base64.getEncoder().encode(frame(large)),
                TEXT)));
    assertEquals(
        Status.Code.INVALID_ARGUMENT,
        status(web(pinned(null), ADMIN + "GetCACertificate", "!".getBytes(UTF_8), TEXT)));
    assertEquals(
        Status.Code.UNIMPLEMENTED,
        status(web(pinned(null), MESH + "Session", request, TEXT)),
        "a stream in base64 would hide its messages from their limit");
  }

  private static byte[] frame(MessageLite message) {
    byte[] bytes = message.toByteArray();
    return ByteBuffer.allocate(PREFIX_LENGTH + bytes.length)
        .put((byte) 0)
        .putInt(bytes.length)
        .put(bytes)
        .array();
  }

  private static HttpResponse<byte[]> web(SSLContext as, String rpc, byte[] body)
      throws IOException, InterruptedException {
    return web(as, rpc, body, TYPE);
  }

  private static HttpResponse<byte[]> web(SSLContext as, String rpc, byte[] body, String type)
      throws IOException, InterruptedException {
    return HttpClient.newBuilder()
        .sslContext(as)
        .build()
        .send(
            HttpRequest.newBuilder(URI.create("https://localhost:" + endpoint.port() + "/" + rpc))
                .timeout(TIMEOUT.multipliedBy(2))
                .header("content-type", type)
                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                .build(),
            HttpResponse.BodyHandlers.ofByteArray());
  }

  /** Of the headers if there is nothing else, or of the last frame, which holds the trailers. */
  private static Status.Code status(HttpResponse<byte[]> response) {
    assertEquals(200, response.statusCode());
    String told =
        response
            .headers()
            .firstValue("grpc-status")
            .map(status -> "grpc-status: " + status)
            .orElseGet(() -> new String(response.body(), UTF_8));
    Matcher status = STATUS.matcher(told);
    if (!status.find()) {
      throw new AssertionError("no status: " + response.headers().map());
    }
    return Status.fromCodeValue(Integer.parseInt(status.group(1))).getCode();
  }
}
