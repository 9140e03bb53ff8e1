package coral.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AgentSessionTest {
  private static final AgentId AGENT = new AgentId("web-1");
  private static final Duration INTERVAL = Duration.ofSeconds(15);
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final ActorTestKit kit =
      ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));

  private final ManualTime time = ManualTime.get(kit.system());
  private final TestProbe<PresenceDirectory.Command> directory = kit.createTestProbe();
  private final TestProbe<ConnectionDirectory.Command> connections = kit.createTestProbe();
  private final TestProbe<ClusterSharding.ShardCommand> shard = kit.createTestProbe();
  private final List<AuditEvent> audited = new CopyOnWriteArrayList<>();
  private final AuditSink sink =
      new AuditSink() {
        @Override
        public void record(AuditEvent event) {
          audited.add(event);
        }

        @Override
        public CompletionStage<Done> recorded(AuditEvent event) {
          audited.add(event);
          return CompletableFuture.completedStage(Done.getInstance());
        }
      };
  private volatile Instant now = START;
  private ActorRef<AgentSession.Command> session =
      kit.<AgentSession.Command>createTestProbe().ref();

  @BeforeEach
  void start() {
    session =
        kit.spawn(
            AgentSession.create(
                AGENT, INTERVAL, () -> now, sink, directory.ref(), connections.ref(), shard.ref()));
  }

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
  }

  private TestProbe<Notice> open() {
    TestProbe<Notice> stream = kit.createTestProbe();
    session.tell(new AgentSession.Open("4a", stream.ref()));
    return stream;
  }

  private AgentPresence told() {
    return directory.expectMessageClass(PresenceDirectory.Update.class).presence();
  }

  private static long generation(TestProbe<Notice> stream) {
    return stream.expectMessageClass(Notice.Opened.class).generation();
  }

  private void heartbeat(TestProbe<Notice> stream, long sequence, Probe... probes) {
    session.tell(
        new AgentSession.Heartbeat(stream.ref(), sequence, Optional.empty(), List.of(probes)));
  }

  private void pass(Duration duration) {
    now = now.plus(duration);
    time.timePasses(duration);
  }

  @Test
  void aStreamIsToldItsGenerationFirstAndEachHeartbeatIsAnswered() {
    TestProbe<Notice> stream = open();
    assertEquals(new Notice.Opened(START.toEpochMilli(), INTERVAL), stream.receiveMessage());
    assertTrue(told().connected());
    heartbeat(stream, 7);
    assertEquals(new Notice.HeartbeatReceived(7), stream.receiveMessage());
    assertEquals(Presence.HEALTHY, told().presence());
  }

  @Test
  void aNewerSessionSupersedesAndOnlyTheCurrentOneMayMarkItsAgentGone() {
    TestProbe<Notice> older = open();
    long first = generation(older);
    TestProbe<Notice> newer = open();
    long second = generation(newer);
    assertTrue(second > first, "opened within the same millisecond");
    assertEquals(new Notice.Closed(CloseReason.SUPERSEDED), older.receiveMessage());
    assertEquals(
        List.of(AuditEvent.Kind.SESSION_SUPERSEDED),
        audited.stream().map(AuditEvent::kind).toList());
    told();
    told();

    heartbeat(older, 1);
    older.stop();
    heartbeat(newer, 1);
    AgentPresence after = told();
    assertTrue(after.connected());
    assertEquals(second, after.generation());
    assertEquals(new Notice.HeartbeatReceived(1), newer.receiveMessage());
    directory.expectTerminated(older.ref());
    directory.expectNoMessage(Duration.ZERO);

    newer.stop();
    assertFalse(told().connected());
  }

  @Test
  void aLaterIncarnationOfTheActorGivesHigherGenerations() {
    long before = generation(open());
    now = now.plusMillis(1);
    start();
    assertTrue(generation(open()) > before);
  }

  @Test
  void whatAnAgentHasObservedIsKnownForAsLongAsItsSessionLasts() {
    ConnectionReport report =
        new ConnectionReport(
            Evidence.TCP_TABLE,
            List.of(new ReportedConnection(3, Transport.TCP, 5432, true, 1, 0, 0)));
    TestProbe<Notice> older = open();
    session.tell(new AgentSession.Observed(older.ref(), report));
    assertEquals(new ConnectionDirectory.Reported(AGENT, report), connections.receiveMessage());

    TestProbe<Notice> newer = open();
    assertEquals(new ConnectionDirectory.Forget(AGENT), connections.receiveMessage());
    session.tell(new AgentSession.Observed(older.ref(), report));
    connections.expectNoMessage(Duration.ZERO);

    session.tell(new AgentSession.Observed(newer.ref(), report));
    connections.expectMessageClass(ConnectionDirectory.Reported.class);
    newer.stop();
    assertEquals(new ConnectionDirectory.Forget(AGENT), connections.receiveMessage());
  }

  @Test
  void silenceMakesAnAgentDegradedAfterThreeIntervalsAndClosesItsSessionAfterTen() {
    TestProbe<Notice> stream = open();
    generation(stream);
    told();
    pass(Duration.ofSeconds(45));
    directory.expectNoMessage(Duration.ZERO);
    pass(Duration.ofMillis(1));
    assertEquals(Presence.DEGRADED, told().presence());
    pass(Duration.ofSeconds(105).minusMillis(1));
    directory.expectNoMessage(Duration.ZERO);
    stream.expectNoMessage(Duration.ZERO);
    pass(Duration.ofMillis(1));
    AgentPresence last = told();
    assertEquals(Presence.UNHEALTHY, last.presence());
    assertFalse(last.connected());
    assertEquals(START, last.lastSeen());
    assertEquals(new Notice.Closed(CloseReason.RESYNC), stream.receiveMessage());
    shard.expectMessageClass(ClusterSharding.Passivate.class);
  }

  @Test
  void aHeartbeatMakesADegradedAgentHealthyAndTheCountStartsAnew() {
    TestProbe<Notice> stream = open();
    told();
    pass(Duration.ofSeconds(46));
    assertEquals(Presence.DEGRADED, told().presence());
    heartbeat(stream, 1);
    assertEquals(Presence.HEALTHY, told().presence());
    // The timer that was set for ten intervals of silence finds out that there was none.
    pass(Duration.ofSeconds(104).plusMillis(1));
    assertEquals(Presence.DEGRADED, told().presence());
    pass(Duration.ofSeconds(46));
    assertEquals(Presence.UNHEALTHY, told().presence());
  }

  @Test
  void whatWasReportedIsKeptAsLastKnown() {
    TestProbe<Notice> stream = open();
    told();
    TunnelStatistics tunnel = new TunnelStatistics(Optional.of(START), 10, 20);
    session.tell(
        new AgentSession.Heartbeat(
            stream.ref(),
            1,
            Optional.of(tunnel),
            List.of(
                new Probe(false, Optional.of(Duration.ofMillis(3))),
                new Probe(true, Optional.of(Duration.ofMillis(4))))));
    told();
    heartbeat(stream, 2, new Probe(true, Optional.empty()));
    AgentPresence last = told();
    assertEquals(Optional.of(tunnel), last.tunnel());
    assertEquals(Optional.of(Duration.ofMillis(3)), last.roundTripIpv4());
    assertEquals(Optional.empty(), last.roundTripIpv6(), "the last probe was not answered");
  }

  @Test
  void deregistrationEndsTheSessionAndForgetsTheAgent() {
    TestProbe<Notice> stream = open();
    generation(stream);
    told();
    session.tell(new AgentSession.Deregister());
    assertEquals(new Notice.Closed(CloseReason.DEREGISTERED), stream.receiveMessage());
    directory.expectMessage(new PresenceDirectory.Forget(AGENT));
    heartbeat(stream, 1);
    stream.expectNoMessage(Duration.ZERO);
    shard.expectMessageClass(ClusterSharding.Passivate.class);
  }

  @Test
  void anAgentWhoseRightHasEndedLosesItsSessionUnlessItsCertificateIsStillGood() {
    TestProbe<Notice> stream = open();
    stream.expectMessageClass(Notice.Opened.class);
    session.tell(new AgentSession.Expel(CloseReason.CERTIFICATE_SUPERSEDED, Set.of("4a", "4b")));
    stream.expectNoMessage(Duration.ZERO);
    session.tell(new AgentSession.Expel(CloseReason.REVOKED, Set.of()));
    assertEquals(new Notice.Closed(CloseReason.REVOKED), stream.receiveMessage());
  }

  @Test
  void whatCrossesNodesSurvivesSerialization() {
    TestProbe<Notice> stream = kit.createTestProbe();
    AgentPresence presence =
        new AgentPresence(
            AGENT,
            Presence.DEGRADED,
            true,
            5,
            START,
            "4a",
            Optional.of(new TunnelStatistics(Optional.of(START), -1, 2)),
            Optional.of(Duration.ofNanos(1_234_567)),
            Optional.empty());
    var serialization = kit.serializationTestKit();
    serialization.verifySerialization(new AgentSession.Open("4a", stream.ref()), true);
    serialization.verifySerialization(
        new AgentSession.Heartbeat(
            stream.ref(),
            3,
            Optional.of(new TunnelStatistics(Optional.empty(), 1, 2)),
            List.of(new Probe(true, Optional.of(Duration.ofMillis(4))))),
        true);
    serialization.verifySerialization(new AgentSession.Deregister(), true);
    serialization.verifySerialization(new AgentSession.Stop(), true);
    serialization.verifySerialization(new Notice.Opened(1, INTERVAL), true);
    serialization.verifySerialization(new Notice.HeartbeatReceived(1), true);
    serialization.verifySerialization(new Notice.Closed(CloseReason.RESYNC), true);
    serialization.verifySerialization(new PresenceDirectory.Update(presence), true);
    serialization.verifySerialization(new PresenceDirectory.Forget(AGENT), true);
    serialization.verifySerialization(new PresenceDirectory.Known(List.of(presence)), true);
    serialization.verifySerialization(
        new AgentSession.Expel(CloseReason.REVOKED, Set.of("0a")), true);
    serialization.verifySerialization(new Notice.TrustBundle(2, "pem", "cross"), true);
    serialization.verifySerialization(new Notice.RenewCertificate(), true);
  }
}
