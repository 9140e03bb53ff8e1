package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.MeshServiceClient;
import coral.rpc.ClientCertificate;
import coral.rpc.RpcChannel;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.stream.javadsl.Source;

/** The agent's end of a session, on a connection of its own. */
record AgentStream(
    MeshServiceClient service,
    BoundedSourceQueue<AgentMessage> up,
    SinkQueueWithCancel<ColonyMessage> down) {
  static AgentStream open(
      TestColony colony, Optional<ClientCertificate> as, ActorSystem<?> client) {
    MeshServiceClient service =
        MeshServiceClient.create(
            RpcChannel.grpcClient(colony.endpoint(), colony.tls(as), client), client);
    Pair<BoundedSourceQueue<AgentMessage>, Source<AgentMessage, NotUsed>> up =
        Source.<AgentMessage>queue(64).preMaterialize(client);
    SinkQueueWithCancel<ColonyMessage> down =
        service.session(up.second()).toMat(Sink.queue(), Keep.right()).run(client);
    return new AgentStream(service, up.first(), down);
  }

  ColonyMessage next() throws Exception {
    return end().orElseThrow(() -> new AssertionError("the stream has ended"));
  }

  /** The next message; empty at the end. */
  Optional<ColonyMessage> end() throws Exception {
    return down.pull().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  /** Reads what every session begins with, and returns its generation. */
  long opened() throws Exception {
    ColonyMessage first = next();
    assertTrue(first.hasSessionOpened(), first.toString());
    assertTrue(next().hasMeshChanged());
    assertTrue(next().hasTrustBundle());
    return first.getSessionOpened().getGeneration();
  }

  void heartbeat(Heartbeat.Builder heartbeat) throws Exception {
    up.offer(AgentMessage.newBuilder().setHeartbeat(heartbeat).build());
    assertEquals(heartbeat.getSequence(), next().getHeartbeatReceived().getSequence());
  }
}
