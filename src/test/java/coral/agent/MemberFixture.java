package coral.agent;

import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.agent.JoinFailure.Kind;
import coral.agent.observation.Observation;
import coral.wireguard.KeyPair;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

/** An agent of actors and real files, with a colony in memory and a device that records. */
abstract class MemberFixture {
  static final Duration MILLISECOND = Duration.ofMillis(1);

  @TempDir Path home;

  final FakeColony colony = new FakeColony();
  final RecordingDevice device = new RecordingDevice(colony.calls, KeyPair.generate());
  final TestProbe<AgentEvent> events;
  final List<ActorRef<?>> agents = new ArrayList<>();
  volatile Instant now = FakeColony.START;
  private final ActorTestKit kit;

  MemberFixture(ActorTestKit kit) {
    this.kit = kit;
    this.events = kit.createTestProbe(AgentEvent.class);
  }

  /** What the host is connected to. */
  volatile Optional<Observation> observation = Optional.empty();

  @AfterEach
  void leave() {
    agents.forEach(kit::stop);
  }

  void joinAndLeave() throws Exception {
    ActorRef<MeshMember.Command> agent = join(settings("the secret", true));
    awaitSession();
    agent.tell(MeshMember.Leave.INSTANCE);
    await(AgentEvent.Stopped.class);
    events.expectTerminated(agent);
    colony.takeCalls();
  }

  ActorRef<MeshMember.Command> join(AgentSettings settings) {
    AgentFiles files = new AgentFiles(settings.directory(), settings.agentId());
    Enrolment enrolment = new Enrolment(settings, files, colony, colony, () -> now);
    Tunnel tunnel =
        new Tunnel(
            () -> {
              colony.calls.add("create interface");
              return device;
            },
            () -> now);
    AtomicLong nanoseconds = new AtomicLong();
    LongSupplier nanoTime = () -> nanoseconds.addAndGet(MILLISECOND.toNanos());
    AtomicInteger requests = new AtomicInteger();
    ActorRef<MeshMember.Command> agent =
        kit.spawn(
            MeshMember.create(
                new AgentDependencies(
                    settings,
                    new JoinSteps(settings, enrolment, colony, colony, tunnel, nanoTime),
                    enrolment,
                    colony,
                    tunnel,
                    membership -> observation,
                    true,
                    () -> now,
                    nanoTime,
                    () -> 0.0, // no jitter
                    () -> "request-" + requests.incrementAndGet(),
                    Runnable::run),
                events.ref()));
    agents.add(agent);
    return agent;
  }

  AgentSettings settings(String secret, boolean pinned) {
    Config config =
        ConfigFactory.parseString(
                "coral.agent { home = \""
                    + home
                    + "\", colony-secret = \""
                    + secret
                    + "\", ca-fingerprint = \""
                    + (pinned ? FakeColony.AUTHORITY.fingerprint().value() : "")
                    + "\"}")
            .withFallback(AgentSettingsTest.defaults());
    return AgentSettings.from(config);
  }

  FakeColony.Session awaitSession() throws InterruptedException {
    FakeColony.Session session = colony.sessions.poll(10, TimeUnit.SECONDS);
    assertNotNull(session, "no session; calls: " + colony.calls);
    return session;
  }

  static SessionStream.Heartbeat awaitHeartbeat(FakeColony.Session session)
      throws InterruptedException {
    SessionStream.Heartbeat heartbeat = session.heartbeats.poll(10, TimeUnit.SECONDS);
    assertNotNull(heartbeat);
    return heartbeat;
  }

  static void open(FakeColony.Session session) {
    session.agent.accept(new SessionMessage.Opened(1, FakeColony.HEARTBEAT));
  }

  static void lose(FakeColony.Session session) {
    session.agent.accept(
        new SessionMessage.Ended(new JoinFailure(Kind.SESSION_LOST, "broken pipe")));
  }

  JoinReport awaitJoined() {
    return ((AgentEvent.Joined) await(AgentEvent.Joined.class)).report();
  }

  AgentEvent.Failed awaitFailed() {
    return (AgentEvent.Failed) await(AgentEvent.Failed.class);
  }

  JoinFailure awaitStopped() {
    return ((AgentEvent.Stopped) await(AgentEvent.Stopped.class)).reason().orElseThrow();
  }

  /** The next event of a type; others are passed over, but never the last one. */
  AgentEvent await(Class<? extends AgentEvent> type) {
    while (true) {
      AgentEvent event = events.receiveMessage();
      if (type.isInstance(event)) {
        return event;
      }
      assertNotEquals(AgentEvent.Stopped.class, event.getClass(), event.toString());
    }
  }
}
