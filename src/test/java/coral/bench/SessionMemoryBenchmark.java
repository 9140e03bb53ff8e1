package coral.bench;

import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.Heartbeat;
import coral.certificate.KeyType;
import coral.rpc.ClientCertificate;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What stays on the colony's heap after a full collection for each connected agent: its TLS
 * connection, its HTTP/2 connection, its stream, its session. Every agent has a connection of its
 * own, because its certificate says who it is. The agents are registered in both measurements.
 */
final class SessionMemoryBenchmark implements Benchmark {
  private static final int SESSIONS = 1_000;
  private static final int WARM_UP = 50;
  private static final int AT_ONCE = 25;
  private static final double AIM_KIBIBYTES = 64;

  @Override
  public List<Measurement> run(Path directory, Duration time) throws Exception {
    try (ColonyChild colony = ColonyChild.start(ColonyChild.create(directory));
        MeshChannels channels = new MeshChannels()) {
      Joining joining = new Joining(colony);
      List<ClientCertificate> agents =
          joining.bootstrap("agent", Joining.keys(KeyType.P_256, WARM_UP + SESSIONS));
      Joining.all(
          Joining.AT_ONCE,
          agents.stream().<Callable<Object>>map(agent -> () -> joining.register(agent)).toList());
      // What the first sessions cost is not theirs: classes, pools, shards.
      open(agents.subList(0, WARM_UP), joining, colony, channels);
      long before = colony.liveHeapBytes();
      open(agents.subList(WARM_UP, agents.size()), joining, colony, channels);
      long after = colony.liveHeapBytes();
      return List.of(
          Measurement.of(
                  "heap per connected session, 1,000 sessions",
                  (after - before) / 1024.0 / SESSIONS,
                  "KiB")
              .atMost(AIM_KIBIBYTES),
          Measurement.of("  live heap of the colony with them", after / 1024.0 / 1024.0, "MiB"));
    }
  }

  /** Some at a time: a colony gives a connection so many seconds to become one. */
  private static void open(
      List<ClientCertificate> agents, Joining joining, ColonyChild colony, MeshChannels channels)
      throws Exception {
    for (int from = 0; from < agents.size(); from += AT_ONCE) {
      openTogether(
          agents.subList(from, Math.min(agents.size(), from + AT_ONCE)), joining, colony, channels);
    }
  }

  /** Opens sessions and waits until the colony has answered a heartbeat of each. */
  private static void openTogether(
      List<ClientCertificate> agents, Joining joining, ColonyChild colony, MeshChannels channels)
      throws Exception {
    List<CompletableFuture<Void>> heard = new ArrayList<>();
    for (ClientCertificate agent : agents) {
      ManagedChannel channel = channels.open(colony.endpoint(), joining.tls(Optional.of(agent)));
      CompletableFuture<Void> answered = new CompletableFuture<>();
      StreamObserver<AgentMessage> up =
          ClientCalls.asyncBidiStreamingCall(
              channel.newCall(MeshChannels.SESSION, CallOptions.DEFAULT), new Notices(answered));
      up.onNext(
          AgentMessage.newBuilder().setHeartbeat(Heartbeat.newBuilder().setSequence(1)).build());
      heard.add(answered);
    }
    CompletableFuture.allOf(heard.toArray(CompletableFuture[]::new)).get(3, TimeUnit.MINUTES);
  }

  private record Notices(CompletableFuture<Void> answered)
      implements StreamObserver<ColonyMessage> {
    @Override
    public void onNext(ColonyMessage message) {
      if (message.hasHeartbeatReceived()) {
        answered.complete(null);
      } else if (message.hasSessionClosed()) {
        answered.completeExceptionally(new IllegalStateException(message.toString()));
      }
    }

    @Override
    public void onError(Throwable failure) {
      answered.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
      answered.completeExceptionally(new IllegalStateException("the session ended"));
    }
  }
}
