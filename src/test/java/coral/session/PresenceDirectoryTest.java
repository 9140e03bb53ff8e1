package coral.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.model.AgentId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class PresenceDirectoryTest {
  private static final AgentId A = new AgentId("a");
  private static final AgentId B = new AgentId("b");
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
  private static final ActorTestKit kit =
      ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));

  private record Write(Map<AgentId, Instant> batch, CompletableFuture<Done> done) {}

  private final ManualTime time = ManualTime.get(kit.system());
  private final BlockingQueue<Write> writes = new LinkedBlockingQueue<>();
  private final ActorRef<PresenceDirectory.Command> directory =
      kit.spawn(
          PresenceDirectory.create(
              batch -> {
                Write write = new Write(batch, new CompletableFuture<>());
                writes.add(write);
                return write.done();
              }));

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
  }

  private void seen(AgentId agent, Instant at, boolean connected) {
    directory.tell(
        new PresenceDirectory.Update(
            new AgentPresence(
                agent,
                Presence.HEALTHY,
                connected,
                1,
                at,
                "4a",
                Optional.empty(),
                Optional.empty(),
                Optional.empty())));
  }

  private int connected() {
    TestProbe<PresenceDirectory.Connected> probe = kit.createTestProbe();
    directory.tell(new PresenceDirectory.CountConnected(probe.ref()));
    return probe.receiveMessage().agents();
  }

  private Write write() throws InterruptedException {
    Write write = writes.poll(5, TimeUnit.SECONDS);
    assertTrue(write != null, "nothing was written");
    return write;
  }

  @Test
  void whatManyHeartbeatsSaidIsWrittenOnceAMinuteInOneBatch() throws Exception {
    for (int i = 0; i < 4; i++) {
      seen(A, T0.plusSeconds(15L * i), true);
      seen(B, T0.plusSeconds(15L * i + 1), true);
    }
    connected();
    assertTrue(writes.isEmpty());
    time.timePasses(PresenceDirectory.WRITE_INTERVAL);
    Write first = write();
    assertEquals(Map.of(A, T0.plusSeconds(45), B, T0.plusSeconds(46)), first.batch());
    first.done().complete(Done.getInstance());
    connected();
    time.timePasses(PresenceDirectory.WRITE_INTERVAL);
    connected();
    assertTrue(writes.isEmpty(), "nothing changed");
  }

  @Test
  void aBatchThatFailedIsWrittenWithTheNextButWithoutTheForgotten() throws Exception {
    seen(A, T0, true);
    seen(B, T0, true);
    connected();
    time.timePasses(PresenceDirectory.WRITE_INTERVAL);
    Write failed = write();
    directory.tell(new PresenceDirectory.Forget(B));
    failed.done().completeExceptionally(new IllegalStateException("the disk is full"));
    connected();
    time.timePasses(PresenceDirectory.WRITE_INTERVAL);
    // The failure comes back as a message of its own: the write happens at this tick or the next.
    connected();
    if (writes.isEmpty()) {
      time.timePasses(PresenceDirectory.WRITE_INTERVAL);
    }
    assertEquals(Map.of(A, T0), write().batch());
  }

  @Test
  void aFlushWritesWhatIsLeftAndSaysSo() throws Exception {
    seen(A, T0, true);
    TestProbe<PresenceDirectory.Flushed> flushed = kit.createTestProbe();
    directory.tell(new PresenceDirectory.Flush(flushed.ref()));
    Write write = write();
    assertEquals(Map.of(A, T0), write.batch());
    flushed.expectNoMessage(Duration.ZERO);
    write.done().complete(Done.getInstance());
    assertEquals(new PresenceDirectory.Flushed(true), flushed.receiveMessage());
    directory.tell(new PresenceDirectory.Flush(flushed.ref()));
    assertEquals(new PresenceDirectory.Flushed(true), flushed.receiveMessage());
  }

  @Test
  void connectedAgentsAreCountedAndDescribedUntilTheyAreForgotten() {
    seen(A, T0, true);
    seen(B, T0, true);
    seen(B, T0.plusSeconds(1), true);
    assertEquals(2, connected());
    seen(B, T0.plusSeconds(1), false);
    assertEquals(1, connected());
    directory.tell(new PresenceDirectory.Forget(B));
    assertEquals(1, connected());
    TestProbe<PresenceDirectory.Known> known = kit.createTestProbe();
    directory.tell(new PresenceDirectory.Describe(List.of(A, B, new AgentId("c")), known.ref()));
    PresenceDirectory.Known answer = known.receiveMessage();
    assertEquals(List.of(A), answer.presences().stream().map(AgentPresence::agentId).toList());
    directory.tell(new PresenceDirectory.Forget(A));
    assertEquals(0, connected());
  }

  @Test
  void subscribersHearOfEveryChangeAndWhetherItIsMoreThanALifeSign() {
    TestProbe<PresenceDirectory.Changed> subscriber = kit.createTestProbe();
    directory.tell(new PresenceDirectory.Subscribe(subscriber.ref()));
    directory.tell(new PresenceDirectory.Subscribe(subscriber.ref()));
    seen(A, T0, true);
    seen(A, T0.plusSeconds(15), true);
    seen(A, T0.plusSeconds(15), false);
    directory.tell(new PresenceDirectory.Forget(A));
    for (boolean routine : new boolean[] {false, true, false, false}) {
      assertEquals(new PresenceDirectory.Changed(A, routine), subscriber.receiveMessage());
    }
    directory.tell(new PresenceDirectory.Unsubscribe(subscriber.ref()));
    seen(B, T0, true);
    connected();
    subscriber.expectNoMessage(Duration.ZERO);
  }
}
