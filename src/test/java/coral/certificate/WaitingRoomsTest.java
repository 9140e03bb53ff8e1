package coral.certificate;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import coral.certificate.CertificateAuthority.Command;
import coral.certificate.CertificateAuthority.Issue;
import coral.certificate.CertificateAuthority.Issued;
import coral.certificate.CertificateAuthority.Refusal;
import coral.certificate.CertificateAuthority.Reply;
import coral.model.AgentId;
import coral.model.Failure;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who waits for whom, and what costs nothing: each step is dearer than the one before. */
class WaitingRoomsTest {
  private static final AgentId WEB = new AgentId("web");
  private static final AgentId DATABASE = new AgentId("database");
  private static final int PLACES = 4;
  private static final KeyPair KEY = Roots.EC;
  private static final KeyPair OTHER_KEY = KeyType.P_256.generate();

  private final AuthorityKit desk = new AuthorityKit();
  private final TestProbe<Reply> probe = desk.probe;

  @AfterEach
  void stop() {
    desk.close();
  }

  /** However many strangers wait, those who renew are neither refused nor kept waiting. */
  @Test
  void strangersDoNotKeepMembersFromTheirRenewals() {
    Stepwise steps = new Stepwise();
    ActorRef<Command> authority = desk.authority(steps, PLACES);
    Issued first = issue(authority, steps, WEB, KEY);
    TestProbe<Reply> strangers = desk.kit.createTestProbe();
    for (int i = 0; i < PLACES; i++) {
      // Half of them name the member's own id.
      AgentId named = i % 2 == 0 ? WEB : new AgentId("stranger-" + i);
      tell(authority, named, KeyType.P_256.generate(), strangers);
    }
    tell(authority, DATABASE, OTHER_KEY, probe);
    assertEquals(
        Failure.LIMIT_REACHED, probe.expectMessageClass(Refusal.class).refused().failure());
    authority.tell(renewal(WEB, OTHER_KEY, first.serial(), probe));
    TestProbe<Reply> operator = desk.kit.createTestProbe();
    authority.tell(new CertificateAuthority.ListInvitations(operator.ref()));
    operator.receiveMessage(); // it goes the same way, so the renewal is in its line by now
    // A stranger who names the id was first, and has the turn; then comes the member, before the
    // two strangers who wait for a thread, and before the other one who waits for the id.
    strangers.awaitAssert(() -> assertWaiting(steps, 3));
    steps.run(probe, 1);
    assertEquals(
        Failure.AGENT_ID_TAKEN, strangers.expectMessageClass(Refusal.class).refused().failure());
    for (int piece = 0; piece < 2; piece++) { // verified, and signed
      strangers.awaitAssert(() -> assertWaiting(steps, 3));
      steps.run(probe, 1);
    }
    probe.expectMessageClass(Issued.class);
    strangers.expectNoMessage(Duration.ZERO);
  }

  private static Void assertWaiting(Stepwise steps, int pieces) {
    assertEquals(pieces, steps.waiting());
    return null;
  }

  @Test
  void oneMemberDoesNotKeepOthersFromTheirRenewals() {
    Stepwise steps = new Stepwise();
    ActorRef<Command> authority = desk.authority(steps, 2 * WaitingRooms.PLACES_OF_ONE_MEMBER);
    Issued web = issue(authority, steps, WEB, KEY);
    Issued database = issue(authority, steps, DATABASE, OTHER_KEY);
    KeyPair next = KeyType.P_256.generate();
    for (int i = 0; i < WaitingRooms.PLACES_OF_ONE_MEMBER; i++) {
      authority.tell(renewal(WEB, next, web.serial(), probe));
    }
    TestProbe<Reply> refused = desk.kit.createTestProbe();
    authority.tell(renewal(WEB, next, web.serial(), refused));
    assertEquals(
        Failure.LIMIT_REACHED, refused.expectMessageClass(Refusal.class).refused().failure());
    TestProbe<Reply> other = desk.kit.createTestProbe();
    authority.tell(renewal(DATABASE, KeyType.P_256.generate(), database.serial(), other));
    steps.run(probe, WaitingRooms.PLACES_OF_ONE_MEMBER + 3);
    other.expectMessageClass(Issued.class);
    for (int i = 0; i < WaitingRooms.PLACES_OF_ONE_MEMBER; i++) {
      probe.expectMessageClass(Issued.class);
    }
    authority.tell(renewal(WEB, next, web.serial(), probe));
    steps.run(probe, 1);
    probe.expectMessageClass(Issued.class);
  }

  /** Each check costs more than the one before: a payment is looked up, a signature is computed. */
  @Test
  void aPaymentThatIsWorthNothingIsRefusedBeforeTheRequestIsLookedAt() {
    Stepwise steps = new Stepwise();
    ActorRef<Command> authority = desk.authority(steps, PLACES);
    Map<Payment, Failure> worthless =
        Map.of(
            new Payment.Invitation("0".repeat(64)),
            Failure.UNAUTHENTICATED,
            new Payment.Certificate("0".repeat(32)),
            Failure.FAILED_PRECONDITION,
            new Payment.Token(
                "old",
                Roots.NOW.minusSeconds(9),
                Roots.NOW.plusSeconds(9),
                "0".repeat(64),
                CertificateRole.AGENT),
            Failure.UNAUTHENTICATED);
    worthless.forEach(
        (payment, failure) -> {
          authority.tell(
              new Issue(
                  WEB,
                  "no request at all".getBytes(US_ASCII),
                  payment,
                  Optional.empty(),
                  new Origin(Origin.ANYONE, "10.0.0.1", ""),
                  probe.ref()));
          assertEquals(
              failure,
              probe.expectMessageClass(Refusal.class).refused().failure(),
              payment.toString());
        });
    assertEquals(0, steps.waiting());
  }

  private Issued issue(ActorRef<Command> authority, Stepwise steps, AgentId agentId, KeyPair keys) {
    tell(authority, agentId, keys, probe);
    steps.run(probe, 2); // verified and signed
    return probe.expectMessageClass(Issued.class);
  }

  private static void tell(
      ActorRef<Command> authority, AgentId agentId, KeyPair keys, TestProbe<Reply> replyTo) {
    authority.tell(AuthorityKit.request(agentId, keys, new Payment.ColonySecret(), replyTo));
  }

  private static Issue renewal(
      AgentId agentId, KeyPair keys, String serial, TestProbe<Reply> replyTo) {
    return AuthorityKit.request(agentId, keys, new Payment.Certificate(serial), replyTo);
  }
}
