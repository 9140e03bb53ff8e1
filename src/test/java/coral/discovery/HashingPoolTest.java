package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.settings.SettingsLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The threads that compute Argon2id, as discovery.conf has them. */
final class HashingPoolTest {
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  /** How many of many tasks run at once; {@code atLeast} have to, or none of them ends. */
  private static int mostAtOnce(String settings, int atLeast) throws Exception {
    Config config =
        ConfigFactory.parseString(settings)
            .withFallback(
                SettingsLoader.load(Optional.empty()).getConfig("coral.discovery.actor-system"))
            .withFallback(SettingsLoader.load(Optional.empty()));
    ActorSystem<Void> system = ActorSystem.create(Behaviors.empty(), "hashing", config);
    try {
      Executor pool =
          system
              .dispatchers()
              .lookup(DispatcherSelector.fromConfig("coral.discovery.hashing-dispatcher"));
      AtomicInteger running = new AtomicInteger();
      AtomicInteger most = new AtomicInteger();
      CyclicBarrier together = new CyclicBarrier(atLeast);
      List<CompletableFuture<Void>> tasks = new ArrayList<>();
      for (int i = 0; i < 50 * atLeast; i++) {
        tasks.add(
            CompletableFuture.runAsync(
                () -> {
                  most.accumulateAndGet(running.incrementAndGet(), Math::max);
                  try {
                    together.await(20, TimeUnit.SECONDS);
                  } catch (Exception e) {
                    throw new AssertionError("fewer than " + atLeast + " run at once", e);
                  } finally {
                    running.decrementAndGet();
                  }
                },
                pool));
      }
      CompletableFuture.allOf(tasks.toArray(CompletableFuture[]::new)).get(60, TimeUnit.SECONDS);
      return most.get();
    } finally {
      system.terminate();
    }
  }

  @Test
  @Timeout(90)
  void s3AsManyHashesRunAtOnceAsThereAreCores() throws Exception {
    assertEquals(CORES, mostAtOnce("", CORES));
  }

  @Test
  @Timeout(90)
  void s3TheNumberOfHashesAtOnceCanBeSet() throws Exception {
    int other = CORES + 1;
    assertEquals(
        other,
        mostAtOnce(
            "coral.discovery.hashing-dispatcher.thread-pool-executor.fixed-pool-size = " + other,
            other));
  }
}
