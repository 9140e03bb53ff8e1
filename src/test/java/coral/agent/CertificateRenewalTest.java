package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import coral.agent.JoinFailure.Kind;
import coral.certificate.CertificateProfile;
import coral.certificate.Identity;
import coral.certificate.KeyType;
import coral.model.Endpoint;
import java.security.KeyPair;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CertificateRenewalTest {
  private static final ActorTestKit KIT = ActorTestKit.create(ManualTime.config());
  private static final ManualTime TIME = ManualTime.get(KIT.system());
  private static final Endpoint ENDPOINT = new Endpoint("127.0.0.1", 9000);
  private static final BackOff BACK_OFF =
      new BackOff(Duration.ofSeconds(5), Duration.ofHours(1), Duration.ofHours(1));

  private final TestProbe<Boolean> asked = KIT.createTestProbe(Boolean.class);
  private final TestProbe<CertificateRenewal.Renewed> renewed =
      KIT.createTestProbe(CertificateRenewal.Renewed.class);
  private final Deque<JoinException> failures = new ArrayDeque<>();
  private volatile Instant now = FakeColony.START;
  private final Credentials ninetyDays = credentials(Duration.ofDays(90));
  private final ActorRef<CertificateRenewal.Command> renewal =
      KIT.spawn(
          CertificateRenewal.create(
              this::answer, () -> now, BACK_OFF, () -> 0.0, Runnable::run, renewed.ref()));

  @AfterEach
  void end() {
    KIT.stop(renewal);
  }

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private Optional<Credentials> answer(Endpoint endpoint, Credentials inUse, boolean due)
      throws JoinException {
    asked.ref().tell(due);
    if (!failures.isEmpty()) {
      throw failures.pop();
    }
    return due ? Optional.of(inUse) : Optional.empty();
  }

  @Test
  void aCertificateOf90DaysIsCheckedAtTheStartAndEveryHour() {
    connected(ninetyDays);
    asked.expectMessage(false);
    TIME.expectNoMessageFor(Duration.ofHours(1).minusMillis(1), asked);
    TIME.timePasses(Duration.ofMillis(1));
    asked.expectMessage(false);
    renewed.expectNoMessage(Duration.ZERO);
  }

  @Test
  void oneThatIsDueIsRenewedAndTheNextSessionIsWaitedFor() {
    now = FakeColony.START.plus(Duration.ofDays(64));
    connected(ninetyDays);
    asked.expectMessage(true);
    assertEquals(ninetyDays, renewed.receiveMessage().credentials());
    TIME.expectNoMessageFor(Duration.ofHours(3), asked);
    now = FakeColony.START;
    connected(ninetyDays);
    asked.expectMessage(false);
  }

  @Test
  void aCertificateOf10MinutesIsRenewedInTime() {
    Credentials minutes = credentials(Duration.ofMinutes(10));
    connected(minutes);
    asked.expectMessage(false);
    Duration step = RenewalSchedule.of(minutes.identity().certificate()).checkInterval();
    while (now.isBefore(FakeColony.START.plus(Duration.ofMinutes(10)))) {
      now = now.plus(step);
      TIME.timePasses(step);
      if (asked.receiveMessage()) {
        renewed.receiveMessage();
        return;
      }
    }
    throw new AssertionError("not renewed before its end");
  }

  @Test
  void aDemandNeedsNoDueTimeAndWaitsForASession() {
    renewal.tell(CertificateRenewal.Demanded.INSTANCE);
    asked.expectNoMessage(Duration.ZERO);
    connected(ninetyDays);
    asked.expectMessage(true);
    renewed.receiveMessage();
  }

  @Test
  void whatFailsIsTriedAgainAfterLongerAndLongerPauses() {
    for (int i = 0; i < 3; i++) {
      failures.add(new JoinException(Kind.COLONY_UNREACHABLE, "nothing answers"));
    }
    renewal.tell(CertificateRenewal.Demanded.INSTANCE);
    connected(ninetyDays);
    asked.expectMessage(true);
    for (int seconds : new int[] {5, 10, 20}) {
      TIME.expectNoMessageFor(Duration.ofSeconds(seconds).minusMillis(1), asked);
      TIME.timePasses(Duration.ofMillis(1));
      asked.expectMessage(true);
    }
    renewed.receiveMessage();
  }

  /** A session that flaps is no reason to ask a colony that is in trouble more often. */
  @Test
  void aNewSessionDoesNotShortenThePause() {
    failures.add(new JoinException(Kind.COLONY_NOT_READY, "no store"));
    renewal.tell(CertificateRenewal.Demanded.INSTANCE);
    connected(ninetyDays);
    asked.expectMessage(true);
    connected(ninetyDays);
    TIME.expectNoMessageFor(Duration.ofMillis(4_999), asked);
    TIME.timePasses(Duration.ofMillis(1));
    asked.expectMessage(true);
  }

  @Test
  void anIdentityThatIsFrozenIsAskedForSlowly() {
    failures.add(new JoinException(Kind.IDENTITY_SUSPENDED, "frozen"));
    renewal.tell(CertificateRenewal.Demanded.INSTANCE);
    connected(ninetyDays);
    asked.expectMessage(true);
    TIME.expectNoMessageFor(Duration.ofHours(1).minusMillis(1), asked);
    TIME.timePasses(Duration.ofMillis(1));
    asked.expectMessage(true);
  }

  @Test
  void whoeverAsksToWaitIsObeyed() {
    failures.add(
        new JoinException(
            new JoinFailure(Kind.TOO_MANY_REQUESTS, "too many", Optional.of(Duration.ofMinutes(2))),
            new IllegalStateException()));
    renewal.tell(CertificateRenewal.Demanded.INSTANCE);
    connected(ninetyDays);
    asked.expectMessage(true);
    TIME.expectNoMessageFor(Duration.ofMinutes(2).minusMillis(1), asked);
    TIME.timePasses(Duration.ofMillis(1));
    asked.expectMessage(true);
  }

  private void connected(Credentials credentials) {
    renewal.tell(new CertificateRenewal.Connected(ENDPOINT, credentials));
  }

  private static Credentials credentials(Duration life) {
    KeyPair keys = KeyType.P_256.generate();
    var certificate =
        FakeColony.AUTHORITY.issue(
            CertificateProfile.agent(FakeColony.COLONY, AgentSettingsTest.AGENT),
            keys.getPublic(),
            FakeColony.START,
            life);
    return new Credentials(
        ColonyTrust.pinned(FakeColony.AUTHORITY.fingerprint()),
        new Identity(keys.getPrivate(), List.of(certificate)),
        Optional.empty());
  }
}
