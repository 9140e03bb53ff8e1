package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Secret;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The actor with executors that run when the test says so: tasks run on the test's thread. */
@SuppressWarnings("NullAway") // a null here fails the test, as it should
final class DirectoryTest {
  private static final class Held implements Executor {
    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

    @Override
    public void execute(Runnable task) {
      tasks.add(task);
    }

    void runOne() throws InterruptedException {
      Runnable task = tasks.poll(5, TimeUnit.SECONDS);
      assertNotNull(task, "a task was submitted");
      task.run();
    }
  }

  private final ActorTestKit kit = ActorTestKit.create();
  private final Held hashing = new Held();
  private final Held storage = new Held();
  private final List<List<String>> writes = new ArrayList<>();
  private final Queue<SQLException> failures = new ArrayDeque<>();
  private final TestProbe<Directory.Reply> probe = kit.createTestProbe();
  private final ActorRef<Directory.Command> directory =
      kit.spawn(
          Directory.create(
              new ColonyDirectory(100, Duration.ofMinutes(5), Duration.ofDays(30)),
              this::write,
              InstantSource.fixed(Instant.EPOCH),
              hashing,
              storage,
              3));

  private void write(List<ColonyEntry> entries, List<ColonyId> removed) throws SQLException {
    SQLException failure = failures.poll();
    if (failure != null) {
      throw failure;
    }
    writes.add(entries.stream().map(e -> e.announcement().meshId().value()).sorted().toList());
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private void register(String meshId, String secret) {
    directory.tell(
        new Directory.Register(
            ColonyDirectoryTest.announcement(meshId), new Secret(secret), probe.getRef()));
  }

  private void assertRefused(Failure failure) {
    assertEquals(failure, probe.expectMessageClass(Directory.Refusal.class).refused().failure());
  }

  private void assertRegistered() {
    probe.expectMessageClass(Directory.Registered.class);
  }

  /** Waits until the actor has handled all that was told to it, by a question after it. */
  private void settle() {
    TestProbe<Directory.Reply> other = kit.createTestProbe();
    directory.tell(new Directory.Count(other.getRef()));
    other.expectMessageClass(Directory.Counted.class);
  }

  @Test
  void nothingIsAnsweredBeforeItIsWrittenAndWhatWaitsIsWrittenTogether() throws Exception {
    for (String mesh : List.of("a", "b", "c")) {
      register(mesh, "s");
    }
    for (int i = 0; i < 3; i++) {
      hashing.runOne();
      settle();
    }
    probe.expectNoMessage(Duration.ZERO);
    storage.runOne();
    assertRegistered();
    storage.runOne();
    assertRegistered();
    assertRegistered();
    assertEquals(List.of(List.of("a"), List.of("b", "c")), writes);
  }

  @Test
  void aRenewalCostsNoHash() throws Exception {
    register("a", "s");
    hashing.runOne();
    storage.runOne();
    assertRegistered();
    register("a", "s");
    storage.runOne();
    assertRegistered();
    assertTrue(hashing.tasks.isEmpty());
    register("a", "other");
    hashing.runOne();
    assertRefused(Failure.MESH_ID_TAKEN);
  }

  @Test
  void hashesThatWaitAreBounded() throws Exception {
    for (int i = 0; i < 4; i++) {
      register("mesh-" + i, "s");
    }
    assertRefused(Failure.LIMIT_REACHED);
    for (int i = 0; i < 3; i++) {
      hashing.runOne();
      storage.runOne();
      assertRegistered();
    }
    register("mesh-3", "s");
    hashing.runOne();
    storage.runOne();
    assertRegistered();
  }

  @Test
  void ofTwoFirstClaimsWithDifferentSecretsOneWins() throws Exception {
    register("a", "one");
    register("a", "two");
    hashing.runOne();
    storage.runOne();
    assertRegistered();
    hashing.runOne(); // a first hash of "two", which comes too late
    hashing.runOne(); // "two" against the hash of "one"
    assertRefused(Failure.MESH_ID_TAKEN);
  }

  /** A failed write takes back what was decided on top of it, and what it proved. */
  @Test
  void aFailedWriteChangesNothing() throws Exception {
    register("a", "one");
    hashing.runOne();
    settle();
    register("a", "one");
    settle();
    failures.add(new SQLException("disk full"));
    storage.runOne();
    assertRefused(Failure.STORE_UNAVAILABLE);
    assertRefused(Failure.STORE_UNAVAILABLE);
    directory.tell(new Directory.Lookup(new ColonyId("a"), probe.getRef()));
    assertRefused(Failure.NOT_FOUND);
    register("a", "two");
    hashing.runOne();
    storage.runOne();
    assertRegistered();
    register("a", "one");
    hashing.runOne();
    assertRefused(Failure.MESH_ID_TAKEN);
  }
}
