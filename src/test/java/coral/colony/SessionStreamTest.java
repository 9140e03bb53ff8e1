package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.ListAgentsRequest;
import coral.api.colony.v1.ListAgentsResponse;
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.Probe;
import coral.api.mesh.v1.SessionClosed.Reason;
import coral.api.mesh.v1.TunnelStatistics;
import coral.colony.TestColony.Member;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.ClientCertificate;
import coral.rpc.FailureStatus;
import coral.rpc.RpcException;
import coral.session.CloseReason;
import coral.session.Notice;
import coral.wireguard.KeyPair;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sessions over real gRPC streams. */
@Timeout(120)
class SessionStreamTest {
  private static final ActorSystem<Void> client =
      ActorSystem.create(Behaviors.empty(), "client", ConfigFactory.load());

  @TempDir Path directory;

  @AfterAll
  static void stop() {
    client.terminate();
  }

  private static AgentStream open(TestColony colony, Optional<ClientCertificate> as) {
    return AgentStream.open(colony, as, client);
  }

  private static Agent only(TestColony colony) throws Exception {
    return colony
        .call(
            Optional.of(colony.administrator()),
            TestColony.COLONY + "ListAgents",
            ListAgentsRequest.getDefaultInstance(),
            ListAgentsResponse.parser())
        .getAgents(0);
  }

  @Test
  void aSessionLivesIsSupersededAndEndsWithItsAgentsMembership() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      assertEquals(
          Failure.FAILED_PRECONDITION,
          refusal(open(colony, Optional.of(web.certificate()))),
          "an agent registers first");
      assertEquals(Failure.UNAUTHENTICATED, refusal(open(colony, Optional.empty())));
      assertEquals(
          Failure.PERMISSION_DENIED, refusal(open(colony, Optional.of(colony.administrator()))));
      colony.register(web, KeyPair.generate().publicKey(), "r");
      assertFalse(only(colony).getConnected());

      AgentStream first = open(colony, Optional.of(web.certificate()));
      long generation = first.opened();
      first.heartbeat(
          Heartbeat.newBuilder()
              .setSequence(1)
              .setTunnel(TunnelStatistics.newBuilder().setReceivedBytes(7).setSentBytes(8))
              .addProbes(
                  Probe.newBuilder()
                      .setTarget("10.42.0.1")
                      .setAnswered(true)
                      .setRoundTrip(com.google.protobuf.Duration.newBuilder().setNanos(300_000)))
              .addProbes(Probe.newBuilder().setTarget("fd42::1")));
      Agent agent = only(colony);
      assertTrue(agent.getConnected());
      assertEquals("healthy", agent.getStatus());
      assertEquals(7, agent.getReceivedBytes());
      assertEquals(Duration.ofNanos(300_000), Protobuf.duration(agent.getRoundTripIpv4()));
      assertFalse(agent.hasRoundTripIpv6(), "that probe was not answered");
      assertEquals(Protobuf.serial(web.certificate().chain().get(0)), agent.getCertificateSerial());

      AgentStream second = open(colony, Optional.of(web.certificate()));
      assertTrue(second.opened() > generation);
      assertEquals(Reason.SUPERSEDED, first.next().getSessionClosed().getReason());
      assertEquals(Optional.empty(), first.end());
      second.heartbeat(Heartbeat.newBuilder().setSequence(1));
      assertTrue(only(colony).getConnected(), "the end of the older session changed nothing");

      colony.deregister(web.certificate(), "");
      assertEquals(Reason.DEREGISTERED, second.next().getSessionClosed().getReason());
      assertEquals(Optional.empty(), second.end());
      assertEquals(
          Failure.FAILED_PRECONDITION, refusal(open(colony, Optional.of(web.certificate()))));
    }
  }

  @Test
  void aSecondHolderOfACertificateCannotReplaceTheKeyOfAnAgentThatIsAlive() throws Exception {
    try (TestColony colony = TestColony.start(directory);
        AuditLog audit = new AuditLog()) {
      Member web = colony.bootstrap("web-1");
      WireGuardKey key = KeyPair.generate().publicKey();
      WireGuardKey other = KeyPair.generate().publicKey();
      String address = colony.register(web, key, "r1").getAssignedIp();
      AgentStream stream = open(colony, Optional.of(web.certificate()));
      stream.opened();
      stream.heartbeat(Heartbeat.newBuilder().setSequence(1));

      RpcException refused =
          assertThrows(RpcException.class, () -> colony.register(web, other, "r2"));
      assertEquals(Failure.FAILED_PRECONDITION, refused.failure());
      assertTrue(audit.contains("ALARM agent=web-1"), audit.toString());
      assertEquals(address, colony.register(web, key, "r3").getAssignedIp(), "the key it has");

      AgentStream second = open(colony, Optional.of(web.certificate()));
      second.opened();
      assertEquals(Reason.SUPERSEDED, stream.next().getSessionClosed().getReason());
      assertTrue(audit.contains("session superseded agent=web-1"), audit.toString());

      second.up().complete();
      // The directory hears of it after the stream has ended.
      TestProbe.create(client)
          .awaitAssert(
              Duration.ofSeconds(10),
              () -> {
                assertFalse(only(colony).getConnected());
                return Done.getInstance();
              });
      assertEquals(address, colony.register(web, other, "r4").getAssignedIp());
      assertTrue(audit.contains("WireGuard key replaced agent=web-1"), audit.toString());
    }
  }

  @Test
  void aColonyThatStopsSaysSoAndRemembersWhenItsAgentsWereLastSeen() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      Member web = colony.bootstrap("web-1");
      colony.register(web, KeyPair.generate().publicKey(), "r");
      AgentStream stream = open(colony, Optional.of(web.certificate()));
      long generation = stream.opened();
      stream.heartbeat(Heartbeat.newBuilder().setSequence(1));
      Instant seen = Protobuf.instant(only(colony).getLastSeen());
      colony.restart();
      assertEquals(Reason.COLONY_STOPPING, stream.next().getSessionClosed().getReason());
      Agent agent = only(colony);
      assertFalse(agent.getConnected());
      // The database keeps microseconds.
      assertEquals(seen.truncatedTo(ChronoUnit.MICROS), Protobuf.instant(agent.getLastSeen()));
      assertTrue(open(colony, Optional.of(web.certificate())).opened() > generation);
    }
  }

  @Test
  void anAgentThatDoesNotReadIsClosedWithResyncAndNeverSilentlyBehind() throws Exception {
    Pair<ActorRef<Notice>, Source<Notice, NotUsed>> notices = SessionStreams.notices(client);
    SinkQueueWithCancel<Notice> reader = notices.second().runWith(Sink.queue(1), client);
    for (int i = 1; i <= 1000; i++) {
      notices.first().tell(new Notice.HeartbeatReceived(i));
    }
    List<Notice> read = new ArrayList<>();
    Optional<Notice> next = pull(reader);
    while (next.isPresent()) {
      read.add(next.get());
      next = pull(reader);
    }
    for (int i = 0; i < read.size() - 1; i++) {
      assertEquals(new Notice.HeartbeatReceived(i + 1), read.get(i), "none is left out");
    }
    assertEquals(new Notice.Closed(CloseReason.RESYNC), read.get(read.size() - 1));
    assertTrue(read.size() < 100, "what waits is bounded: " + read.size());
  }

  private static Optional<Notice> pull(SinkQueueWithCancel<Notice> reader) throws Exception {
    return reader.pull().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  private static Failure refusal(AgentStream stream) {
    return FailureStatus.failure(assertThrows(ExecutionException.class, stream::end));
  }
}
