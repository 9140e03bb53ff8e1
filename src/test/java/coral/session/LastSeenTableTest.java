package coral.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.ConfigFactory;
import coral.model.AgentId;
import coral.storage.AllocationReadModel;
import coral.storage.DuckDbFile;
import coral.storage.StoreException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** RFD 019: {@code last_seen} of the table, in a real database file. */
class LastSeenTableTest {
  private static final AgentId AGENT = new AgentId("web-1");
  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration HEARTBEAT = Duration.ofSeconds(15);
  private static final int HEARTBEATS_PER_WRITE = 4;
  private static final ActorTestKit kit =
      ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));

  @TempDir Path directory;

  private final AtomicInteger writes = new AtomicInteger();

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void anAgentsRowIsWrittenOnceAMinuteHoweverOftenItIsHeard() throws Exception {
    ManualTime time = ManualTime.get(kit.system());
    try (DuckDbFile file = DuckDbFile.open(directory.resolve("colony.duckdb"))) {
      AllocationReadModel table = new AllocationReadModel(file, "10.42.0.0/16");
      table.apply(List.of(new AllocationReadModel.Row(AGENT, "10.42.0.2", T0, T0)), List.of(), 1);
      ActorRef<PresenceDirectory.Command> directory =
          kit.spawn(PresenceDirectory.create(batch -> touch(table, batch)));
      for (int heartbeat = 1; heartbeat <= 3 * HEARTBEATS_PER_WRITE; heartbeat++) {
        directory.tell(new PresenceDirectory.Update(seen(at(heartbeat))));
        time.timePasses(HEARTBEAT);
        awaitEarlierMessages(directory);
        int minute = heartbeat / HEARTBEATS_PER_WRITE;
        assertEquals(minute, writes.get());
        assertEquals(
            Map.of(AGENT, at(minute * HEARTBEATS_PER_WRITE)), table.lastSeen(List.of(AGENT)));
      }
      time.timePasses(Duration.ofMinutes(3));
      awaitEarlierMessages(directory);
      assertEquals(3, writes.get(), "nothing new was heard");
    }
  }

  private static Instant at(int heartbeat) {
    return T0.plus(HEARTBEAT.multipliedBy(heartbeat));
  }

  private CompletionStage<Done> touch(AllocationReadModel table, Map<AgentId, Instant> batch) {
    try {
      table.touch(batch);
      writes.incrementAndGet();
      return CompletableFuture.completedFuture(Done.getInstance());
    } catch (StoreException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  /** The directory takes its messages in turn, its timer's too. */
  private static void awaitEarlierMessages(ActorRef<PresenceDirectory.Command> directory) {
    TestProbe<PresenceDirectory.Connected> probe = kit.createTestProbe();
    directory.tell(new PresenceDirectory.CountConnected(probe.ref()));
    probe.receiveMessage();
  }

  private static AgentPresence seen(Instant at) {
    return new AgentPresence(
        AGENT,
        Presence.HEALTHY,
        true,
        1,
        at,
        "4a",
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }
}
