package coral.agent;

import com.google.protobuf.Timestamp;
import coral.agent.JoinFailure.Kind;
import coral.agent.observation.Observation;
import coral.agent.observation.ObservedConnection;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.MeshServiceClient;
import coral.api.mesh.v1.ObservedConnections;
import coral.api.mesh.v1.Probe;
import coral.api.mesh.v1.SessionClosed;
import coral.api.mesh.v1.TrustBundle;
import coral.api.mesh.v1.TrustBundleTaken;
import coral.api.mesh.v1.TunnelStatistics;
import coral.model.Addresses;
import coral.model.Endpoint;
import coral.model.WireGuardKey;
import coral.rpc.RpcChannel;
import coral.rpc.RpcException;
import coral.wireguard.PeerStatistics;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.GrpcClientSettings;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.Materializer;
import org.apache.pekko.stream.SystemMaterializer;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** A session over gRPC, with a connection of its own. */
final class GrpcSession implements SessionStream {
  private static final Logger LOG = LoggerFactory.getLogger(GrpcSession.class);

  /** Messages that wait for the network; more heartbeats would be stale. */
  private static final int WAITING_MESSAGES = 4;

  /** Whatever the colony says: an agent that does nothing but send heartbeats helps nobody. */
  private static final Duration LEAST_INTERVAL = Duration.ofMillis(100);

  private final Endpoint endpoint;
  private final Consumer<SessionMessage> listener;
  private final BoundedSourceQueue<AgentMessage> up;
  private final AtomicBoolean ended = new AtomicBoolean();
  private @Nullable MeshServiceClient client;
  private boolean closed;

  /** Of a bundle that makes no sense: once in a session. Messages come one at a time. */
  private boolean hasWarned;

  static GrpcSession open(
      Endpoint endpoint,
      SSLContext tls,
      ClassicActorSystemProvider system,
      Executor blocking,
      Consumer<SessionMessage> listener) {
    Materializer materializer = SystemMaterializer.get(system).materializer();
    var queue = Source.<AgentMessage>queue(WAITING_MESSAGES).preMaterialize(materializer);
    GrpcSession session = new GrpcSession(endpoint, queue.first(), listener);
    Source<AgentMessage, NotUsed> messages = queue.second();
    CompletionStage<Done> stream =
        CompletableFuture.supplyAsync(
                () -> session.connect(RpcChannel.grpcClient(endpoint, tls, system), system),
                blocking)
            .thenCompose(
                connected ->
                    connected
                        .map(c -> session.run(c, messages, materializer))
                        .orElseGet(() -> CompletableFuture.completedFuture(Done.getInstance())));
    stream.whenComplete(
        (done, failure) -> {
          session.end(failure == null ? endOfStream() : session.lost(failure));
          session.close();
        });
    return session;
  }

  private GrpcSession(
      Endpoint endpoint, BoundedSourceQueue<AgentMessage> up, Consumer<SessionMessage> listener) {
    this.endpoint = endpoint;
    this.up = up;
    this.listener = listener;
  }

  @Override
  public void send(Heartbeat heartbeat) {
    up.offer(AgentMessage.newBuilder().setHeartbeat(message(heartbeat)).build());
  }

  @Override
  public void report(Observation observation) {
    up.offer(AgentMessage.newBuilder().setObservedConnections(message(observation)).build());
  }

  /** One that is dropped is sent in the next session, when the colony offers the bundle again. */
  @Override
  public void acknowledgeBundle(long version) {
    up.offer(
        AgentMessage.newBuilder()
            .setTrustBundleTaken(TrustBundleTaken.newBuilder().setVersion(version))
            .build());
  }

  @Override
  public void close() {
    MeshServiceClient current;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      current = client;
    }
    ended.set(true); // who closes hears no more
    if (!up.isCompleted()) {
      up.complete();
    }
    if (current != null) {
      current.close();
    }
  }

  /** Making the client loads classes and resolves names: it blocks. */
  private Optional<MeshServiceClient> connect(
      GrpcClientSettings settings, ClassicActorSystemProvider system) {
    MeshServiceClient made = MeshServiceClient.create(settings, system);
    synchronized (this) {
      if (!closed) {
        client = made;
        return Optional.of(made);
      }
    }
    made.close();
    return Optional.empty();
  }

  private CompletionStage<Done> run(
      MeshServiceClient connected,
      Source<AgentMessage, NotUsed> messages,
      Materializer materializer) {
    return connected.session(messages).runForeach(this::received, materializer);
  }

  private void received(ColonyMessage message) {
    switch (message.getMessageCase()) {
      case SESSION_OPENED ->
          tell(
              new SessionMessage.Opened(
                  message.getSessionOpened().getGeneration(),
                  interval(message.getSessionOpened().getHeartbeatInterval())));
      case HEARTBEAT_RECEIVED ->
          tell(new SessionMessage.HeartbeatReceived(message.getHeartbeatReceived().getSequence()));
      case MESH_CHANGED ->
          tell(
              new SessionMessage.ColonyChanged(
                  WireGuardKey.parse(message.getMeshChanged().getColonyWireguardPubkey()),
                  message.getMeshChanged().getColonyEndpointsList().stream()
                      .map(Endpoint::parse)
                      .toList()));
      case TRUST_BUNDLE -> offer(message.getTrustBundle());
      case RENEW_CERTIFICATE -> tell(new SessionMessage.RenewalDemanded());
      case SESSION_CLOSED -> end(reason(message.getSessionClosed().getReason()));
      case MESSAGE_NOT_SET -> {
        // of a newer colony: nothing that this agent must know
      }
    }
  }

  /** What makes no sense is not taken, and the colony sees that: nothing acknowledges it. */
  private void offer(TrustBundle bundle) {
    try {
      tell(
          new SessionMessage.BundleOffered(
              BundleRecord.bundle(
                  bundle.getVersion(),
                  bundle.getCertificates().toByteArray(),
                  bundle.getCrossCertificates().toByteArray())));
    } catch (IllegalArgumentException e) {
      LOG.atLevel(hasWarned ? Level.DEBUG : Level.WARN)
          .log("The colony's trust bundle {} is no use: {}", bundle.getVersion(), e.getMessage());
      hasWarned = true;
    }
  }

  private void tell(SessionMessage message) {
    if (!ended.get()) {
      listener.accept(message);
    }
  }

  private void end(JoinFailure reason) {
    if (ended.compareAndSet(false, true)) {
      listener.accept(new SessionMessage.Ended(reason));
    }
  }

  private JoinFailure lost(Throwable thrown) {
    JoinFailure failure =
        RemoteFailure.ofColony(
                RpcException.of(thrown, endpoint.toString()), Kind.CERTIFICATE_REFUSED)
            .failure();
    return failure.kind() == Kind.COLONY_UNREACHABLE || failure.kind() == Kind.COLONY_NOT_READY
        ? new JoinFailure(Kind.SESSION_LOST, "session lost: " + failure.message())
        : failure;
  }

  private static JoinFailure endOfStream() {
    return new JoinFailure(Kind.SESSION_LOST, "the colony ended the session without a reason");
  }

  private static JoinFailure reason(SessionClosed.Reason reason) {
    return switch (reason) {
      case SUPERSEDED ->
          new JoinFailure(
              Kind.SUPERSEDED,
              "a newer session took over: another agent runs with the same id and certificate;"
                  + " stop one of the two");
      case DEREGISTERED ->
          new JoinFailure(
              Kind.DEREGISTERED,
              "this agent was deregistered and its addresses given back; start it again to join"
                  + " anew");
      case RESYNC ->
          new JoinFailure(
              Kind.SESSION_LOST, "the agent fell behind and is asked to register again");
      case COLONY_STOPPING -> new JoinFailure(Kind.SESSION_LOST, "the colony is stopping");
      case REVOKED ->
          new JoinFailure(
              Kind.REVOKED,
              "the colony has revoked or frozen this agent's identity; once somebody has let it"
                  + " come back (coral agent allow-rebind), start it again with an invitation or"
                  + " the colony secret");
      case CERTIFICATE_SUPERSEDED ->
          new JoinFailure(
              Kind.SESSION_LOST, "a newer certificate of this agent is in use; connecting with it");
      case REASON_UNSPECIFIED, UNRECOGNIZED -> endOfStream();
    };
  }

  private static coral.api.mesh.v1.Heartbeat message(Heartbeat heartbeat) {
    coral.api.mesh.v1.Heartbeat.Builder message =
        coral.api.mesh.v1.Heartbeat.newBuilder().setSequence(heartbeat.sequence());
    heartbeat.tunnel().ifPresent(tunnel -> message.setTunnel(statistics(tunnel)));
    heartbeat
        .probe()
        .ifPresent(
            probe -> {
              message.addProbes(probe(probe.target().ipv4Text(), probe.ipv4()));
              message.addProbes(probe(probe.target().ipv6Text(), probe.ipv6()));
            });
    return message.build();
  }

  private static TunnelStatistics statistics(PeerStatistics tunnel) {
    TunnelStatistics.Builder message =
        TunnelStatistics.newBuilder()
            .setReceivedBytes(tunnel.receivedBytes())
            .setSentBytes(tunnel.sentBytes());
    tunnel.lastHandshake().ifPresent(at -> message.setLastHandshake(timestamp(at)));
    return message.build();
  }

  private static Probe probe(String target, Optional<Duration> roundTrip) {
    Probe.Builder message = Probe.newBuilder().setTarget(target).setAnswered(roundTrip.isPresent());
    roundTrip.ifPresent(
        time ->
            message.setRoundTrip(
                com.google.protobuf.Duration.newBuilder()
                    .setSeconds(time.getSeconds())
                    .setNanos(time.getNano())));
    return message.build();
  }

  private static ObservedConnections message(Observation observation) {
    ObservedConnections.Builder message =
        ObservedConnections.newBuilder()
            .setEvidence(observation.evidence())
            .setTruncated(observation.truncated());
    for (ObservedConnection seen : observation.connections()) {
      message.addConnections(
          coral.api.mesh.v1.ObservedConnection.newBuilder()
              .setRemoteAddress(Addresses.text(seen.remote()))
              .setPort(seen.port())
              .setOutgoing(seen.outgoing())
              .setProtocol(seen.protocol())
              .setCount((int) seen.count())
              .setSentBytes(seen.sentBytes())
              .setReceivedBytes(seen.receivedBytes()));
    }
    return message.build();
  }

  private static Timestamp timestamp(Instant at) {
    return Timestamp.newBuilder().setSeconds(at.getEpochSecond()).setNanos(at.getNano()).build();
  }

  private static Duration interval(com.google.protobuf.Duration given) {
    Duration interval = Duration.ofSeconds(given.getSeconds(), given.getNanos());
    return interval.compareTo(LEAST_INTERVAL) < 0 ? LEAST_INTERVAL : interval;
  }
}
