package coral.proxy;

import static coral.proxy.ProxyFixture.get;
import static coral.proxy.StandInColony.COLONY;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.WatchAgentsRequest;
import coral.api.colony.v1.WatchAgentsResponse;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.MeshServiceClient;
import coral.model.Failure;
import coral.rpc.FailureStatus;
import coral.rpc.RpcChannel;
import io.grpc.Status;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.http.javadsl.Http;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every protocol, over both versions of HTTP, reaches the colony and comes back as it was. */
@Timeout(60)
final class ProxyProtocolsTest {
  private static final String ACTOR = "proxy/proxy-ada-laptop for viewer/local";

  private static ProxyFixture fixture;

  @BeforeAll
  static void start() throws Exception {
    fixture = new ProxyFixture();
  }

  @AfterAll
  static void stop() throws Exception {
    fixture.close();
  }

  @Test
  void grpcPasses() throws Exception {
    assertEquals(
        StandInColony.ID,
        get(fixture.grpc().getStatus(GetStatusRequest.getDefaultInstance())).getColonyId());
  }

  @Test
  void refusalsKeepTheirTrailersOverGrpc() {
    var call = fixture.grpc().requestCertificate(RequestCertificateRequest.getDefaultInstance());
    Status status = ProxyFixture.status(call);
    assertEquals(Status.Code.ALREADY_EXISTS, status.getCode());
    assertEquals("taken: ä%", status.getDescription());
    Throwable thrown = call.toCompletableFuture().handle((none, failure) -> failure).join();
    assertEquals(Failure.AGENT_ID_TAKEN, FailureStatus.failure(thrown));
  }

  @Test
  void eachMessageOfAServerStreamPassesWhenItIsSaid() throws Exception {
    fixture.colony.watcher = new java.util.concurrent.CompletableFuture<>();
    BlockingQueue<WatchAgentsResponse> heard = new LinkedBlockingQueue<>();
    var done =
        fixture
            .grpc()
            .watchAgents(WatchAgentsRequest.getDefaultInstance())
            .runWith(Sink.foreach(heard::add), fixture.colony.system);
    var says = get(fixture.colony.watcher);
    for (int i = 0; i < 5; i++) {
      String id = "agent-" + i;
      says.offer(WatchAgentsResponse.newBuilder().addRemovedAgentIds(id).build());
      WatchAgentsResponse next = heard.poll(10, TimeUnit.SECONDS);
      assertEquals(id, next == null ? "nothing" : next.getRemovedAgentIds(0));
    }
    says.complete();
    get(done);
  }

  @Test
  void eachMessageOfAStreamOfBothDirectionsPassesWhenItIsSaid() throws Exception {
    MeshServiceClient mesh =
        MeshServiceClient.create(
            RpcChannel.settings(fixture.endpoint(), Optional.empty(), fixture.colony.system),
            fixture.colony.system);
    BlockingQueue<ColonyMessage> heard = new LinkedBlockingQueue<>();
    var in =
        Source.<AgentMessage>queue(4, OverflowStrategy.fail())
            .preMaterialize(fixture.colony.system);
    var done = mesh.session(in.second()).runWith(Sink.foreach(heard::add), fixture.colony.system);
    for (int i = 1; i <= 5; i++) {
      in.first()
          .offer(
              AgentMessage.newBuilder()
                  .setHeartbeat(Heartbeat.newBuilder().setSequence(i))
                  .build());
      ColonyMessage next = heard.poll(10, TimeUnit.SECONDS);
      assertEquals(i, next == null ? -1 : next.getHeartbeatReceived().getSequence());
    }
    in.first().complete();
    get(done);
  }

  @Test
  void connectPassesOverHttp1() throws Exception {
    HttpResponse<byte[]> json =
        fixture.post(COLONY + "GetStatus", "application/json", Map.of(), "{}".getBytes(UTF_8));
    assertEquals(200, json.statusCode());
    assertTrue(new String(json.body(), UTF_8).contains(ACTOR), new String(json.body(), UTF_8));
    HttpResponse<byte[]> proto =
        fixture.post(COLONY + "GetStatus", "application/proto", Map.of(), new byte[0]);
    assertEquals(ACTOR, GetStatusResponse.parseFrom(proto.body()).getStatus());
    HttpResponse<byte[]> refused =
        fixture.post(
            COLONY + "RequestCertificate", "application/json", Map.of(), "{}".getBytes(UTF_8));
    assertEquals(409, refused.statusCode());
    assertTrue(new String(refused.body(), UTF_8).contains("taken: ä%"));
  }

  @Test
  void connectAndGrpcWebPassOverHttp2() throws Exception {
    assertEquals(ACTOR, status(http2("application/proto", ByteString.emptyByteString())));
    org.apache.pekko.http.javadsl.model.HttpResponse web =
        http2("application/grpc-web+proto", ByteString.fromArray(new byte[5]));
    assertGrpcWeb(bytes(web).toArray());
  }

  @Test
  void grpcWebPassesOverHttp1() throws Exception {
    HttpResponse<byte[]> web =
        fixture.post(COLONY + "GetStatus", "application/grpc-web+proto", Map.of(), new byte[5]);
    assertEquals(200, web.statusCode());
    assertGrpcWeb(web.body());
  }

  private static void assertGrpcWeb(byte[] body) throws InvalidProtocolBufferException {
    int length = java.nio.ByteBuffer.wrap(body).getInt(1);
    assertEquals(
        ACTOR,
        GetStatusResponse.parseFrom(java.util.Arrays.copyOfRange(body, 5, 5 + length)).getStatus());
    String trailers = new String(body, 10 + length, body.length - 10 - length, UTF_8);
    assertEquals(0x80, body[5 + length] & 0xFF);
    assertTrue(
        trailers.toLowerCase(java.util.Locale.ROOT).contains("grpc-status:0")
            || trailers.toLowerCase(java.util.Locale.ROOT).contains("grpc-status: 0"),
        trailers);
  }

  private static org.apache.pekko.http.javadsl.model.HttpResponse http2(
      String type, ByteString body) throws Exception {
    var flow =
        Http.get(fixture.colony.system)
            .connectionTo("127.0.0.1")
            .toPort(fixture.endpoint().port())
            .http2WithPriorKnowledge();
    HttpRequest request =
        HttpRequest.POST("http://" + fixture.endpoint() + "/" + COLONY + "GetStatus")
            .withEntity(HttpEntities.create(ContentTypes.parse(type), body));
    return get(
        Source.single(request)
            .concat(Source.maybe())
            .via(flow)
            .runWith(Sink.head(), fixture.colony.system));
  }

  private static ByteString bytes(org.apache.pekko.http.javadsl.model.HttpResponse response)
      throws Exception {
    return get(
        response
            .entity()
            .getDataBytes()
            .runFold(ByteString.emptyByteString(), ByteString::concat, fixture.colony.system));
  }

  private static String status(org.apache.pekko.http.javadsl.model.HttpResponse response)
      throws Exception {
    return GetStatusResponse.parseFrom(bytes(response).toArray()).getStatus();
  }

  @Test
  void plainHttpPasses() throws Exception {
    HttpResponse<byte[]> missing = fixture.post("nothing", "text/plain", Map.of(), new byte[0]);
    assertEquals(404, missing.statusCode());
  }
}
