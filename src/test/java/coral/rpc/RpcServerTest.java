package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.ColonyService;
import coral.api.colony.v1.ColonyServiceClient;
import coral.api.colony.v1.ColonyServiceHandlerFactory;
import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.GetTopologyRequest;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.DeregisterAgentRequest;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.HeartbeatReceived;
import coral.api.mesh.v1.MeshService;
import coral.api.mesh.v1.MeshServiceClient;
import coral.api.mesh.v1.MeshServiceHandlerFactory;
import coral.api.mesh.v1.Probe;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.Fingerprint;
import coral.model.RefusedException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.grpc.GrpcClientSettings;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A real server on a loopback port; every client is a real one. */
@SuppressWarnings("NullAway") // a null here fails the test, as it should
final class RpcServerTest {
  private static final String COLONY = "shop-prod-a3f2e1";
  private static final String COLONY_URI = "spiffe://" + COLONY + "/colony";
  private static final String MESH = "coral.mesh.v1.MeshService/";
  private static final String ADMIN = "coral.colony.v1.ColonyService/";
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private static ActorSystem system;
  private static TestAuthority authority;
  private static ServerTls tls;
  private static Endpoint endpoint;
  private static final Set<X509Certificate> REVOKED = ConcurrentHashMap.newKeySet();
  private static final AtomicInteger HANDSHAKE_CHECKS = new AtomicInteger();

  @BeforeAll
  static void start() throws Exception {
    system =
        ActorSystem.create(
            "rpc-test", ConfigFactory.load("pekko").withFallback(ConfigFactory.load()));
    authority = new TestAuthority("Coral Colony CA");
    ClientCertificate server = authority.server(COLONY);
    tls =
        ServerTls.of(
            server.key(),
            server.chain(),
            Optional.of(authority.root()),
            certificate -> {
              HANDSHAKE_CHECKS.incrementAndGet();
              return !REVOKED.contains(certificate);
            });
    endpoint = serve(Optional.of(tls));
  }

  @AfterAll
  static void stop() throws Exception {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private static Endpoint serve(Optional<ServerTls> tls) throws Exception {
    RpcServer server =
        RpcServer.builder(
                system,
                CallerIdentity.ofColony(
                    new ColonyId(COLONY), c -> !REVOKED.contains(c), InstantSource.system()),
                RpcAuthorization.of(
                    Map.of(
                        MESH + "Register", Set.of(Role.AGENT),
                        MESH + "Session", Set.of(Role.AGENT, Role.ANYONE),
                        ADMIN + "GetStatus", Set.of(Role.ADMINISTRATOR),
                        ADMIN + "RequestCertificate", Set.of(Role.ANYONE),
                        ADMIN + "GetCACertificate", Set.of(Role.ANYONE))))
            .service(
                MeshService.class,
                MeshService.description,
                Mesh::new,
                MeshServiceHandlerFactory::create)
            .service(
                ColonyService.class,
                ColonyService.description,
                Colony::new,
                ColonyServiceHandlerFactory::create)
            .limit(ADMIN + "RequestCertificate", 32 << 10)
            .streamIdle(Duration.ofSeconds(1))
            .build();
    InetSocketAddress bound =
        server
            .bind("127.0.0.1", 0, tls)
            .toCompletableFuture()
            .get(10, TimeUnit.SECONDS)
            .localAddress();
    return new Endpoint("127.0.0.1", bound.getPort());
  }

  // --- who may call what

  @Test
  void anAgentIsKnownByItsCertificateOverGrpcAndConnect() throws Exception {
    ClientCertificate agent = authority.agent(COLONY, "web-1");
    RegisterAgentResponse overConnect =
        connect(pinned(agent)).call(MESH + "Register", register(), RegisterAgentResponse.parser());
    assertEquals("AGENT web-1", overConnect.getReason());
    assertEquals("AGENT web-1", get(mesh(pinned(agent)).register(register())).getReason());
  }

  @Test
  void withoutACertificateOnlyOpenRpcsMayBeCalled() throws Exception {
    SSLContext anonymous = pinned(null);
    GetCACertificateResponse open =
        connect(anonymous)
            .call(
                ADMIN + "GetCACertificate",
                GetCACertificateRequest.getDefaultInstance(),
                GetCACertificateResponse.parser());
    assertEquals("ANYONE", open.getCaCertificate().toStringUtf8());
    assertEquals(
        Status.Code.UNAUTHENTICATED, refusal(() -> mesh(anonymous).register(register())).getCode());
    RpcException refused = refused(connect(anonymous), MESH + "Register");
    assertEquals(Status.Code.UNAUTHENTICATED, refused.code());
    assertEquals(Failure.UNAUTHENTICATED, refused.failure());
    assertEquals(RpcException.Reason.REFUSED, refused.reason());
  }

  @Test
  void anotherRoleIsDenied() throws Exception {
    SSLContext agent = pinned(authority.agent(COLONY, "web-2"));
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        refusal(() -> colony(agent).getStatus(GetStatusRequest.getDefaultInstance())).getCode());
    SSLContext administrator = pinned(authority.administrator(COLONY, "alice"));
    assertEquals(
        Status.Code.PERMISSION_DENIED, refused(connect(administrator), MESH + "Register").code());
    assertEquals(
        "ADMINISTRATOR alice",
        get(colony(administrator).getStatus(GetStatusRequest.getDefaultInstance())).getStatus());
  }

  @Test
  void anRpcThatTheTableDoesNotNameIsDeniedToEverybody() throws Exception {
    SSLContext administrator = pinned(authority.administrator(COLONY, "alice"));
    assertEquals(
        Status.Code.PERMISSION_DENIED,
        refusal(() -> colony(administrator).listAgents(ListAgentsRequest.getDefaultInstance()))
            .getCode());
    assertEquals(
        Status.Code.PERMISSION_DENIED, refused(connect(pinned(null)), ADMIN + "ListAgents").code());
  }

  @Test
  void theUriAndTheSubjectMustNameTheSameAgentOfThisColony() throws Exception {
    List<ClientCertificate> wrong =
        List.of(
            authority.issue(
                "CN=other,O=" + COLONY,
                "spiffe://" + COLONY + "/agent/web-1",
                KeyPurposeId.id_kp_clientAuth),
            authority.issue(
                "CN=web-1,O=other",
                "spiffe://" + COLONY + "/agent/web-1",
                KeyPurposeId.id_kp_clientAuth),
            authority.agent("other", "web-1"),
            authority.issue(
                "CN=web-1,O=" + COLONY,
                "spiffe://" + COLONY + "/agent/web-1/x",
                KeyPurposeId.id_kp_clientAuth),
            authority.issue(
                "CN=web-1,O=" + COLONY,
                "spiffe://" + COLONY + "/colony",
                KeyPurposeId.id_kp_clientAuth),
            authority.issue(
                "CN=a,CN=web-1,O=" + COLONY,
                "spiffe://" + COLONY + "/agent/web-1",
                KeyPurposeId.id_kp_clientAuth),
            authority.issue(
                "CN=web-1,O=" + COLONY,
                List.of(
                    "spiffe://" + COLONY + "/agent/web-1", "spiffe://" + COLONY + "/admin/alice"),
                KeyPurposeId.id_kp_clientAuth,
                Duration.ofHours(-1),
                Duration.ofDays(1)),
            authority.issue(
                "CN=web-1,O=" + COLONY,
                List.of(),
                KeyPurposeId.id_kp_clientAuth,
                Duration.ofHours(-1),
                Duration.ofDays(1)));
    for (ClientCertificate certificate : wrong) {
      RpcException refused = refused(connect(pinned(certificate)), MESH + "Register");
      assertEquals(Status.Code.UNAUTHENTICATED, refused.code(), certificate.toString());
      assertEquals(RpcException.Reason.REFUSED, refused.reason(), refused.getMessage());
    }
  }

  // --- client certificates that the handshake refuses

  @Test
  void aClientCertificateThatIsNotGoodFailsTheHandshake() throws Exception {
    TestAuthority stranger = new TestAuthority("Coral Colony CA");
    ClientCertificate revoked = authority.agent(COLONY, "revoked");
    REVOKED.add(revoked.chain().get(0));
    Map<String, ClientCertificate> bad =
        Map.of(
            "wrong authority", stranger.agent(COLONY, "web-1"),
            "expired",
                authority.issue(
                    "CN=web-1,O=" + COLONY,
                    List.of("spiffe://" + COLONY + "/agent/web-1"),
                    KeyPurposeId.id_kp_clientAuth,
                    Duration.ofDays(-1),
                    Duration.ofHours(-1)),
            "a server's", authority.server(COLONY),
            "revoked", revoked);
    for (Map.Entry<String, ClientCertificate> entry : bad.entrySet()) {
      RpcException refused = refused(connect(pinned(entry.getValue())), ADMIN + "GetCACertificate");
      assertEquals(
          RpcException.Reason.CERTIFICATE_REFUSED,
          refused.reason(),
          entry.getKey() + ": " + refused.getMessage());
    }
  }

  /** The trust manager is not asked when a session is resumed, so that no session may be. */
  @Test
  void everyConnectionIsVerifiedAndACertificateRevokedMeanwhileIsNotLetIn() throws Exception {
    ClientCertificate agent = authority.agent(COLONY, "resumed");
    SSLContext oneContext = resuming(agent);
    int before = HANDSHAKE_CHECKS.get();
    byte[] first = rawCall(oneContext);
    byte[] second = rawCall(oneContext);
    assertEquals(2, HANDSHAKE_CHECKS.get() - before);
    assertTrue(first.length > 0 && second.length > 0);
    REVOKED.add(agent.chain().get(0));
    assertThrows(java.io.IOException.class, () -> rawCall(oneContext));
  }

  @Test
  void aCertificateRevokedDuringAConnectionIsRefusedAtTheNextCall() throws Exception {
    ClientCertificate agent = authority.agent(COLONY, "leaver");
    MeshServiceClient client = mesh(pinned(agent));
    assertEquals("AGENT leaver", get(client.register(register())).getReason());
    REVOKED.add(agent.chain().get(0));
    assertEquals(Status.Code.UNAUTHENTICATED, refusal(() -> client.register(register())).getCode());
  }

  // --- servers that a client must not believe

  @Test
  void aWrongPinIsSaidWithBothFingerprints() throws Exception {
    Fingerprint other = new TestAuthority("other").fingerprint();
    RpcException e =
        refused(
            connect(ClientTls.pinned(other, COLONY_URI, Optional.empty())),
            ADMIN + "GetCACertificate");
    assertEquals(RpcException.Reason.PIN_MISMATCH, e.reason());
    assertTrue(
        e.getMessage().contains(other.value())
            && e.getMessage().contains(authority.fingerprint().value()),
        e.getMessage());
    RpcException overGrpc =
        RpcException.of(
            failure(
                () ->
                    colony(ClientTls.pinned(other, COLONY_URI, Optional.empty()))
                        .getCACertificate(GetCACertificateRequest.getDefaultInstance())),
            "colony");
    assertEquals(RpcException.Reason.PIN_MISMATCH, overGrpc.reason(), overGrpc.getMessage());
  }

  @Test
  void aServerOfAnotherNameIsNotBelieved() throws Exception {
    for (SSLContext context :
        List.of(
            ClientTls.pinned(authority.fingerprint(), "spiffe://other/colony", Optional.empty()),
            ClientTls.trusting(authority.root(), "spiffe://other/colony", Optional.empty()),
            ClientTls.trusting(
                new TestAuthority("Coral Colony CA").root(), COLONY_URI, Optional.empty()))) {
      assertEquals(
          RpcException.Reason.SERVER_NOT_TRUSTED,
          refused(connect(context), ADMIN + "GetCACertificate").reason());
    }
  }

  @Test
  void aServerWithABadCertificateIsNotBelieved() throws Exception {
    ClientCertificate agent =
        authority.issue("CN=web-1,O=" + COLONY, COLONY_URI, KeyPurposeId.id_kp_clientAuth);
    ClientCertificate expired =
        authority.issue(
            "CN=colony,O=" + COLONY,
            List.of(COLONY_URI),
            KeyPurposeId.id_kp_serverAuth,
            Duration.ofDays(-1),
            Duration.ofHours(-1));
    ClientCertificate good = authority.server(COLONY);
    // The pinned root is shown, but the leaf is of somebody else.
    ClientCertificate forged =
        new ClientCertificate(
            new TestAuthority("x").server(COLONY).key(),
            List.of(
                new TestAuthority("Coral Colony CA").server(COLONY).chain().get(0),
                authority.root()));
    ClientCertificate withoutRoot = new ClientCertificate(good.key(), good.chain().subList(0, 1));
    assertEquals(RpcException.Reason.SERVER_NOT_TRUSTED, reasonAgainst(agent));
    assertEquals(RpcException.Reason.SERVER_CERTIFICATE_EXPIRED, reasonAgainst(expired));
    assertEquals(RpcException.Reason.PIN_MISMATCH, reasonAgainst(withoutRoot));
    assertFalse(reasonAgainst(forged) == RpcException.Reason.REFUSED);
  }

  private RpcException.Reason reasonAgainst(ClientCertificate server) throws Exception {
    Endpoint bad =
        serve(Optional.of(ServerTls.of(server.key(), server.chain(), Optional.empty(), c -> true)));
    ConnectClient client = ConnectClient.https(bad, pinned(null), TIMEOUT, TIMEOUT);
    return refused(client, ADMIN + "GetCACertificate").reason();
  }

  @Test
  void aReplacedServerCertificateIsShownToTheNextConnection() throws Exception {
    ClientCertificate first = authority.server(COLONY);
    ServerTls replaceable = ServerTls.of(first.key(), first.chain(), Optional.empty(), c -> true);
    Endpoint server = serve(Optional.of(replaceable));
    SSLContext onlyFirst = ClientTls.pinnedLeaf(Fingerprint.of(first.chain().get(0).getEncoded()));
    ConnectClient.https(server, onlyFirst, TIMEOUT, TIMEOUT)
        .call(
            ADMIN + "GetCACertificate",
            GetCACertificateRequest.getDefaultInstance(),
            GetCACertificateResponse.parser());
    ClientCertificate second = authority.server(COLONY);
    replaceable.replace(second.key(), second.chain());
    SSLContext freshFirst = ClientTls.pinnedLeaf(Fingerprint.of(first.chain().get(0).getEncoded()));
    assertEquals(
        RpcException.Reason.PIN_MISMATCH,
        refused(
                ConnectClient.https(server, freshFirst, TIMEOUT, TIMEOUT),
                ADMIN + "GetCACertificate")
            .reason());
  }

  // --- limits

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

  @Test
  void aCompressedRequestIsRefused() throws Exception {
    HttpResponse<byte[]> grpc =
        post(
            "application/grpc",
            Map.of("grpc-encoding", "gzip"),
            MESH + "Session",
            new byte[] {1, 0, 0, 0, 0});
    assertEquals("12", grpc.headers().firstValue("grpc-status").orElseThrow());
    HttpResponse<byte[]> byFlag =
        post("application/grpc", Map.of(), ADMIN + "GetCACertificate", new byte[] {1, 0, 0, 0, 0});
    assertEquals("12", byFlag.headers().firstValue("grpc-status").orElseThrow());
    HttpResponse<byte[]> connect =
        post(
            "application/proto",
            Map.of("content-encoding", "gzip"),
            ADMIN + "GetCACertificate",
            new byte[] {1});
    assertEquals(501, connect.statusCode());
    assertTrue(
        new String(connect.body(), java.nio.charset.StandardCharsets.UTF_8)
            .contains("\"code\":\"unimplemented\""));
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

  // --- protocols

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
            "{\"unknown\":1}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertEquals(200, response.statusCode());
    assertEquals(
        "{\"caCertificate\":\"QU5ZT05F\"}",
        new String(response.body(), java.nio.charset.StandardCharsets.UTF_8));
    HttpResponse<byte[]> bad =
        post(
            "application/json",
            Map.of(),
            ADMIN + "RequestCertificate",
            "{\"colonySecret\": {\"hunter2\": 1}}"
                .getBytes(java.nio.charset.StandardCharsets.UTF_8));
    assertEquals(400, bad.statusCode());
    assertFalse(
        new String(bad.body(), java.nio.charset.StandardCharsets.UTF_8).contains("hunter2"));
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

  // --- what people read

  @Test
  void anUnreachableOrSilentServerIsSaidSo() throws Exception {
    int free;
    try (ServerSocket socket = new ServerSocket(0)) {
      free = socket.getLocalPort();
    }
    ConnectClient nobody =
        ConnectClient.https(new Endpoint("127.0.0.1", free), pinned(null), TIMEOUT, TIMEOUT);
    assertEquals(RpcException.Reason.UNREACHABLE, refused(nobody, ADMIN + "GetStatus").reason());
    try (ServerSocket silent = new ServerSocket(0)) {
      ConnectClient client =
          ConnectClient.https(
              new Endpoint("127.0.0.1", silent.getLocalPort()),
              pinned(null),
              TIMEOUT,
              Duration.ofMillis(200));
      assertEquals(RpcException.Reason.TIMEOUT, refused(client, ADMIN + "GetStatus").reason());
    }
  }

  // --- the services that answer

  private record Mesh(Caller caller) implements MeshService {
    @Override
    public CompletionStage<RegisterAgentResponse> register(RegisterAgentRequest in) {
      return CompletableFuture.completedFuture(
          RegisterAgentResponse.newBuilder().setReason(who(caller)).build());
    }

    @Override
    public Source<ColonyMessage, NotUsed> session(Source<AgentMessage, NotUsed> in) {
      return in.map(
          m ->
              ColonyMessage.newBuilder()
                  .setHeartbeatReceived(
                      HeartbeatReceived.newBuilder().setSequence(m.getHeartbeat().getSequence()))
                  .build());
    }

    @Override
    public CompletionStage<DeregisterAgentResponse> deregister(DeregisterAgentRequest in) {
      throw new AssertionError("never reached");
    }
  }

  private record Colony(Caller caller) implements ColonyService {
    @Override
    public CompletionStage<GetStatusResponse> getStatus(GetStatusRequest in) {
      return CompletableFuture.completedFuture(
          GetStatusResponse.newBuilder().setStatus(who(caller)).build());
    }

    @Override
    public CompletionStage<ListAgentsResponse> listAgents(ListAgentsRequest in) {
      throw new AssertionError("never reached");
    }

    @Override
    public CompletionStage<GetTopologyResponse> getTopology(GetTopologyRequest in) {
      throw new AssertionError("never reached");
    }

    @Override
    public CompletionStage<ListAllocationsResponse> listAllocations(ListAllocationsRequest in) {
      throw new AssertionError("never reached");
    }

    @Override
    public CompletionStage<RequestCertificateResponse> requestCertificate(
        RequestCertificateRequest in) {
      if (in.getAgentId().equals("taken")) {
        return CompletableFuture.failedFuture(
            new RefusedException(Failure.AGENT_ID_TAKEN, "taken: ä%"));
      }
      throw new IllegalStateException("an inside that nobody should read");
    }

    @Override
    public CompletionStage<GetCACertificateResponse> getCACertificate(GetCACertificateRequest in) {
      return CompletableFuture.completedFuture(
          GetCACertificateResponse.newBuilder()
              .setCaCertificate(ByteString.copyFromUtf8(who(caller)))
              .build());
    }
  }

  private static String who(Caller caller) {
    return caller.role() + caller.name().map(n -> " " + n).orElse("");
  }

  // --- clients

  private static SSLContext pinned(ClientCertificate own) throws Exception {
    return ClientTls.pinned(authority.fingerprint(), COLONY_URI, Optional.ofNullable(own));
  }

  private static ConnectClient connect(SSLContext context) {
    return ConnectClient.https(endpoint, context, TIMEOUT, TIMEOUT);
  }

  private static GrpcClientSettings settings(SSLContext context) {
    return RpcChannel.grpcClient(endpoint, context, system).withDeadline(TIMEOUT.multipliedBy(2));
  }

  private static MeshServiceClient mesh(SSLContext context) {
    return MeshServiceClient.create(settings(context), system);
  }

  private static ColonyServiceClient colony(SSLContext context) {
    return ColonyServiceClient.create(settings(context), system);
  }

  private static RegisterAgentRequest register() {
    return RegisterAgentRequest.newBuilder().setRequestId("1").build();
  }

  private static AgentMessage heartbeat(int sequence, int bytes) {
    return AgentMessage.newBuilder()
        .setHeartbeat(
            Heartbeat.newBuilder()
                .setSequence(sequence)
                .addProbes(Probe.newBuilder().setTarget("x".repeat(bytes))))
        .build();
  }

  private static RpcException refused(ConnectClient client, String rpc) {
    return assertThrows(
        RpcException.class,
        () ->
            client.call(
                rpc,
                GetCACertificateRequest.getDefaultInstance(),
                GetCACertificateResponse.parser()));
  }

  private interface Call {
    CompletionStage<?> start() throws Exception;
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private static Throwable failure(Call call) {
    return assertThrows(ExecutionException.class, () -> get(call.start())).getCause();
  }

  private static Status refusal(Call call) {
    return ((StatusRuntimeException) failure(call)).getStatus();
  }

  private static HttpResponse<byte[]> post(
      String type, Map<String, String> headers, String path, byte[] body) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("https://localhost:" + endpoint.port() + "/" + path))
            .timeout(TIMEOUT.multipliedBy(2))
            .header("content-type", type)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    headers.forEach(request::header);
    return HttpClient.newBuilder()
        .sslContext(pinned(null))
        .build()
        .send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
  }

  /** A client that would resume if the server let it: its trust manager is the JDK's own. */
  private static SSLContext resuming(ClientCertificate own) throws Exception {
    java.security.KeyStore anchors = java.security.KeyStore.getInstance("PKCS12");
    anchors.load(null, null);
    anchors.setCertificateEntry("root", authority.root());
    javax.net.ssl.TrustManagerFactory trust = javax.net.ssl.TrustManagerFactory.getInstance("PKIX");
    trust.init(anchors);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(
        new javax.net.ssl.KeyManager[] {new OwnKey(own.key(), own.chain())},
        trust.getTrustManagers(),
        null);
    return context;
  }

  private static byte[] rawCall(SSLContext context) throws Exception {
    try (SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", endpoint.port())) {
      socket.setSoTimeout(5000);
      socket
          .getOutputStream()
          .write(
              ("POST /"
                      + MESH
                      + "Register HTTP/1.1\r\n"
                      + "Host: localhost\r\n"
                      + "Content-Type: application/proto\r\n"
                      + "Content-Length: 0\r\n"
                      + "Connection: close\r\n\r\n")
                  .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
      byte[] answer = socket.getInputStream().readAllBytes();
      assertTrue(
          new String(answer, java.nio.charset.StandardCharsets.US_ASCII).startsWith("HTTP/1.1 200"),
          "answered");
      return answer;
    }
  }
}
