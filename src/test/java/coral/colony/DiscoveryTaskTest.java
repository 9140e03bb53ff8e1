package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class DiscoveryTaskTest {
  private static final ActorTestKit kit = ActorTestKit.create(ManualTime.config());

  private final ManualTime time = ManualTime.get(kit.system());
  private final TestProbe<CompletableFuture<Done>> attempts = kit.createTestProbe();
  private final AtomicReference<Optional<String>> problem = new AtomicReference<>(Optional.empty());

  {
    kit.spawn(
        DiscoveryTask.create(
            DiscoveryTask.ANNOUNCEMENT,
            () -> {
              CompletableFuture<Done> attempt = new CompletableFuture<>();
              attempts.ref().tell(attempt);
              return attempt;
            },
            problem));
  }

  private Optional<String> problem() {
    return Objects.requireNonNull(problem.get());
  }

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void itAnnouncesAtOnceRenewsEveryMinuteAndBacksOffWhileDiscoveryIsDown() {
    finish(attempts.receiveMessage(), true);
    time.timePasses(DiscoveryTask.ANNOUNCEMENT.interval().minusMillis(1));
    attempts.expectNoMessage(Duration.ZERO);
    time.timePasses(Duration.ofMillis(1));
    CompletableFuture<Done> renewal = attempts.receiveMessage();

    Duration pause = DiscoveryTask.FIRST_PAUSE;
    CompletableFuture<Done> attempt = renewal;
    for (int failures = 0; failures < 8; failures++) {
      finish(attempt, false);
      assertTrue(problem().orElse("").contains("nobody listens"), problem.toString());
      time.timePasses(pause.dividedBy(2).minusMillis(1));
      attempts.expectNoMessage(Duration.ZERO);
      time.timePasses(pause.dividedBy(2).plusMillis(1));
      attempt = attempts.receiveMessage();
      Duration doubled = pause.multipliedBy(2);
      pause =
          doubled.compareTo(DiscoveryTask.ANNOUNCEMENT.interval()) < 0
              ? doubled
              : DiscoveryTask.ANNOUNCEMENT.interval();
    }
    finish(attempt, true);
    assertEquals(Optional.empty(), problem());
    time.timePasses(DiscoveryTask.ANNOUNCEMENT.interval());
    attempts.receiveMessage();
  }

  /** Completes an attempt and waits until the announcer has set its timer. */
  private void finish(CompletableFuture<Done> attempt, boolean success) {
    problem.set(Optional.of("(not told yet)"));
    if (success) {
      attempt.complete(Done.getInstance());
    } else {
      attempt.completeExceptionally(new IllegalStateException("nobody listens"));
    }
    attempts.awaitAssert(
        Duration.ofSeconds(5),
        () -> {
          assertTrue(!problem().equals(Optional.of("(not told yet)")));
          return Done.getInstance();
        });
  }
}
