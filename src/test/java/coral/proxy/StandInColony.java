package coral.proxy;

import com.google.protobuf.ByteString;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.ColonyService;
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
import coral.api.mesh.v1.HeartbeatReceived;
import coral.api.mesh.v1.MeshService;
import coral.api.mesh.v1.MeshServiceHandlerFactory;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.Caller;
import coral.rpc.CallerIdentity;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import coral.rpc.TestAuthority;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import javax.net.ssl.SSLContext;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.OverflowStrategy;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.stream.javadsl.SourceQueueWithComplete;

/**
 * The port of a colony as the real server serves it, over real TLS and to real certificates, with
 * services that do what a test needs: answer when they are told, stream as much as is asked for.
 */
final class StandInColony implements AutoCloseable {
  static final String ID = "shop-prod-a3f2e1";
  static final String MESH = "coral.mesh.v1.MeshService/";
  static final String COLONY = "coral.colony.v1.ColonyService/";
  static final int AGENT_BYTES = 64 << 10;

  final TestAuthority authority;
  final ActorSystem system;

  /** Calls of ListAllocations that wait for {@link #release}. */
  final AtomicInteger waiting = new AtomicInteger();

  /** Streams of GetTopology's watchers that are open: WatchAgents. */
  final AtomicInteger watching = new AtomicInteger();

  final CompletableFuture<Void> release = new CompletableFuture<>();

  /** Messages of 64 KiB that PingAgent has said. */
  final AtomicInteger said = new AtomicInteger();

  /** Messages of Session are heard when this is complete. */
  volatile CompletableFuture<Void> listens = CompletableFuture.completedFuture(null);

  /** Pushes to the last who watches. */
  volatile CompletableFuture<SourceQueueWithComplete<WatchAgentsResponse>> watcher =
      new CompletableFuture<>();

  /** Which certificates calls may be made with; handshakes all may. */
  volatile Predicate<X509Certificate> accepts = certificate -> true;

  /** Parts of the subjects of certificates that callers may no longer show to a proxy. */
  final Set<String> revoked = ConcurrentHashMap.newKeySet();

  private final Endpoint endpoint;

  StandInColony() throws Exception {
    this(new TestAuthority("Coral Colony CA"), 0);
  }

  StandInColony(TestAuthority authority, int port) throws Exception {
    this.authority = authority;
    system =
        ActorSystem.create(
            "stand-in-colony", ConfigFactory.load("pekko").withFallback(ConfigFactory.load()));
    ClientCertificate own = authority.server(ID);
    Map<String, Set<Role>> table = new HashMap<>();
    Set<Role> readers = Set.of(Role.PROXY, Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR);
    for (String rpc : new String[] {"GetStatus", "ListAgents", "WatchAgents", "ListAllocations"}) {
      table.put(COLONY + rpc, readers);
    }
    table.put(COLONY + "PingAgent", readers);
    table.put(COLONY + "ReserveAddress", Set.of(Role.OPERATOR, Role.ADMINISTRATOR));
    table.put(COLONY + "GetCACertificate", Set.of(Role.values()));
    table.put(COLONY + "RequestCertificate", Set.of(Role.values()));
    // On a colony for members alone; here as a stream of both directions that a proxy may open.
    table.put(MESH + "Session", readers);
    table.put(MESH + "Register", Set.of(Role.AGENT, Role.PROXY));
    endpoint =
        new Endpoint(
            "127.0.0.1",
            RpcServer.builder(
                    system,
                    CallerIdentity.ofColony(
                        new ColonyId(ID),
                        certificate -> accepts.test(certificate),
                        relayed ->
                            revoked.stream()
                                .noneMatch(relayed.getSubjectX500Principal().getName()::contains),
                        InstantSource.system()),
                    RpcAuthorization.of(table))
                .service(
                    ColonyService.class,
                    ColonyService.description,
                    Colony::new,
                    ColonyServiceHandlerFactory::create)
                .service(
                    MeshService.class,
                    MeshService.description,
                    caller -> new Mesh(this),
                    MeshServiceHandlerFactory::create)
                .build()
                .bind(
                    "127.0.0.1",
                    port,
                    Optional.of(
                        ServerTls.of(
                            own.key(),
                            own.chain(),
                            Optional.of(authority.root()),
                            certificate -> true)))
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS)
                .localAddress()
                .getPort());
  }

  Endpoint endpoint() {
    return endpoint;
  }

  /** What a proxy of this role shows. */
  SSLContext tls(Role role, String name) throws Exception {
    return ClientTls.pinned(
        authority.fingerprint(),
        "spiffe://" + ID + "/colony",
        Optional.of(certificate(role, name)));
  }

  ClientCertificate certificate(Role role, String name) throws Exception {
    return authority.issue(
        "CN=" + name + ",O=" + ID,
        "spiffe://" + ID + "/" + role.wireName() + "/" + name,
        org.bouncycastle.asn1.x509.KeyPurposeId.id_kp_clientAuth);
  }

  Upstream upstream(Endpoint at) throws Exception {
    return new Upstream(
        java.util.List.of(at), tls(Role.PROXY, "proxy-ada-laptop"), Role.PROXY, Way.PUBLIC);
  }

  @Override
  public void close() throws Exception {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private static <T> CompletionStage<T> answer(T message) {
    return CompletableFuture.completedFuture(message);
  }

  private final class Colony implements ColonyService {
    private final Caller caller;

    Colony(Caller caller) {
      this.caller = caller;
    }

    /** Says who called. */
    @Override
    public CompletionStage<GetStatusResponse> getStatus(GetStatusRequest request) {
      return answer(
          GetStatusResponse.newBuilder().setColonyId(ID).setStatus(caller.actor()).build());
    }

    @Override
    public CompletionStage<ListAgentsResponse> listAgents(ListAgentsRequest request) {
      return answer(
          ListAgentsResponse.newBuilder()
              .addAgents(Agent.newBuilder().setAgentId("x".repeat(AGENT_BYTES)))
              .build());
    }

    /** Answers when it is told. */
    @Override
    public CompletionStage<ListAllocationsResponse> listAllocations(
        ListAllocationsRequest request) {
      waiting.incrementAndGet();
      return release.thenApply(now -> ListAllocationsResponse.getDefaultInstance());
    }

    /** Says what the test says. */
    @Override
    public Source<WatchAgentsResponse, NotUsed> watchAgents(WatchAgentsRequest request) {
      return Source.<WatchAgentsResponse>queue(16, OverflowStrategy.fail())
          .mapMaterializedValue(
              queue -> {
                watching.incrementAndGet();
                watcher.complete(queue);
                return NotUsed.getInstance();
              })
          .watchTermination(
              (none, done) -> {
                done.whenComplete((value, failure) -> watching.decrementAndGet());
                return NotUsed.getInstance();
              });
    }

    /** As many messages of 64 KiB as are asked for. */
    @Override
    public Source<PingAgentResponse, NotUsed> pingAgent(PingAgentRequest request) {
      PingAgentResponse answer =
          PingAgentResponse.newBuilder().setTarget("y".repeat(AGENT_BYTES)).build();
      return Source.range(1, request.getCount())
          .map(
              i -> {
                said.incrementAndGet();
                return answer;
              });
    }

    /** Refuses, with trailers and details. */
    @Override
    public CompletionStage<RequestCertificateResponse> requestCertificate(
        RequestCertificateRequest request) {
      return CompletableFuture.failedFuture(
          new RefusedException(Failure.AGENT_ID_TAKEN, "taken: ä%"));
    }

    @Override
    public CompletionStage<ReserveAddressResponse> reserveAddress(ReserveAddressRequest request) {
      return answer(ReserveAddressResponse.getDefaultInstance());
    }

    @Override
    public CompletionStage<GetCACertificateResponse> getCACertificate(
        GetCACertificateRequest request) {
      return answer(
          GetCACertificateResponse.newBuilder()
              .setCaCertificate(ByteString.copyFromUtf8(caller.actor()))
              .build());
    }

    @Override
    public CompletionStage<RevokeCertificateResponse> revokeCertificate(
        RevokeCertificateRequest request) {
      throw new AssertionError("never reached");
    }

    @Override
    public CompletionStage<GetTopologyResponse> getTopology(GetTopologyRequest request) {
      throw new AssertionError("never reached");
    }
  }

  private record Mesh(StandInColony colony) implements MeshService {
    @Override
    public CompletionStage<RegisterAgentResponse> register(RegisterAgentRequest request) {
      return answer(RegisterAgentResponse.getDefaultInstance());
    }

    /** Answers each message with its number. */
    @Override
    public Source<ColonyMessage, NotUsed> session(Source<AgentMessage, NotUsed> in) {
      return in.mapAsync(1, message -> colony.listens.thenApply(now -> message))
          .map(
              message ->
                  ColonyMessage.newBuilder()
                      .setHeartbeatReceived(
                          HeartbeatReceived.newBuilder()
                              .setSequence(message.getHeartbeat().getSequence()))
                      .build());
    }

    @Override
    public CompletionStage<DeregisterAgentResponse> deregister(DeregisterAgentRequest request) {
      throw new AssertionError("never reached");
    }
  }
}
