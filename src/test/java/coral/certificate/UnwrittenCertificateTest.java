package coral.certificate;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.CertificateAuthority.Command;
import coral.certificate.CertificateAuthority.Issued;
import coral.certificate.CertificateAuthority.Refusal;
import coral.certificate.CertificateAuthority.Reply;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.JournalOperation;
import org.apache.pekko.persistence.testkit.ProcessingPolicy;
import org.apache.pekko.persistence.testkit.ProcessingResult;
import org.apache.pekko.persistence.testkit.ProcessingSuccess;
import org.apache.pekko.persistence.testkit.Reject;
import org.apache.pekko.persistence.testkit.StorageFailure;
import org.apache.pekko.persistence.testkit.WriteEvents;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * C11: between a certificate's signature and its place in the journal a colony may die. Nobody has
 * the certificate then, and nobody could use it.
 */
class UnwrittenCertificateTest {
  private static final AgentId WEB = new AgentId("web");
  private static final int PLACES = 16;
  private static final Duration SOON = Duration.ofSeconds(10);

  /** What becomes of the write of a certificate. */
  private enum Outcome {
    FAILS,
    IS_REFUSED
  }

  /** Lets the journal's writes of certificates go wrong, and keeps what they were to hold. */
  private static final class Failing implements ProcessingPolicy<JournalOperation> {
    private final Outcome outcome;
    final Queue<X509Certificate> unwritten = new ConcurrentLinkedQueue<>();
    private int left;

    Failing(Outcome outcome, int times) {
      this.outcome = outcome;
      this.left = times;
    }

    @Override
    public synchronized ProcessingResult tryProcess(String journal, JournalOperation operation) {
      List<X509Certificate> certificates =
          operation instanceof WriteEvents write ? certificates(write.getBatch()) : List.of();
      if (certificates.isEmpty() || left == 0) {
        return ProcessingSuccess.getInstance();
      }
      left--;
      unwritten.addAll(certificates);
      IOException cause = new IOException("the disk is full");
      return outcome == Outcome.FAILS ? new StorageFailure(cause) : new Reject(cause);
    }

    private static List<X509Certificate> certificates(List<?> events) {
      return events.stream()
          .filter(CertificateEvent.Issued.class::isInstance)
          .map(event -> leaf(((CertificateEvent.Issued) event).certificatePem()))
          .toList();
    }
  }

  private final AuthorityKit desk = new AuthorityKit();
  private final TestProbe<Reply> probe = desk.probe;

  @AfterEach
  void stop() {
    desk.close();
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName("C11: a certificate that was signed and not written is handed out to nobody")
  void aCertificateThatWasSignedAndNotWrittenIsHandedOutToNobody(Outcome outcome) {
    Failing policy = new Failing(outcome, 3);
    desk.journal.withPolicy(policy);
    ActorRef<Command> authority = desk.authority(desk.threads, PLACES);
    Payment token =
        new Payment.Token(
            "once",
            Roots.NOW,
            Roots.NOW.plusSeconds(60),
            PublicKeys.hash(Roots.EC.getPublic()),
            CertificateRole.AGENT);
    for (int refused = 0; refused < 3; ) {
      authority.tell(AuthorityKit.request(WEB, Roots.EC, token, probe));
      Reply reply = probe.receiveMessage(SOON);
      assertFalse(reply instanceof Issued, "the caller got what was not written");
      assertEquals(Failure.STORE_UNAVAILABLE, ((Refusal) reply).refused().failure());
      refused = policy.unwritten.size();
    }
    assertEquals(List.of(), desk.journal.persistedInStorage(AuthorityKit.JOURNAL));
    // The caller asks again, with what it has paid with before.
    Issued issued = askUntilIssued(authority, token);
    authority.tell(AuthorityKit.request(WEB, Roots.EC, token, probe));
    assertEquals(issued, probe.expectMessageClass(Issued.class, SOON), "one certificate");
    assertTrue(desk.index.acceptsHandshake(leaf(issued.chainPem())));

    Set<String> serials = new HashSet<>(Set.of(issued.serial()));
    for (X509Certificate unwritten : policy.unwritten) {
      assertTrue(Roots.QUICK.signedClient(unwritten), "it was signed");
      assertFalse(desk.index.acceptsHandshake(unwritten), "and is refused in the handshake");
      assertFalse(desk.index.acceptsHolder(unwritten), "and on a call");
      assertTrue(
          serials.add(SerialNumbers.hex(unwritten.getSerialNumber())), "its number came once");
    }
    assertEquals(4, serials.size());
  }

  @Test
  @DisplayName("C11: an answer that a crash has swallowed is given again, and nothing is signed")
  void anAnswerThatACrashHasSwallowedIsGivenAgain() {
    ActorRef<Command> first = desk.authority(desk.threads, PLACES);
    Payment secret = new Payment.ColonySecret();
    TestProbe<Reply> nobody = desk.kit.createTestProbe();
    first.tell(AuthorityKit.request(WEB, Roots.EC, secret, nobody));
    Issued lost = nobody.expectMessageClass(Issued.class, SOON);
    desk.kit.stop(first);
    Stepwise steps = new Stepwise();
    ActorRef<Command> second = desk.authority(steps, PLACES);
    second.tell(AuthorityKit.request(WEB, Roots.EC, secret, probe));
    steps.run(probe, 1); // its key is verified
    assertEquals(lost, probe.expectMessageClass(Issued.class, SOON));
    assertEquals(0, steps.waiting());
  }

  /** A colony that dies with the signature made has written nothing, and begins without it. */
  @Test
  @DisplayName("C11: a colony that dies between signature and write begins without the certificate")
  void aColonyThatDiesBetweenSignatureAndWriteBeginsWithoutTheCertificate() {
    Failing policy = new Failing(Outcome.FAILS, 1);
    desk.journal.withPolicy(policy);
    ActorRef<Command> first = desk.authority(desk.threads, PLACES);
    Payment secret = new Payment.ColonySecret();
    first.tell(AuthorityKit.request(WEB, Roots.EC, secret, probe));
    probe.expectMessageClass(Refusal.class, SOON);
    desk.kit.stop(first);
    X509Certificate signed = policy.unwritten.remove();
    CertificateIndex index =
        new CertificateIndex(Roots.COLONY, Roots.QUICK::signedClient, Roots.CLOCK);
    ActorRef<Command> second =
        desk.kit.spawn(
            CertificateAuthority.create(
                Roots.QUICK,
                new CertificateSettings(
                    Duration.ofDays(90), 100, PLACES, List.of(), Optional.empty()),
                BlockedKeys.none(),
                index,
                AuthorityKit.STORE,
                Roots.CLOCK,
                desk.threads));
    Issued issued = askUntilIssued(second, secret);
    assertNotEquals(SerialNumbers.hex(signed.getSerialNumber()), issued.serial());
    assertFalse(index.acceptsHandshake(signed));
    assertTrue(index.acceptsHandshake(leaf(issued.chainPem())));
  }

  private Issued askUntilIssued(ActorRef<Command> authority, Payment payment) {
    return probe.awaitAssert(
        SOON,
        () -> {
          authority.tell(AuthorityKit.request(WEB, Roots.EC, payment, probe));
          return probe.expectMessageClass(Issued.class, SOON);
        });
  }

  private static X509Certificate leaf(String pem) {
    return Pem.certificates(pem.getBytes(US_ASCII)).get(0);
  }
}
