package coral.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.model.Failure;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** Connect beside gRPC, and how failures are told in both. */
final class RpcProtocolsTest extends RpcServerFixture {
  @Test
  void anUnknownPathIsNotFoundAndAnUnknownRpcUnimplemented() throws Exception {
    assertEquals(
        404, post("application/proto", Map.of(), "nothing/Here", new byte[0]).statusCode());
    assertEquals(404, post("text/plain", Map.of(), "", new byte[0]).statusCode());
    assertEquals(
        "12",
        post("application/grpc", Map.of(), "coral.mesh.v1.MeshService/Nothing", new byte[5])
            .headers()
            .firstValue("grpc-status")
            .orElseThrow());
    assertEquals(
        415, post("text/plain", Map.of(), ADMIN + "GetCACertificate", new byte[0]).statusCode());
    assertEquals(
        501, post("application/proto", Map.of(), MESH + "Session", new byte[0]).statusCode());
  }

  @Test
  void connectSpeaksJson() throws Exception {
    HttpResponse<byte[]> response =
        post(
            "application/json",
            Map.of(),
            ADMIN + "GetCACertificate",
            "{\"unknown\":1}".getBytes(UTF_8));
    assertEquals(200, response.statusCode());
    assertEquals("{\"caCertificate\":\"QU5ZT05F\"}", new String(response.body(), UTF_8));
    HttpResponse<byte[]> bad =
        post(
            "application/json",
            Map.of(),
            ADMIN + "RequestCertificate",
            "{\"colonySecret\": {\"hunter2\": 1}}".getBytes(UTF_8));
    assertEquals(400, bad.statusCode());
    assertFalse(new String(bad.body(), UTF_8).contains("hunter2"));
  }

  @Test
  void aRefusalKeepsItsFailureAndADefectSaysNothing() throws Exception {
    RequestCertificateRequest taken =
        RequestCertificateRequest.newBuilder().setAgentId("taken").build();
    RpcException e =
        assertThrows(
            RpcException.class,
            () ->
                connect(pinned(null))
                    .call(
                        ADMIN + "RequestCertificate", taken, RequestCertificateResponse.parser()));
    assertEquals(Failure.AGENT_ID_TAKEN, e.failure());
    assertEquals("taken: ä%", e.getMessage());
    Throwable overGrpc = failure(() -> colony(pinned(null)).requestCertificate(taken));
    assertEquals(Failure.AGENT_ID_TAKEN, FailureStatus.failure(overGrpc));
    assertEquals("taken: ä%", ((StatusRuntimeException) overGrpc).getStatus().getDescription());
    RequestCertificateRequest defect =
        RequestCertificateRequest.newBuilder().setAgentId("defect").build();
    Status internal = refusal(() -> colony(pinned(null)).requestCertificate(defect));
    assertEquals(Status.Code.INTERNAL, internal.getCode());
    assertEquals("internal error", internal.getDescription());
  }

  /** Anybody can send such bytes, as often as they like. */
  @Test
  void whatIsNoMessageIsRefusedWithoutALineInTheLog() throws Exception {
    ListAppender<ILoggingEvent> log = new ListAppender<>();
    Logger root = (Logger) LoggerFactory.getLogger("ROOT");
    log.start();
    root.addAppender(log);
    try {
      byte[] hunter = "hunter2".getBytes(UTF_8);
      ByteArrayOutputStream framed = new ByteArrayOutputStream();
      framed.write(new byte[] {0, 0, 0, 0, (byte) hunter.length});
      framed.write(hunter);
      for (byte[] body :
          List.of(
              framed.toByteArray(),
              new byte[0],
              new byte[] {0, 0},
              new byte[] {0, 0, 0, 0, 9, 1},
              new byte[10])) {
        HttpResponse<byte[]> grpc =
            post("application/grpc", Map.of(), ADMIN + "RequestCertificate", body);
        assertEquals("3", grpc.headers().firstValue("grpc-status").orElseThrow(), body.length + "");
        assertFalse(grpc.headers().firstValue("grpc-message").orElseThrow().contains("hunter2"));
      }
      HttpResponse<byte[]> connect =
          post("application/proto", Map.of(), ADMIN + "RequestCertificate", hunter);
      assertEquals(400, connect.statusCode());
      for (ILoggingEvent event : log.list) {
        assertTrue(event.getThrowableProxy() == null, event.getFormattedMessage());
        assertFalse(event.getLevel().isGreaterOrEqual(Level.INFO), event.getFormattedMessage());
      }
    } finally {
      root.detachAppender(log);
    }
  }
}
