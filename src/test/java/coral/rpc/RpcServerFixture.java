package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertThrows;

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
import coral.api.colony.v1.PingAgentRequest;
import coral.api.colony.v1.PingAgentResponse;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.colony.v1.ReserveAddressRequest;
import coral.api.colony.v1.ReserveAddressResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.colony.v1.WatchAgentsRequest;
import coral.api.colony.v1.WatchAgentsResponse;
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
import coral.model.RefusedException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.grpc.GrpcClientSettings;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A real server on a loopback port; every client is a real one. */
abstract class RpcServerFixture {
  static final String COLONY = "shop-prod-a3f2e1";
  static final String COLONY_URI = "spiffe://" + COLONY + "/colony";
  static final String MESH = "coral.mesh.v1.MeshService/";
  static final String ADMIN = "coral.colony.v1.ColonyService/";
  static final Duration TIMEOUT = Duration.ofSeconds(5);

  /** What WatchAgents answers with: together more than what any socket holds. */
  static final int LARGE = 64 << 10;

  static final int LARGE_MESSAGES = 1000;

  /** Each WatchAgents that has ended: whether its end was reached, or its caller gone. */
  static final BlockingQueue<Boolean> WATCHES = new LinkedBlockingQueue<>();

  /** What GetTopology never answers. */
  static final BlockingQueue<CompletableFuture<?>> UNANSWERED = new LinkedBlockingQueue<>();

  /** Streams of PingAgent that have ended though they had more to say. */
  static final BlockingQueue<String> ENDED = new LinkedBlockingQueue<>();

  static ActorSystem system;
  static TestAuthority authority;
  static ServerTls tls;
  static Endpoint endpoint;
  static final Set<X509Certificate> REVOKED = ConcurrentHashMap.newKeySet();
  static final AtomicInteger HANDSHAKE_CHECKS = new AtomicInteger();

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

  static Endpoint serve(Optional<ServerTls> tls) throws Exception {
    return serve(system, tls, Duration.ofSeconds(1));
  }

  static Endpoint serve(ActorSystem system, Optional<ServerTls> tls, Duration streamIdle)
      throws Exception {
    RpcServer server =
        RpcServer.builder(
                system,
                CallerIdentity.ofColony(
                    new ColonyId(COLONY), c -> !REVOKED.contains(c), InstantSource.system()),
                RpcAuthorization.of(
                    Map.of(
                        RpcServer.REFLECTION,
                        Set.of(Role.values()),
                        MESH + "Register",
                        Set.of(Role.AGENT),
                        MESH + "Session",
                        Set.of(Role.AGENT, Role.ANYONE),
                        ADMIN + "PingAgent",
                        Set.of(Role.values()),
                        ADMIN + "WatchAgents",
                        Set.of(Role.ADMINISTRATOR),
                        ADMIN + "GetTopology",
                        Set.of(Role.values()),
                        ADMIN + "GetStatus",
                        Set.of(Role.ADMINISTRATOR),
                        ADMIN + "RequestCertificate",
                        Set.of(Role.values()),
                        ADMIN + "GetCACertificate",
                        Set.of(Role.values()))))
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
            .reflection()
            .limit(ADMIN + "RequestCertificate", 32 << 10)
            .streamIdle(streamIdle)
            .build();
    InetSocketAddress bound =
        server
            .bind("127.0.0.1", 0, tls)
            .toCompletableFuture()
            .get(10, TimeUnit.SECONDS)
            .localAddress();
    return new Endpoint("127.0.0.1", bound.getPort());
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
    public CompletionStage<RevokeCertificateResponse> revokeCertificate(
        RevokeCertificateRequest request) {
      throw new UnsupportedOperationException();
    }

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
    public Source<WatchAgentsResponse, NotUsed> watchAgents(WatchAgentsRequest request) {
      WatchAgentsResponse large =
          WatchAgentsResponse.newBuilder().addRemovedAgentIds("x".repeat(LARGE)).build();
      AtomicInteger made = new AtomicInteger();
      return Source.range(1, LARGE_MESSAGES)
          .map(
              i -> {
                made.set(i);
                return large;
              })
          .watchTermination(
              (unused, end) -> {
                end.whenComplete((done, failure) -> WATCHES.add(made.get() == LARGE_MESSAGES));
                return NotUsed.getInstance();
              });
    }

    @Override
    public Source<PingAgentResponse, NotUsed> pingAgent(PingAgentRequest request) {
      Source<PingAgentResponse, NotUsed> answers =
          Source.range(1, request.getCount())
              .map(i -> PingAgentResponse.newBuilder().setSequence(i).build());
      return switch (request.getAgentId()) {
        case "taken" ->
            answers.concatLazy(
                Source.lazySource(
                    () ->
                        Source.failed(new RefusedException(Failure.AGENT_ID_TAKEN, "taken: ä%"))));
        case "silent" ->
            answers
                .concatLazy(Source.never())
                .watchTermination(
                    (unused, end) -> {
                      end.whenComplete((done, failure) -> ENDED.add("silent"));
                      return NotUsed.getInstance();
                    });
        default -> answers;
      };
    }

    @Override
    public CompletionStage<ReserveAddressResponse> reserveAddress(ReserveAddressRequest request) {
      throw new AssertionError("never reached");
    }

    @Override
    public CompletionStage<GetTopologyResponse> getTopology(GetTopologyRequest in) {
      CompletableFuture<GetTopologyResponse> never = new CompletableFuture<>();
      UNANSWERED.add(never);
      return never;
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

  static String who(Caller caller) {
    return caller.role() + caller.name().map(n -> " " + n).orElse("");
  }

  // --- clients

  static SSLContext pinned(@Nullable ClientCertificate own) throws Exception {
    return ClientTls.pinned(authority.fingerprint(), COLONY_URI, Optional.ofNullable(own));
  }

  static ConnectClient connect(SSLContext context) {
    return ConnectClient.https(endpoint, context, TIMEOUT, TIMEOUT);
  }

  static GrpcClientSettings settings(SSLContext context) {
    return RpcChannel.grpcClient(endpoint, context, system).withDeadline(TIMEOUT.multipliedBy(2));
  }

  static MeshServiceClient mesh(SSLContext context) {
    return MeshServiceClient.create(settings(context), system);
  }

  static ColonyServiceClient colony(SSLContext context) {
    return ColonyServiceClient.create(settings(context), system);
  }

  static RegisterAgentRequest register() {
    return RegisterAgentRequest.newBuilder().setRequestId("1").build();
  }

  static AgentMessage heartbeat(int sequence, int bytes) {
    return AgentMessage.newBuilder()
        .setHeartbeat(
            Heartbeat.newBuilder()
                .setSequence(sequence)
                .addProbes(Probe.newBuilder().setTarget("x".repeat(bytes))))
        .build();
  }

  static RpcException refused(ConnectClient client, String rpc) {
    return assertThrows(
        RpcException.class,
        () ->
            client.call(
                rpc,
                GetCACertificateRequest.getDefaultInstance(),
                GetCACertificateResponse.parser()));
  }

  interface Call {
    CompletionStage<?> start() throws Exception;
  }

  static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  static Throwable failure(Call call) {
    return Objects.requireNonNull(
        assertThrows(ExecutionException.class, () -> get(call.start())).getCause());
  }

  static Status refusal(Call call) {
    return ((StatusRuntimeException) failure(call)).getStatus();
  }

  static HttpResponse<byte[]> post(
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

  static HttpResponse<byte[]> get(String path) throws Exception {
    return HttpClient.newBuilder()
        .sslContext(pinned(null))
        .build()
        .send(
            HttpRequest.newBuilder(URI.create("https://localhost:" + endpoint.port() + "/" + path))
                .timeout(TIMEOUT)
                .build(),
            HttpResponse.BodyHandlers.ofByteArray());
  }
}
