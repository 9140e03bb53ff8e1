package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.OperatingSystemMXBean;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Secret;
import coral.settings.SettingsLoader;
import coral.settings.SettingsReader;
import coral.token.PublicKeyHash;
import coral.token.SigningKeys;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.typed.ActorSystem;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * How many tokens a second behind the port, with the secret's proof remembered. A measurement: it
 * needs the common pool's parallelism of 2 that Main and the build set, or a thread is started for
 * each stage and a token costs three times as much.
 */
@EnabledIfSystemProperty(named = "coral.measure", matches = "true")
final class TokenThroughputTest {
  private static final int TOKENS = 40_000;
  private static final int AT_ONCE = 256;
  private static final ColonyId COLONY = new ColonyId("shop-prod");
  private static final Secret SECRET = new Secret("coral-sec_a-secret-of-256-bits-or-so");

  @TempDir Path directory;

  @Test
  void tokensAreIssuedByTheThousand() throws Exception {
    String most = "{ burst = 1000000, interval = 1us }\n";
    Config config =
        ConfigFactory.parseString(
                "coral.discovery.directory = \""
                    + directory
                    + "\"\ncoral.discovery.limits { source "
                    + most
                    + "tokens-of-colony "
                    + most
                    + "tokens "
                    + most
                    + "}")
            .withFallback(SettingsLoader.load(Optional.empty()));
    InstantSource clock = InstantSource.system();
    ColonyDirectory colonies =
        new ColonyDirectory(10, Duration.ofMinutes(5), ColonyDirectoryTest.days(30));
    colonies.put(
        colonies.announce(
            ColonyDirectoryTest.announcement(COLONY.value()),
            SecretHash.of(SECRET),
            clock.instant()));
    CompletableFuture<DiscoveryServices> ready = new CompletableFuture<>();
    ActorSystem<Directory.Command> system =
        ActorSystem.create(
            DiscoveryServices.guardian(
                DiscoverySettings.from(config),
                clock,
                colonies,
                (entries, removed) -> {},
                SigningKeys.first(clock.instant(), new SecureRandom()),
                keys -> {},
                ready),
            "throughput",
            SettingsReader.of(config, "coral.discovery")
                .config("actor-system")
                .withFallback(config));
    try {
      RegistrationTokens tokens = ready.get(10, TimeUnit.SECONDS).tokens();
      issue(tokens, TOKENS); // the compiler has done its work by then
      long begin = System.nanoTime();
      long cpuBegin = cpuTime();
      issue(tokens, TOKENS);
      double seconds = (System.nanoTime() - begin) / 1e9;
      double cpuMicros = (cpuTime() - cpuBegin) / 1e3 / TOKENS;
      System.out.printf(
          "%.0f tokens/s with %d at once; %.0f microseconds of processor each%n",
          TOKENS / seconds, AT_ONCE, cpuMicros);
      // 5,000 tokens/s on two cores, whatever else keeps them busy now.
      assertTrue(cpuMicros < 400, cpuMicros + " microseconds");
    } finally {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }
  }

  /** Of this process, in nanoseconds. */
  private static long cpuTime() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  private static void issue(RegistrationTokens tokens, int count) throws Exception {
    Semaphore places = new Semaphore(AT_ONCE);
    CompletableFuture<Void> failed = new CompletableFuture<>();
    for (int i = 0; i < count && !failed.isDone(); i++) {
      places.acquire();
      tokens
          .request(
              new RegistrationTokens.Request(
                  COLONY,
                  new AgentId("agent-" + i),
                  Optional.of(PublicKeyHash.of(RunningDiscovery.KEY_HASH)),
                  Optional.empty(),
                  InetAddress.getLoopbackAddress()),
              SECRET)
          .whenComplete(
              (grant, failure) -> {
                places.release();
                if (failure != null) {
                  failed.completeExceptionally(failure);
                }
              });
    }
    places.acquire(AT_ONCE);
    if (failed.isDone()) {
      failed.get();
    }
  }
}
