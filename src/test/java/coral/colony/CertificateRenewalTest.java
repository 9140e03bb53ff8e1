package coral.colony;

import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.Done;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class CertificateRenewalTest {
  private static final ActorTestKit kit =
      ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void theCertificateIsLookedAtEveryDayAlsoAfterAFailure() {
    ManualTime time = ManualTime.get(kit.system());
    TestProbe<String> looks = kit.createTestProbe();
    kit.spawn(
        CertificateRenewal.create(
            () -> {
              looks.ref().tell("look");
              CompletableFuture<Done> failed = new CompletableFuture<>();
              failed.completeExceptionally(new IOException("the disk is full"));
              return failed;
            }));
    time.expectNoMessageFor(CertificateRenewal.INTERVAL.minusMillis(1), looks);
    for (int day = 0; day < 3; day++) {
      time.timePasses(day == 0 ? Duration.ofMillis(1) : CertificateRenewal.INTERVAL);
      looks.expectMessage("look");
    }
  }
}
