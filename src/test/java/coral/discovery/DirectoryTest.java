package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.Secret;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The actor with executors that run when the test says so: tasks run on the test's thread. */
final class DirectoryTest {
  private static final class Held implements Executor {
    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

    @Override
    public void execute(Runnable task) {
      tasks.add(task);
    }

    void runOne() throws InterruptedException {
      Runnable task = tasks.poll(5, TimeUnit.SECONDS);
      Objects.requireNonNull(task, "no task was submitted").run();
    }
  }

  private static final InstantSource CLOCK = InstantSource.fixed(Instant.EPOCH);

  private final ActorTestKit kit = ActorTestKit.create();
  private final Held hashing = new Held();
  private final Held storage = new Held();
  private final List<List<String>> writes = new ArrayList<>();
  private final Queue<IOException> failures = new ArrayDeque<>();
  private final TestProbe<Directory.Reply> probe = kit.createTestProbe();
  private final DiscoveryLimits limits = SecretCheckTest.limits(CLOCK, 5);
  private final ActorRef<Directory.Command> directory =
      kit.spawn(
          Directory.create(
              new ColonyDirectory(100, Duration.ofMinutes(5), ColonyDirectoryTest.days(30)),
              this::write,
              CLOCK,
              new SecretCheck(CLOCK, limits, hashing, 3),
              limits,
              storage));

  private void write(List<ColonyEntry> entries, List<ColonyId> removed) throws IOException {
    IOException failure = failures.poll();
    if (failure != null) {
      throw failure;
    }
    writes.add(
        Stream.concat(
                entries.stream().map(e -> e.announcement().meshId().value()),
                removed.stream().map(id -> "-" + id))
            .sorted()
            .toList());
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private void register(String meshId, String secret) {
    directory.tell(
        new Directory.Register(
            ColonyDirectoryTest.announcement(meshId),
            new Secret(secret),
            Optional.empty(),
            InetAddress.getLoopbackAddress(),
            probe.getRef()));
  }

  private void assertRefused(Failure failure) {
    assertEquals(failure, probe.expectMessageClass(Directory.Refusal.class).refused().failure());
  }

  private void assertRegistered() {
    probe.expectMessageClass(Directory.Registered.class);
  }

  /**
   * Waits until the actor has handled all that was told to it, and what it told itself meanwhile:
   * by a question after each.
   */
  private void settle() {
    TestProbe<Directory.Reply> other = kit.createTestProbe();
    for (int i = 0; i < 2; i++) {
      directory.tell(new Directory.Count(other.getRef()));
      other.expectMessageClass(Directory.Counted.class);
    }
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
    register("a", "one"); // whose proof is remembered
    settle();
    failures.add(new IOException("disk full"));
    directory.tell(new Directory.Lookup(new ColonyId("a"), probe.getRef()));
    assertRefused(Failure.NOT_FOUND); // what may never be durable is not found
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

  private void forget(String meshId) {
    directory.tell(new Directory.Forget(new ColonyId(meshId), probe.getRef()));
  }

  @Test
  void whatIsForgottenIsGoneOnceItIsWrittenAndCanBeClaimedAnew() throws Exception {
    forget("a");
    assertRefused(Failure.NOT_FOUND);
    register("a", "one");
    hashing.runOne();
    storage.runOne();
    assertRegistered();
    register("b", "one"); // whose write is in flight, so that what follows is written together
    hashing.runOne();
    settle();
    forget("a");
    register("a", "two");
    hashing.runOne();
    settle();
    directory.tell(new Directory.Lookup(new ColonyId("a"), probe.getRef()));
    probe.expectMessageClass(Directory.Found.class);
    storage.runOne();
    assertRegistered();
    storage.runOne();
    probe.expectMessageClass(Directory.Forgotten.class);
    assertRegistered();
    assertEquals(List.of(List.of("a"), List.of("b"), List.of("a")), writes);
    register("a", "one");
    hashing.runOne();
    assertRefused(Failure.MESH_ID_TAKEN);
    forget("a");
    storage.runOne();
    probe.expectMessageClass(Directory.Forgotten.class);
    assertEquals(List.of("-a"), writes.get(3));
  }

  @Test
  void whatCouldNotBeForgottenStaysWithItsOwner() throws Exception {
    register("a", "one");
    hashing.runOne();
    storage.runOne();
    assertRegistered();
    failures.add(new IOException("disk full"));
    forget("a");
    storage.runOne();
    assertRefused(Failure.STORE_UNAVAILABLE);
    register("a", "two");
    hashing.runOne();
    assertRefused(Failure.MESH_ID_TAKEN);
  }

  /** Renewals cost nothing; a sixth mesh id of one address is refused before it costs a hash. */
  @Test
  void oneAddressClaimsFewNewMeshIds() throws Exception {
    for (int i = 0; i < 5; i++) {
      register("mesh-" + i, "s");
      hashing.runOne();
      storage.runOne();
      assertRegistered();
    }
    register("mesh-5", "s");
    assertRefused(Failure.LIMIT_REACHED);
    assertTrue(hashing.tasks.isEmpty());
    register("mesh-0", "s");
    storage.runOne();
    assertRegistered();
  }

  @Test
  void wrongSecretsAreToldTogether() throws Exception {
    register("a", "s");
    hashing.runOne();
    storage.runOne();
    assertRegistered();
    LoggingTestKit.warn("")
        .withOccurrences(0)
        .expect(
            kit.system(),
            () -> {
              for (int i = 0; i < 3; i++) {
                register("a", "other");
                runHash();
                assertRefused(Failure.MESH_ID_TAKEN);
              }
              return true;
            });
    LoggingTestKit.warn("3 claims")
        .withOccurrences(1)
        .expect(
            kit.system(),
            () -> {
              directory.tell(Directory.Tick.REPORT);
              directory.tell(Directory.Tick.REPORT);
              settle();
              return true;
            });
  }

  private void runHash() {
    try {
      hashing.runOne();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
