package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.agent.JoinFailure.Kind;
import coral.certificate.Authority;
import coral.model.Endpoint;
import coral.model.WireGuardKey;
import coral.wireguard.DeviceEvent;
import coral.wireguard.KeyPair;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** RFD 019's six steps, and section 5 of what an agent does when they fail. */
class JoinColonyTest extends MemberFixture {
  private static final ActorTestKit KIT = ActorTestKit.create(ManualTime.config());
  private static final ManualTime TIME = ManualTime.get(KIT.system());

  JoinColonyTest() {
    super(KIT);
  }

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  @Test
  void theSixStepsComeInTheirOrder() throws Exception {
    join(settings("the secret", true));
    awaitSession();
    assertEquals(
        List.of(
            "find",
            "request token",
            "request certificate with token",
            "reach 127.0.0.1:9000",
            "create interface",
            "register",
            "assign 10.42.0.2 fd42::2",
            "peer 41820",
            "initiate",
            "echo 10.42.0.1",
            "echo fd42::1",
            "open session"),
        colony.takeCalls());
    assertEquals(
        "[10.42.0.0/16, fd42::/64]",
        device.peers().iterator().next().allowedIps().stream()
            .map(Object::toString)
            .sorted()
            .toList()
            .toString());
  }

  /** Every reading of the clock is a millisecond after the last: a step takes one. */
  @Test
  void theReportHasTheTimeFromTheInterfaceToTheFirstProbe() throws Exception {
    join(settings("the secret", true));
    open(awaitSession());
    JoinReport report = awaitJoined();
    assertEquals("10.42.0.2", report.addresses().ipv4Text());
    assertEquals("100", report.certificateSerial());
    assertEquals(Optional.of(MILLISECOND), report.probe().ipv4());
    assertEquals(Optional.of(MILLISECOND), report.probe().ipv6());
    assertEquals(10, report.steps().size());
    assertEquals(Optional.of("token"), report.certificatePaidWith());
    // create, register, assign, add, probe: five steps, four pauses between them
    assertEquals(Optional.of(Duration.ofMillis(9)), report.took());
  }

  @Test
  void aColonyThatIsNotReachedIsTriedAgainAfterLongerAndLongerPauses() throws Exception {
    for (int i = 0; i < 3; i++) {
      colony.reachFailures.add(new JoinException(Kind.COLONY_UNREACHABLE, "nothing answers"));
    }
    join(settings("the secret", true));
    for (int pause : new int[] {250, 500, 1000}) {
      AgentEvent.Failed failed = awaitFailed();
      assertEquals(Kind.COLONY_UNREACHABLE, failed.failure().kind());
      assertEquals(Optional.of(Duration.ofMillis(pause)), failed.retryIn());
      TIME.expectNoMessageFor(Duration.ofMillis(pause - 1), events);
      TIME.timePasses(MILLISECOND);
    }
    awaitSession();
    assertEquals(1, colony.calls.stream().filter("create interface"::equals).count());
  }

  @Test
  void everyTryOfOneJoinHasTheSameRequestId() throws Exception {
    colony.registerFailures.add(new JoinException(Kind.COLONY_UNREACHABLE, "lost answer"));
    colony.registerFailures.add(new JoinException(Kind.COLONY_NOT_READY, "starting"));
    join(settings("the secret", true));
    TIME.timePasses(awaitFailed().retryIn().orElseThrow());
    TIME.timePasses(awaitFailed().retryIn().orElseThrow());
    FakeColony.Session session = awaitSession();
    assertEquals(List.of("request-1", "request-1", "request-1"), colony.requestIds);

    open(session);
    awaitJoined();
    lose(session);
    TIME.timePasses(awaitFailed().retryIn().orElseThrow());
    awaitSession();
    assertEquals("request-2", colony.requestIds.get(3));
  }

  @Test
  void aWrongPinStops() {
    colony.reachFailures.add(new JoinException(Kind.WRONG_PIN, "expected a, actual b"));
    join(settings("the secret", true));
    assertEquals("expected a, actual b", awaitStopped().message());
    assertFalse(colony.calls.contains("create interface"));
  }

  @Test
  void aCertificateOfAnotherAuthorityIsNotBelieved() {
    colony.authority = Authority.create(FakeColony.COLONY, () -> FakeColony.START);
    join(settings("the secret", true));
    JoinFailure failure = awaitStopped();
    assertEquals(Kind.WRONG_PIN, failure.kind());
    assertTrue(failure.message().contains(FakeColony.AUTHORITY.fingerprint().value()));
    assertTrue(failure.message().contains(colony.authority.fingerprint().value()));
  }

  @Test
  void aWrongSecretStops() {
    join(settings("another secret", true));
    assertEquals(Kind.WRONG_SECRET, awaitStopped().kind());
  }

  @Test
  void withoutCertificateAndSecretTheAgentSaysWhatItNeeds() {
    join(settings("", true));
    JoinFailure failure = awaitStopped();
    assertEquals(Kind.CREDENTIALS_MISSING, failure.kind());
    assertTrue(failure.message().contains("--colony-secret-file"), failure.message());
  }

  @Test
  void anAgentIdThatIsTakenStops() {
    colony.registerFailures.add(new JoinException(Kind.AGENT_ID_TAKEN, "taken"));
    join(settings("the secret", true));
    assertEquals(Kind.AGENT_ID_TAKEN, awaitStopped().kind());
    assertTrue(colony.calls.contains("close interface"));
  }

  @Test
  void anExhaustedPoolIsAskedAgainSlowly() throws Exception {
    colony.registerFailures.add(new JoinException(Kind.POOL_EXHAUSTED, "no address"));
    join(settings("the secret", true));
    assertEquals(Optional.of(Duration.ofSeconds(60)), awaitFailed().retryIn());
    TIME.timePasses(Duration.ofSeconds(60));
    awaitSession();
  }

  @Test
  void afterARestartTheCertificateNeedsNoSecretAndNoPin() throws Exception {
    joinAndLeave();
    join(settings("", false));
    awaitSession();
    assertFalse(bought());
  }

  @Test
  void withDiscoveryDownTheColonyIsSoughtWhereItWasLast() throws Exception {
    joinAndLeave();
    colony.lookupFailures.add(new JoinException(Kind.DISCOVERY_UNREACHABLE, "down"));
    join(settings("", false));
    awaitSession();
    assertTrue(colony.takeCalls().contains("reach 127.0.0.1:9000"));
  }

  @Test
  void withDiscoveryDownANewAgentTriesAgain() throws Exception {
    colony.lookupFailures.add(new JoinException(Kind.DISCOVERY_UNREACHABLE, "down"));
    join(settings("the secret", true));
    AgentEvent.Failed failed = awaitFailed();
    assertEquals(JoinStep.FIND_COLONY, failed.step());
    TIME.timePasses(failed.retryIn().orElseThrow());
    awaitSession();
  }

  @Test
  void anExpiredCertificateIsNamedAndStops() throws Exception {
    joinAndLeave();
    now = FakeColony.START.plus(Duration.ofDays(91));
    join(settings("", false));
    JoinFailure failure = awaitStopped();
    assertEquals(Kind.CERTIFICATE_EXPIRED, failure.kind());
    assertTrue(failure.message().contains("2027-02-18T12:00:00Z"), failure.message());
  }

  @Test
  void aRefusedCertificateIsReplacedIfThereIsASecretByANewKeyThatTheOldOneVouchesFor()
      throws Exception {
    joinAndLeave();
    colony.reachFailures.add(new JoinException(Kind.CERTIFICATE_REFUSED, "unknown"));
    join(settings("the secret", true));
    awaitSession();
    assertTrue(bought());
    assertEquals(2, colony.orders.size());
    assertTrue(colony.orders.get(1).proof().isPresent());
    assertNotEquals(
        colony.orders.get(0).request().keyHash(), colony.orders.get(1).request().keyHash());
  }

  @Test
  void aRefusedCertificateStopsAnAgentThatIsNoMember() throws Exception {
    joinAndLeave();
    colony.reachFailures.add(new JoinException(Kind.CERTIFICATE_REFUSED, "unknown"));
    join(settings("", false));
    assertEquals(Kind.CERTIFICATE_REFUSED, awaitStopped().kind());
  }

  @Test
  void theTunnelOfAMemberSurvivesWhateverTheColonySays() throws Exception {
    joinAndLeave();
    join(settings("", false));
    FakeColony.Session session = awaitSession();
    open(session);
    awaitJoined();
    colony.takeCalls();
    colony.reachFailures.add(new JoinException(Kind.CERTIFICATE_REFUSED, "revoked"));
    colony.reachFailures.add(new JoinException(Kind.WRONG_PIN, "somebody else"));
    lose(session);
    TIME.timePasses(awaitFailed().retryIn().orElseThrow());
    assertEquals(Optional.of(Duration.ofSeconds(60)), awaitFailed().retryIn());
    TIME.timePasses(Duration.ofSeconds(60));
    assertEquals(Optional.of(Duration.ofSeconds(60)), awaitFailed().retryIn());
    assertFalse(colony.calls.contains("close interface"));
    TIME.timePasses(Duration.ofSeconds(60));
    open(awaitSession());
    assertEquals(Optional.empty(), awaitJoined().took());
    assertFalse(colony.calls.contains("create interface"));
    assertFalse(colony.calls.contains("close interface"));
  }

  @Test
  void anAddressThatChangedIsAssigned() throws Exception {
    joinAndLeave();
    colony.hostNumber = 7;
    join(settings("", false));
    awaitSession();
    assertTrue(colony.takeCalls().contains("assign 10.42.0.7 fd42::7"));
    assertEquals(
        Optional.of("10.42.0.7 fd42::7"),
        new AgentFiles(
                home.resolve("agents").resolve(AgentSettingsTest.AGENT.value()),
                AgentSettingsTest.AGENT)
            .colony()
            .orElseThrow()
            .addresses());
  }

  @Test
  void aSilentTunnelIsTriedAtTheNextEndpoint() throws Exception {
    colony.wireGuardEndpoints =
        List.of(new Endpoint("127.0.0.1", 1111), new Endpoint("127.0.0.1", 2222));
    device.silent.addAll(List.of("10.42.0.1", "fd42::1"));
    join(settings("the secret", true));
    AgentEvent.Failed failed = awaitFailed();
    assertEquals(Kind.TUNNEL_SILENT, failed.failure().kind());
    assertTrue(failed.failure().message().contains("10.42.0.1 and fd42::1"));
    assertTrue(colony.takeCalls().contains("peer 1111"));
    device.silent.clear();
    TIME.timePasses(failed.retryIn().orElseThrow());
    awaitSession();
    assertTrue(colony.takeCalls().contains("peer 2222"));
  }

  @Test
  void aSessionThatIsSupersededStopsTheAgent() throws Exception {
    endsAMember(Kind.SUPERSEDED);
  }

  @Test
  void anAgentThatIsDeregisteredRemovesItsInterface() throws Exception {
    endsAMember(Kind.DEREGISTERED);
  }

  @Test
  void heartbeatsCarryStatisticsAndProbes() throws Exception {
    join(settings("the secret", true));
    FakeColony.Session session = awaitSession();
    open(session);
    SessionStream.Heartbeat first = awaitHeartbeat(session);
    assertEquals(1, first.sequence());
    assertEquals(42, first.tunnel().orElseThrow().receivedBytes());
    assertTrue(first.probe().orElseThrow().isComplete());
    awaitJoined();

    TIME.timePasses(FakeColony.HEARTBEAT);
    SessionStream.Heartbeat second = awaitHeartbeat(session);
    assertEquals(2, second.sequence());
    assertEquals(Optional.empty(), second.probe());
    session.agent.accept(new SessionMessage.HeartbeatReceived(2));
  }

  /** The colony need not answer for the tunnel to be probed. */
  @Test
  void aMemberProbesItsTunnelEvery30Seconds() {
    TestProbe<ProbeResult> results = KIT.createTestProbe(ProbeResult.class);
    AtomicInteger probes = new AtomicInteger();
    agents.add(
        KIT.spawn(
            TunnelProbe.create(
                () ->
                    new ProbeResult(
                        FakeColony.SUBNET.colony(),
                        Optional.of(Duration.ofMillis(probes.incrementAndGet())),
                        Optional.empty(),
                        Optional.empty()),
                AgentSettings.from(AgentSettingsTest.defaults()).probeInterval(),
                Runnable::run,
                results.ref())));
    // Until the actor runs, time passes without it: its timer is known to run after its first
    // probe.
    ProbeResult first =
        results.awaitAssert(
            () -> {
              TIME.timePasses(Duration.ofSeconds(30));
              return results.receiveMessage(Duration.ofMillis(200));
            });
    assertEquals("fd42::1", first.silent());
    int before = probes.get();
    TIME.expectNoMessageFor(Duration.ofMillis(29_999), results);
    TIME.timePasses(MILLISECOND);
    assertEquals(Optional.of(Duration.ofMillis(before + 1)), results.receiveMessage().ipv4());
  }

  @Test
  void aColonyThatDoesNotAnswerHeartbeatsIsAskedForANewSession() throws Exception {
    join(settings("the secret", true));
    FakeColony.Session session = awaitSession();
    open(session);
    awaitJoined();
    TIME.timePasses(FakeColony.HEARTBEAT.multipliedBy(3));
    AgentEvent.Failed failed = awaitFailed();
    assertEquals(Kind.SESSION_LOST, failed.failure().kind());
    assertTrue(session.closed);
    TIME.timePasses(failed.retryIn().orElseThrow());
    awaitSession();
  }

  @Test
  void aColonyThatMovesIsFollowed() throws Exception {
    join(settings("the secret", true));
    FakeColony.Session session = awaitSession();
    open(session);
    awaitJoined();
    colony.takeCalls();
    WireGuardKey key = KeyPair.generate().publicKey();
    session.agent.accept( // no change: nothing is done
        new SessionMessage.ColonyChanged(
            colony.keys.publicKey(), List.of(new Endpoint("127.0.0.1", 41820))));
    session.agent.accept(
        new SessionMessage.ColonyChanged(key, List.of(new Endpoint("127.0.0.1", 5555))));
    events.awaitAssert(
        () -> {
          assertEquals(List.of("peer 5555", "initiate"), colony.calls);
          return null;
        });
    assertEquals(key, device.peers().iterator().next().publicKey());
  }

  @Test
  void aDeviceThatFailsEndsTheAgent() throws Exception {
    join(settings("the secret", true));
    open(awaitSession());
    awaitJoined();
    device.listeners.get(0).accept(new DeviceEvent.DeviceFailed("unplugged"));
    JoinFailure failure = awaitStopped();
    assertEquals(Kind.DEVICE_LOST, failure.kind());
    assertTrue(failure.message().contains("unplugged"));
  }

  @Test
  void leavingEndsTheSessionAndRemovesTheInterface() throws Exception {
    ActorRef<MeshMember.Command> agent = join(settings("the secret", true));
    FakeColony.Session session = awaitSession();
    agent.tell(MeshMember.Leave.INSTANCE);
    AgentEvent.Stopped stopped = (AgentEvent.Stopped) await(AgentEvent.Stopped.class);
    assertEquals(Optional.empty(), stopped.reason());
    events.expectTerminated(agent);
    assertTrue(session.closed);
    assertTrue(colony.calls.contains("close interface"));
  }

  private boolean bought() {
    return colony.takeCalls().stream().anyMatch(call -> call.startsWith("request certificate"));
  }

  private void endsAMember(Kind reason) throws Exception {
    join(settings("the secret", true));
    FakeColony.Session session = awaitSession();
    open(session);
    awaitJoined();
    session.agent.accept(new SessionMessage.Ended(new JoinFailure(reason, "because")));
    assertEquals(reason, awaitStopped().kind());
    assertTrue(colony.calls.contains("close interface"));
  }
}
