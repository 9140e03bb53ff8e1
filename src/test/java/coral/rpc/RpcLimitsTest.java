package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.ColonyServiceClient;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.MeshServiceClient;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.Endpoint;
import io.grpc.Status;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.Test;

/** How much a request may weigh, and how long a stream may be silent. */
final class RpcLimitsTest extends RpcServerFixture {
  @Test
  void aRequestThatIsTooLargeIsRefusedByBothProtocols() throws Exception {
    SSLContext agent = pinned(authority.agent(COLONY, "big"));
    RegisterAgentRequest fits =
        register().toBuilder().setComponentName("x".repeat((1 << 20) - 100)).build();
    RegisterAgentRequest large =
        register().toBuilder().setComponentName("x".repeat(1 << 20)).build();
    RegisterAgentRequest huge =
        register().toBuilder().setComponentName("x".repeat(3 << 20)).build();
    assertEquals("AGENT big", get(mesh(agent).register(fits)).getReason());
    assertEquals(
        "AGENT big",
        connect(agent).call(MESH + "Register", fits, RegisterAgentResponse.parser()).getReason());
    for (RegisterAgentRequest request : List.of(large, huge)) {
      assertEquals(
          Status.Code.RESOURCE_EXHAUSTED, refusal(() -> mesh(agent).register(request)).getCode());
      RpcException e =
          assertThrows(
              RpcException.class,
              () ->
                  connect(agent).call(MESH + "Register", request, RegisterAgentResponse.parser()));
      assertEquals(Status.Code.RESOURCE_EXHAUSTED, e.code(), e.getMessage());
    }
  }

  @Test
  void anRpcMayHaveASmallerLimit() throws Exception {
    RequestCertificateRequest large =
        RequestCertificateRequest.newBuilder()
            .setCsr(ByteString.copyFrom(new byte[40 << 10]))
            .build();
    assertEquals(
        Status.Code.RESOURCE_EXHAUSTED,
        refusal(() -> colony(pinned(null)).requestCertificate(large)).getCode());
  }

  /** Of HTTP/1.1, as fetch of Node.js sends a body. */
  @Test
  void aChunkThatIsTooLargeIsRefusedAsAMessageIs() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create(
                    "https://localhost:" + endpoint.port() + "/" + ADMIN + "RequestCertificate"))
            .version(HttpClient.Version.HTTP_1_1)
            .header("content-type", "application/proto")
            .POST(
                HttpRequest.BodyPublishers.fromPublisher(
                    HttpRequest.BodyPublishers.ofByteArrays(List.of(new byte[2 << 20]))))
            .build();
    HttpResponse<String> answer =
        HttpClient.newBuilder()
            .sslContext(pinned(null))
            .build()
            .send(request, HttpResponse.BodyHandlers.ofString());
    assertEquals(429, answer.statusCode(), answer.body());
    assertTrue(answer.body().contains("\"resource_exhausted\""), answer.body());
  }

  @Test
  void aStreamMayBeEndlessButEachMessageIsSmall() throws Exception {
    MeshServiceClient client = mesh(pinned(authority.agent(COLONY, "streamer")));
    Source<AgentMessage, NotUsed> many = Source.range(1, 3000).map(i -> heartbeat(i, 1000));
    List<ColonyMessage> answers = get(client.session(many).runWith(Sink.seq(), system));
    assertEquals(3000, answers.size());
    Source<AgentMessage, NotUsed> oversize =
        Source.from(List.of(heartbeat(1, 10), heartbeat(2, 70_000), heartbeat(3, 10)))
            .concat(Source.maybe());
    Status refused = refusal(() -> client.session(oversize).runWith(Sink.seq(), system));
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, refused.getCode(), refused.toString());
  }

  @Test
  void aSilentStreamIsEnded() throws Exception {
    MeshServiceClient client = mesh(pinned(authority.agent(COLONY, "silent")));
    Source<AgentMessage, NotUsed> silent = Source.single(heartbeat(1, 10)).concat(Source.maybe());
    assertEquals(
        Status.Code.DEADLINE_EXCEEDED,
        refusal(() -> client.session(silent).runWith(Sink.seq(), system)).getCode());
  }

  @Test
  void aStreamThatIsRefusedIsRefusedWhileItIsOpen() throws Exception {
    Endpoint plain = serve(Optional.empty());
    ColonyServiceClient client =
        ColonyServiceClient.create(RpcChannel.settings(plain, Optional.empty(), system), system);
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        refusal(() -> client.listAllocations(ListAllocationsRequest.getDefaultInstance()))
            .getCode());
  }
}
