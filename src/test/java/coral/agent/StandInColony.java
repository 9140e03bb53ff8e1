package coral.agent;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.typesafe.config.ConfigFactory;
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
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.HeartbeatReceived;
import coral.api.mesh.v1.MeshService;
import coral.api.mesh.v1.MeshServiceHandlerFactory;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.api.mesh.v1.SessionOpened;
import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.CertificateRequests;
import coral.certificate.KeyType;
import coral.certificate.VerifiedRequest;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import coral.rpc.Caller;
import coral.rpc.CallerIdentity;
import coral.rpc.FailureStatus;
import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import coral.wireguard.DeviceSettings;
import coral.wireguard.KeyPair;
import coral.wireguard.Peer;
import coral.wireguard.embedded.EmbeddedDevice;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.http.javadsl.ServerBinding;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * As much of a colony as an agent sees: real TLS, real certificates, a real tunnel that ends in
 * this process; no database, one address.
 */
final class StandInColony implements AutoCloseable {
  static final String SECRET = "the secret";
  static final String INVITATION = "coral-inv_of-one-agent";
  private static final InstantSource CLOCK = InstantSource.system();
  private static final MeshSubnet SUBNET = FakeColony.SUBNET;

  /** Made once: RSA-4096 takes its time. */
  static final Authority AUTHORITY = Authority.create(FakeColony.COLONY, CLOCK);

  final LinkedBlockingQueue<Heartbeat> heartbeats = new LinkedBlockingQueue<>();

  /** Versions of the trust bundle that agents have acknowledged. */
  final LinkedBlockingQueue<Long> bundlesTaken = new LinkedBlockingQueue<>();

  /** What was asked of the colony as an authority. */
  final List<RequestCertificateRequest> requests = new CopyOnWriteArrayList<>();

  /** Sends down the session that was opened last. */
  private volatile @Nullable BoundedSourceQueue<ColonyMessage> down;

  private final ActorSystem<Void> system;
  private final EmbeddedDevice hub;
  private final Endpoint endpoint;

  StandInColony() throws Exception {
    system = ActorSystem.create(Behaviors.empty(), "stand-in-colony", ConfigFactory.load());
    hub =
        EmbeddedDevice.inUserSpace(
            new DeviceSettings("hub0", KeyPair.generate(), 0, 1420, true), CLOCK);
    hub.assign(SUBNET.colony(), SUBNET);
    java.security.KeyPair keys = KeyType.P_256.generate();
    var certificate =
        AUTHORITY.issue(
            CertificateProfile.server(FakeColony.COLONY),
            keys.getPublic(),
            CLOCK.instant(),
            java.time.Duration.ofDays(1));
    ServerTls tls =
        ServerTls.of(
            keys.getPrivate(),
            AUTHORITY.presented(certificate),
            Optional.of(AUTHORITY.certificate()),
            accepted -> true);
    RpcServer server =
        RpcServer.builder(
                system,
                CallerIdentity.ofColony(FakeColony.COLONY, accepted -> true, CLOCK),
                RpcAuthorization.of(
                    Map.of(
                        "coral.colony.v1.ColonyService/GetCACertificate", Set.of(Role.values()),
                        "coral.colony.v1.ColonyService/RequestCertificate", Set.of(Role.values()),
                        "coral.mesh.v1.MeshService/Register", Set.of(Role.AGENT),
                        "coral.mesh.v1.MeshService/Session", Set.of(Role.AGENT))))
            .service(
                ColonyService.class,
                ColonyService.description,
                Bootstrap::new,
                ColonyServiceHandlerFactory::create)
            .service(
                MeshService.class,
                MeshService.description,
                Mesh::new,
                MeshServiceHandlerFactory::create)
            .build();
    ServerBinding binding =
        server.bind("127.0.0.1", 0, Optional.of(tls)).toCompletableFuture().get();
    endpoint = new Endpoint("127.0.0.1", binding.localAddress().getPort());
  }

  /** Tells something to the agent whose session was opened last. */
  void send(ColonyMessage message) {
    Objects.requireNonNull(down, "no session yet").offer(message);
  }

  Endpoint endpoint() {
    return endpoint;
  }

  @Override
  public void close() {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().join();
    hub.close();
  }

  private static <T> CompletionStage<T> notHere() {
    return CompletableFuture.failedFuture(
        FailureStatus.exception(new RefusedException(Failure.NOT_FOUND, "not in a stand-in")));
  }

  private final class Bootstrap implements ColonyService {
    private final Caller caller;

    Bootstrap(Caller caller) {
      this.caller = caller;
    }

    @Override
    public CompletionStage<RevokeCertificateResponse> revokeCertificate(
        RevokeCertificateRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<RequestCertificateResponse> requestCertificate(
        RequestCertificateRequest request) {
      requests.add(request);
      AgentId agentId = new AgentId(request.getAgentId());
      VerifiedRequest verified =
          CertificateRequests.verify(request.getCsr().toByteArray(), agentId);
      boolean isPaid =
          caller.name().equals(Optional.of(agentId.value()))
              || request.getColonySecret().equals(SECRET)
              || request.getInvitation().equals(INVITATION)
              || request.getRegistrationToken().equals(StandInDiscovery.token(verified.keyHash()));
      if (!isPaid) {
        return CompletableFuture.failedFuture(
            FailureStatus.exception(new RefusedException(Failure.UNAUTHENTICATED, "not paid for")));
      }
      var certificate =
          AUTHORITY.issue(
              CertificateProfile.agent(FakeColony.COLONY, agentId),
              verified.publicKey(),
              CLOCK.instant(),
              java.time.Duration.ofDays(90));
      return CompletableFuture.completedFuture(
          RequestCertificateResponse.newBuilder()
              .setCertificate(ByteString.copyFromUtf8(Pem.encode(AUTHORITY.chain(certificate))))
              .setCaCertificate(ByteString.copyFromUtf8(AUTHORITY.trustBundle().pem()))
              .setTrustBundleVersion(AUTHORITY.trustBundle().version())
              .build());
    }

    @Override
    public CompletionStage<GetCACertificateResponse> getCACertificate(
        GetCACertificateRequest request) {
      return CompletableFuture.completedFuture(GetCACertificateResponse.getDefaultInstance());
    }

    @Override
    public CompletionStage<GetStatusResponse> getStatus(GetStatusRequest request) {
      return notHere();
    }

    @Override
    public CompletionStage<ListAgentsResponse> listAgents(ListAgentsRequest request) {
      return notHere();
    }

    @Override
    public Source<WatchAgentsResponse, NotUsed> watchAgents(WatchAgentsRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Source<PingAgentResponse, NotUsed> pingAgent(PingAgentRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<ReserveAddressResponse> reserveAddress(ReserveAddressRequest request) {
      throw new UnsupportedOperationException();
    }

    @Override
    public CompletionStage<GetTopologyResponse> getTopology(GetTopologyRequest request) {
      return notHere();
    }

    @Override
    public CompletionStage<ListAllocationsResponse> listAllocations(
        ListAllocationsRequest request) {
      return notHere();
    }
  }

  private final class Mesh implements MeshService {
    private final Caller caller;

    Mesh(Caller caller) {
      this.caller = caller;
    }

    @Override
    public CompletionStage<RegisterAgentResponse> register(RegisterAgentRequest request) {
      if (!caller.name().equals(Optional.of(request.getAgentId()))) {
        return notHere();
      }
      MeshAddresses own = SUBNET.addresses(MeshSubnet.FIRST_AGENT_HOST_NUMBER);
      hub.put(
          new Peer(
              WireGuardKey.parse(request.getWireguardPubkey()),
              Optional.empty(),
              Set.of(IpPrefix.host(own.ipv4()), IpPrefix.host(own.ipv6())),
              Optional.empty()));
      return CompletableFuture.completedFuture(
          RegisterAgentResponse.newBuilder()
              .setAccepted(true)
              .setAssignedIp(own.ipv4Text())
              .setAssignedIpv6(own.ipv6Text())
              .setMeshSubnetIpv4(SUBNET.ipv4().toString())
              .setMeshSubnetIpv6(SUBNET.ipv6().toString())
              .setColonyWireguardPubkey(hub.publicKey().toString())
              .addColonyEndpoints("0.0.0.0:" + hub.listenPort())
              .setColonyMeshIpv4(SUBNET.colony().ipv4Text())
              .setColonyMeshIpv6(SUBNET.colony().ipv6Text())
              .setHeartbeatInterval(Duration.newBuilder().setSeconds(1))
              .setMtu(1420)
              .setRequestId(request.getRequestId())
              .build());
    }

    @Override
    public Source<ColonyMessage, NotUsed> session(Source<AgentMessage, NotUsed> agent) {
      ColonyMessage opened =
          ColonyMessage.newBuilder()
              .setSessionOpened(
                  SessionOpened.newBuilder()
                      .setGeneration(1)
                      .setHeartbeatInterval(Duration.newBuilder().setSeconds(1)))
              .build();
      var queue = Source.<ColonyMessage>queue(8).preMaterialize(system);
      down = queue.first();
      return Source.single(opened)
          .concat(agent.mapConcat(this::answers).merge(queue.second(), true));
    }

    private List<ColonyMessage> answers(AgentMessage message) {
      if (message.hasTrustBundleTaken()) {
        bundlesTaken.add(message.getTrustBundleTaken().getVersion());
        return List.of();
      }
      heartbeats.add(message.getHeartbeat());
      return List.of(
          ColonyMessage.newBuilder()
              .setHeartbeatReceived(
                  HeartbeatReceived.newBuilder().setSequence(message.getHeartbeat().getSequence()))
              .build());
    }

    @Override
    public CompletionStage<DeregisterAgentResponse> deregister(DeregisterAgentRequest request) {
      return notHere();
    }
  }
}
