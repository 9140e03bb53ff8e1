package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.agent.JoinFailure.Kind;
import coral.certificate.TrustBundle;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** What a member does when its certificate is renewed, replaced, revoked, or signed by another. */
class CertificateLifeTest extends MemberFixture {
  private static final ActorTestKit KIT = ActorTestKit.create(ManualTime.config());
  private static final ManualTime TIME = ManualTime.get(KIT.system());

  CertificateLifeTest() {
    super(KIT);
  }

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @Test
  void aRenewedCertificateIsUsedInANewSessionAndTheTunnelStaysAsItIs() throws Exception {
    join(settings("the secret", true));
    FakeColony.Session first = awaitSession();
    open(first);
    String serial = awaitJoined().certificateSerial();
    colony.takeCalls();
    first.agent.accept(new SessionMessage.RenewalDemanded());
    await(AgentEvent.Renewed.class);
    FakeColony.Session second = awaitSession();
    // The colony ends the old session at the first sight of the new certificate; nobody minds.
    first.agent.accept(
        new SessionMessage.Ended(new JoinFailure(Kind.SESSION_LOST, "certificate superseded")));
    open(second);
    JoinReport report = awaitJoined();
    assertNotEquals(serial, report.certificateSerial());
    assertEquals(Optional.of("certificate"), report.certificatePaidWith());
    assertTrue(first.closed);
    assertFalse(second.closed);
    List<String> calls = colony.takeCalls();
    assertTrue(calls.contains("request certificate with certificate"), calls.toString());
    assertEquals(1, calls.stream().filter("open session"::equals).count(), calls.toString());
    assertFalse(calls.contains("create interface"), calls.toString());
    assertFalse(calls.contains("close interface"), calls.toString());
    assertEquals(List.of("request-1", "request-2"), colony.requestIds);
  }

  @Test
  void aRenewalThatFailsLeavesTheSessionAlone() throws Exception {
    join(settings("the secret", true));
    FakeColony.Session session = awaitSession();
    open(session);
    awaitJoined();
    colony.takeCalls();
    colony.certificateFailures.add(new JoinException(Kind.COLONY_NOT_READY, "no store"));
    session.agent.accept(new SessionMessage.RenewalDemanded());
    events.awaitAssert(
        () -> {
          assertEquals(List.of("request certificate with certificate"), colony.calls);
          return null;
        });
    session.agent.accept(new SessionMessage.HeartbeatReceived(1));
    assertFalse(session.closed);
    events.awaitAssert( // the pause of 5 s begins when the actor hears of the failure
        () -> {
          TIME.timePasses(Duration.ofSeconds(5));
          assertTrue(colony.calls.contains("open session"));
          return null;
        });
  }

  @Test
  void aRevokedAgentIsNoPeerAnyMoreAndComesBackSlowly() throws Exception {
    join(settings("the secret", true));
    FakeColony.Session session = awaitSession();
    open(session);
    awaitJoined();
    assertEquals(1, device.peers().size());
    colony.takeCalls();
    session.agent.accept(
        new SessionMessage.Ended(new JoinFailure(Kind.REVOKED, "this agent was revoked")));
    AgentEvent.Failed failed = awaitFailed();
    assertEquals(Kind.REVOKED, failed.failure().kind());
    assertEquals(Optional.of(Duration.ofSeconds(60)), failed.retryIn());
    assertEquals(Set.of(), device.peers());
    colony.reachFailures.add(new JoinException(Kind.CERTIFICATE_REFUSED, "revoked"));
    TIME.timePasses(Duration.ofSeconds(60));
    failed = awaitFailed();
    assertEquals(Kind.CERTIFICATE_REFUSED, failed.failure().kind());
    assertEquals(Optional.of(Duration.ofSeconds(60)), failed.retryIn());
    // It does not buy its way back, secret or not: somebody has decided.
    assertEquals(1, colony.orders.size());
    TIME.timePasses(Duration.ofSeconds(60));
    open(awaitSession());
    awaitJoined();
    assertEquals(1, device.peers().size());
    assertFalse(colony.takeCalls().contains("close interface"));
  }

  @Test
  void aTrustBundleIsAcknowledgedWhenItIsOnDisk() throws Exception {
    join(settings("the secret", true));
    FakeColony.Session session = awaitSession();
    open(session);
    awaitJoined();
    TrustBundle bundle = new TrustBundle(12, List.of(FakeColony.AUTHORITY.certificate()));
    session.agent.accept(new SessionMessage.BundleOffered(bundle));
    assertEquals(12, session.bundles.poll(10, TimeUnit.SECONDS));
    AgentFiles files =
        new AgentFiles(
            home.resolve("agents").resolve(AgentSettingsTest.AGENT.value()),
            AgentSettingsTest.AGENT);
    assertEquals(Optional.of(bundle), files.trustBundle());
    session.agent.accept(new SessionMessage.BundleOffered(new TrustBundle(11, bundle.roots())));
    session.agent.accept(new SessionMessage.BundleOffered(new TrustBundle(13, bundle.roots())));
    assertEquals(13, session.bundles.poll(10, TimeUnit.SECONDS), "11 is not acknowledged");
  }

  @Test
  void anAgentThatIsToldToWaitWaits() throws Exception {
    colony.tokenFailures.add(
        new JoinException(
            new JoinFailure(
                Kind.TOO_MANY_REQUESTS, "too many", Optional.of(Duration.ofSeconds(40))),
            new IllegalStateException()));
    join(settings("the secret", true));
    AgentEvent.Failed failed = awaitFailed();
    assertEquals(JoinStep.REGISTRATION_TOKEN, failed.step());
    assertEquals(Optional.of(Duration.ofSeconds(40)), failed.retryIn());
    TIME.timePasses(Duration.ofSeconds(40));
    awaitSession();
  }

  @Test
  void anIdentityThatIsFrozenStopsAnAgentThatIsNoMember() {
    colony.certificateFailures.add(new JoinException(Kind.IDENTITY_SUSPENDED, "frozen"));
    join(settings("the secret", true));
    assertEquals(Kind.IDENTITY_SUSPENDED, awaitStopped().kind());
  }
}
