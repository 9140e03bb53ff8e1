package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.agent.observation.Observation;
import coral.agent.observation.ObservedConnection;
import coral.model.IpPrefix;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ColonySessionTest {
  private static final ActorTestKit KIT =
      ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));

  private static final Observation ONE =
      new Observation(
          "tcp-table",
          List.of(
              new ObservedConnection(
                  IpPrefix.parseAddress("10.42.0.3"), 5432, true, "tcp", 1, 0, 0)),
          false);

  private final ManualTime time = ManualTime.get(KIT.system());
  private final LinkedBlockingQueue<FakeColony.Session> opened = new LinkedBlockingQueue<>();

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private FakeColony.Session open(Supplier<Optional<Observation>> observe) throws Exception {
    KIT.spawn(
        ColonySession.create(
            listener -> {
              FakeColony.Session session = new FakeColony.Session(listener);
              opened.add(session);
              return session;
            },
            Optional::empty,
            observe,
            Runnable::run,
            Duration.ofSeconds(10),
            Optional.empty(),
            message -> {}));
    FakeColony.Session session = opened.poll(10, TimeUnit.SECONDS);
    assertTrue(session != null);
    MemberFixture.open(session);
    MemberFixture.awaitHeartbeat(session);
    return session;
  }

  /** After a heartbeat everything is told that was observed with the one before. */
  private void beat(FakeColony.Session session) throws Exception {
    session.agent.accept(new SessionMessage.HeartbeatReceived(0));
    time.timePasses(FakeColony.HEARTBEAT);
    MemberFixture.awaitHeartbeat(session);
  }

  @Test
  void whatTheHostIsConnectedToIsToldAtTheStartAndEveryFourthHeartbeat() throws Exception {
    FakeColony.Session session = open(() -> Optional.of(ONE));
    assertEquals(ONE, session.observations.poll(10, TimeUnit.SECONDS));
    for (int i = 0; i < 4; i++) {
      assertEquals(0, session.observations.size());
      beat(session);
    }
    assertEquals(ONE, session.observations.poll(10, TimeUnit.SECONDS));
  }

  @Test
  void anObservationThatFailsOrIsNotWantedLeavesTheHeartbeatAlone() throws Exception {
    FakeColony.Session failing =
        open(
            () -> {
              throw new IllegalStateException("unreadable");
            });
    FakeColony.Session silent = open(Optional::empty);
    for (int i = 0; i < 6; i++) {
      silent.agent.accept(new SessionMessage.HeartbeatReceived(0));
      beat(failing);
      MemberFixture.awaitHeartbeat(silent);
    }
    assertEquals(0, failing.observations.size());
    assertEquals(0, silent.observations.size());
  }
}
