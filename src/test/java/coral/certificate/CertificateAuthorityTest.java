package coral.certificate;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import coral.certificate.CertificateAuthority.Command;
import coral.certificate.CertificateAuthority.Issue;
import coral.certificate.CertificateAuthority.Issued;
import coral.certificate.CertificateAuthority.Refusal;
import coral.certificate.CertificateAuthority.Reply;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.Refused;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.javadsl.PersistenceTestKit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class CertificateAuthorityTest {
  private static final AgentId WEB = new AgentId("web");
  private static final AgentId DATABASE = new AgentId("database");
  private static final CertificateSettings SETTINGS =
      new CertificateSettings(Duration.ofDays(90), 100_000);
  private static final String STORE = AuthorityKit.STORE;
  private static final String JOURNAL = AuthorityKit.JOURNAL;
  private static final int PLACES = 4;
  private static final KeyPair KEY = Roots.EC;
  private static final KeyPair OTHER_KEY = KeyType.P_256.generate();

  private final AuthorityKit desk = new AuthorityKit();
  private final ActorTestKit kit = desk.kit;
  private final PersistenceTestKit journal = desk.journal;
  private final TestProbe<Reply> probe = desk.probe;
  private final ExecutorService threads = desk.threads;
  private final CertificateIndex index = desk.index;

  @AfterEach
  void stop() {
    desk.close();
  }

  @Test
  void aCertificateIsJournaledAndGood() {
    Issued issued = issue(authority(threads), WEB, KEY);
    List<X509Certificate> chain = Pem.certificates(issued.chainPem().getBytes(US_ASCII));
    assertEquals(2, chain.size());
    assertEquals(Roots.QUICK.chain(chain.get(0)), chain);
    assertEquals(KEY.getPublic(), chain.get(0).getPublicKey());
    assertEquals(Roots.NOW.plus(Duration.ofDays(90)), issued.notAfter());
    assertTrue(index.accepts(chain.get(0)));
    CertificateEvent.Issued event =
        assertInstanceOf(CertificateEvent.Issued.class, journal.persistedInStorage(JOURNAL).get(0));
    assertEquals(issued.serial(), event.serial());
    assertEquals(Pem.encode(chain.get(0)), event.certificatePem());
  }

  /** The same request id with the same key gets its answer again. */
  @Test
  void theSameKeyGetsTheSameCertificateBecauseTheAnswerMayHaveBeenLost() {
    ActorRef<Command> authority = authority(threads);
    Issued first = issue(authority, WEB, KEY);
    assertEquals(first, issue(authority, WEB, KEY));
    assertEquals(1, journal.persistedInStorage(JOURNAL).size());
    authority.tell(new CertificateAuthority.Status(WEB, probe.ref()));
    assertEquals(
        first.serial(),
        probe.expectMessageClass(CertificateAuthority.AgentCertificate.class).serial());
  }

  @Test
  void anotherKeyForATakenIdIsRefusedAndSoIsATakenKeyForAnotherId() {
    ActorRef<Command> authority = authority(threads);
    issue(authority, WEB, KEY);
    assertEquals(Failure.AGENT_ID_TAKEN, refusal(authority, WEB, OTHER_KEY));
    assertEquals(Failure.AGENT_ID_TAKEN, refusal(authority, DATABASE, KEY));
    assertEquals(1, journal.persistedInStorage(JOURNAL).size());
  }

  @Test
  void aRequestThatProvesNothingIsRefused() {
    ActorRef<Command> authority = authority(threads);
    byte[] forDatabase = CertificateRequests.create(DATABASE, KEY);
    authority.tell(issue(WEB, forDatabase, "10.0.0.1", probe));
    assertEquals(
        Failure.INVALID_ARGUMENT, probe.expectMessageClass(Refusal.class).refused().failure());
  }

  @Test
  void theRootsOwnKeyGetsNoCertificate() {
    KeyPair root = KeyType.RSA_2048.generate();
    ActorRef<Command> authority =
        kit.spawn(
            CertificateAuthority.create(
                Authority.create(Roots.COLONY, Roots.CLOCK, root),
                SETTINGS,
                BlockedKeys.none(),
                index,
                STORE,
                Roots.CLOCK,
                threads));
    assertEquals(Failure.INVALID_ARGUMENT, refusal(authority, WEB, root));
    assertEquals(0, journal.persistedInStorage(JOURNAL).size());
  }

  /** One at a time of one agent id: the second costs no signature. */
  @Test
  void ofTwoConcurrentFirstClaimsWithTwoKeysOneWins() {
    Stepwise steps = new Stepwise();
    ActorRef<Command> authority = authority(steps);
    TestProbe<Reply> other = kit.createTestProbe();
    tell(authority, WEB, KEY, probe);
    tell(authority, WEB, OTHER_KEY, other);
    steps.run(probe, 2); // the first is verified and signed
    probe.expectMessageClass(Issued.class);
    steps.run(probe, 1); // the second is verified
    assertEquals(
        Failure.AGENT_ID_TAKEN, other.expectMessageClass(Refusal.class).refused().failure());
    assertEquals(1, journal.persistedInStorage(JOURNAL).size());
  }

  @Test
  void ofManyConcurrentFirstClaimsOneWins() {
    ActorRef<Command> authority = authority(threads);
    int claims = 16;
    for (int i = 0; i < claims; i++) {
      tell(authority, WEB, KeyType.P_256.generate(), probe);
    }
    int issued = 0;
    for (int i = 0; i < claims; i++) {
      Reply reply = probe.receiveMessage(Duration.ofSeconds(20));
      issued += reply instanceof Issued ? 1 : 0;
    }
    assertEquals(1, issued);
    assertEquals(1, journal.persistedInStorage(JOURNAL).size());
  }

  @Test
  void oneTooManyWaitingIsToldToComeLater() {
    Stepwise steps = new Stepwise();
    ActorRef<Command> authority = authority(steps);
    TestProbe<Reply> other = kit.createTestProbe();
    for (int i = 0; i < PLACES; i++) {
      tell(authority, WEB, KEY, probe);
    }
    tell(authority, WEB, KEY, other);
    assertEquals(
        Failure.LIMIT_REACHED, other.expectMessageClass(Refusal.class).refused().failure());
    steps.run(probe, 5); // one signature, and the same answer three times more
    for (int i = 0; i < PLACES; i++) {
      probe.expectMessageClass(Issued.class);
    }
    tell(authority, WEB, KEY, other);
    steps.run(probe, 1);
    other.expectMessageClass(Issued.class);
  }

  @Test
  void theLedgerIsReadBackFromTheJournal() {
    ActorRef<Command> first = authority(threads);
    Issued issued = issue(first, WEB, KEY);
    kit.stop(first);
    CertificateIndex fresh =
        new CertificateIndex(Roots.COLONY, Roots.QUICK::signedClient, Roots.CLOCK);
    assertFalse(fresh.accepts(leaf(issued)), "nothing is accepted before the journal is read");
    assertEquals(Failure.NOT_READY, fresh.refusal(leaf(issued)).orElseThrow().failure());
    ActorRef<Command> second =
        kit.spawn(
            CertificateAuthority.create(
                Roots.QUICK, SETTINGS, BlockedKeys.none(), fresh, STORE, Roots.CLOCK, threads));
    assertEquals(Failure.AGENT_ID_TAKEN, refusal(second, WEB, OTHER_KEY));
    assertTrue(fresh.isComplete());
    assertTrue(fresh.accepts(leaf(issued)));
    issue(second, WEB, KEY);
  }

  @Test
  void aJournalThatFailsRefusesAndIsTriedAgain() {
    ActorRef<Command> authority = authority(threads);
    issue(authority, WEB, KEY);
    journal.failNextPersisted(JOURNAL);
    assertEquals(Failure.STORE_UNAVAILABLE, refusal(authority, DATABASE, OTHER_KEY));
    probe.awaitAssert(
        Duration.ofSeconds(10),
        () -> {
          tell(authority, DATABASE, OTHER_KEY, probe);
          probe.expectMessageClass(Issued.class);
          return null;
        });
    assertEquals(2, journal.persistedInStorage(JOURNAL).size());
  }

  @Test
  void aJournalThatCannotBeReadIsNeverAnEmptyOne() {
    issue(authority(threads), WEB, KEY);
    journal.failNextRead(JOURNAL);
    ActorRef<Command> authority = authority(threads);
    tell(authority, WEB, OTHER_KEY, probe);
    Refused refused = probe.expectMessageClass(Refusal.class, Duration.ofSeconds(10)).refused();
    assertEquals(Failure.STORE_UNAVAILABLE, refused.failure());
    assertTrue(refused.message().contains(STORE), refused.message());
    probe.awaitAssert(
        Duration.ofSeconds(10),
        () -> {
          assertEquals(Failure.AGENT_ID_TAKEN, refusal(authority, WEB, OTHER_KEY));
          return null;
        });
  }

  @Test
  void theAuditLogHasALineForEachIssueAndRefusalAndNoSecrets() {
    Logger logger = (Logger) LoggerFactory.getLogger("coral.audit");
    ListAppender<ILoggingEvent> appender = new ListAppender<>();
    appender.start();
    logger.addAppender(appender);
    try {
      ActorRef<Command> authority = authority(threads);
      Issued issued = issue(authority, WEB, KEY);
      authority.tell(
          issue(
              WEB,
              CertificateRequests.create(WEB, OTHER_KEY),
              "10.0.0.9\ncertificate issued: agent=evil",
              probe));
      probe.expectMessageClass(Refusal.class);
      List<String> lines = new ArrayList<>();
      appender.list.forEach(event -> lines.add(event.getFormattedMessage()));
      assertEquals(2, lines.size(), lines.toString());
      String key = PublicKeys.hash(KEY.getPublic()).substring(0, 16);
      assertTrue(
          lines
              .get(0)
              .startsWith(
                  "certificate issued: agent=web serial="
                      + issued.serial()
                      + " key="
                      + key
                      + " source=10.0.0.1"),
          lines.get(0));
      assertTrue(lines.get(1).contains("reason=AGENT_ID_TAKEN"), lines.get(1));
      assertFalse(lines.get(1).contains("\n"), lines.get(1));
      assertFalse(lines.toString().contains("BEGIN"), lines.toString());
    } finally {
      logger.detachAppender(appender);
    }
  }

  private ActorRef<Command> authority(Executor signing) {
    return desk.authority(signing, signing instanceof Stepwise ? PLACES : SETTINGS.maxWaiting());
  }

  private Issued issue(ActorRef<Command> authority, AgentId agentId, KeyPair keys) {
    tell(authority, agentId, keys, probe);
    return probe.expectMessageClass(Issued.class, Duration.ofSeconds(10));
  }

  private Failure refusal(ActorRef<Command> authority, AgentId agentId, KeyPair keys) {
    tell(authority, agentId, keys, probe);
    return probe.expectMessageClass(Refusal.class, Duration.ofSeconds(10)).refused().failure();
  }

  private static void tell(
      ActorRef<Command> authority, AgentId agentId, KeyPair keys, TestProbe<Reply> replyTo) {
    authority.tell(issue(agentId, CertificateRequests.create(agentId, keys), "10.0.0.1", replyTo));
  }

  private static Issue issue(
      AgentId agentId, byte[] csrPem, String source, TestProbe<Reply> replyTo) {
    return new Issue(
        agentId,
        csrPem,
        new Payment.ColonySecret(),
        Optional.empty(),
        new Origin(Origin.ANYONE, source, ""),
        replyTo.ref());
  }

  private static X509Certificate leaf(Issued issued) {
    return Pem.certificates(issued.chainPem().getBytes(US_ASCII)).get(0);
  }
}
