package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.certificate.CertificateAuthority.Command;
import coral.certificate.CertificateAuthority.Issue;
import coral.certificate.CertificateAuthority.Issued;
import coral.certificate.CertificateAuthority.Refusal;
import coral.certificate.CertificateAuthority.Reply;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.Secret;
import coral.storage.DuckDbFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.security.auth.x500.X500Principal;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real actor on a real database file: what holds under concurrency and across a restart. */
@Timeout(120)
class CertificateJournalTest {
  private static final AgentId WEB = new AgentId("web");
  private static final int USES = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path directory;

  private final ExecutorService threads = Executors.newFixedThreadPool(2);
  private Instant now = Roots.NOW;
  private DuckDbFile file;
  private ActorTestKit kit;
  private CertificateIndex index;
  private ActorRef<Command> authority;
  private TestProbe<Reply> probe;

  @BeforeEach
  void start() throws Exception {
    file = DuckDbFile.open(directory.resolve("colony.duckdb"));
    kit = ActorTestKit.create(file.persistenceConfig().withFallback(ConfigFactory.load()));
    index = new CertificateIndex(Roots.COLONY, Roots.QUICK::signedClient, () -> now);
    authority =
        kit.spawn(
            CertificateAuthority.create(
                Roots.QUICK,
                new CertificateSettings(Duration.ofDays(90), 100_000),
                BlockedKeys.none(),
                index,
                file.path().toString(),
                () -> now,
                threads));
    probe = kit.createTestProbe();
  }

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
    file.close();
  }

  private void restart() throws Exception {
    stop();
    start();
  }

  /** J9, J13: the token is good for one key, so the others are thieves; the journal proves it. */
  @Test
  void ofAHundredConcurrentUsesOfATokenOneWinsAlsoAfterARestart() throws Exception {
    List<KeyPair> keys = keys();
    KeyPair rightful = keys.get(USES / 2);
    Payment token = token("t-1", rightful);
    for (KeyPair each : keys) {
      ask(WEB, each, token);
    }
    int issued = 0;
    String chain = "";
    for (int i = 0; i < USES; i++) {
      if (probe.receiveMessage(PATIENCE) instanceof Issued won) {
        issued++;
        chain = won.chainPem();
      }
    }
    assertEquals(1, issued);
    assertEquals(rightful.getPublic(), leaf(chain).getPublicKey());
    now = now.plusSeconds(2);
    restart();
    ask(WEB, keys.get(0), token);
    assertEquals(Failure.UNAUTHENTICATED, refusal().failure());
    ask(WEB, rightful, token);
    assertEquals(chain, issued().chainPem(), "the answer again, and nothing is spent");
  }

  /** J9: a hundred times the same request is one certificate. */
  @Test
  void aHundredRetriesGetOneCertificate() throws Exception {
    KeyPair keys = KeyType.P_256.generate();
    Payment token = token("t-1", keys);
    for (int i = 0; i < USES; i++) {
      ask(WEB, keys, token);
    }
    Set<String> serials = new HashSet<>();
    for (int i = 0; i < USES; i++) {
      serials.add(issued().serial());
    }
    assertEquals(1, serials.size());
  }

  /** As a token, with different names: each has a request under way at the same time. */
  @Test
  void ofAHundredGuestsWithAnInvitationForOneOneGetsIn() throws Exception {
    Secret secret = InvitationSecrets.next();
    authority.tell(
        new CertificateAuthority.CreateInvitation(
            InvitationSecrets.hash(secret),
            Optional.empty(),
            CertificateRole.AGENT,
            Duration.ofHours(1),
            1,
            TestDesk.OPERATOR,
            probe.ref()));
    probe.expectMessageClass(CertificateAuthority.InvitationCreated.class, PATIENCE);
    List<KeyPair> keys = keys();
    for (int i = 0; i < USES; i++) {
      ask(new AgentId("guest-" + i), keys.get(i), Payment.Invitation.of(secret));
    }
    int issued = 0;
    for (int i = 0; i < USES; i++) {
      issued += probe.receiveMessage(PATIENCE) instanceof Issued ? 1 : 0;
    }
    assertEquals(1, issued);
    restart();
    ask(new AgentId("late"), KeyType.P_256.generate(), Payment.Invitation.of(secret));
    assertEquals(Failure.UNAUTHENTICATED, refusal().failure());
    authority.tell(new CertificateAuthority.ListInvitations(probe.ref()));
    Invitation kept =
        probe
            .expectMessageClass(CertificateAuthority.Invitations.class, PATIENCE)
            .invitations()
            .get(0);
    assertEquals(Invitation.Status.USED, kept.status(now));
    assertEquals("operator/ann", kept.createdBy());
  }

  /** L4: at once, and after a restart. */
  @Test
  void aRevokedIdentityIsRefusedAtOnceAndAfterARestart() throws Exception {
    KeyPair keys = KeyType.P_256.generate();
    ask(WEB, keys, new Payment.ColonySecret());
    X509Certificate certificate = leaf(issued().chainPem());
    assertTrue(index.acceptsHandshake(certificate));
    List<CertificateChange> changes = new ArrayList<>();
    index.onChange(
        change -> {
          assertFalse(index.accepts(certificate), "refused before anybody is told");
          changes.add(change);
        });
    authority.tell(
        new CertificateAuthority.Revoke(WEB, "laptop lost", TestDesk.OPERATOR, probe.ref()));
    CertificateAuthority.Revoked revoked =
        probe.expectMessageClass(CertificateAuthority.Revoked.class, PATIENCE);
    assertEquals(List.of(SerialNumbers.hex(certificate.getSerialNumber())), revoked.serials());
    assertFalse(index.accepts(certificate));
    assertEquals(CertificateChange.Kind.REVOKED, changes.get(0).kind());
    restart();
    ask(WEB, keys, new Payment.ColonySecret());
    assertEquals(Failure.FAILED_PRECONDITION, refusal().failure());
    assertFalse(index.accepts(certificate));
    assertTrue(index.isBarred(WEB));
    authority.tell(new CertificateAuthority.Revoke(WEB, "again", TestDesk.OPERATOR, probe.ref()));
    assertEquals(revoked, probe.expectMessageClass(CertificateAuthority.Revoked.class, PATIENCE));
  }

  /** L6, L7: what lists of revoked certificates and OCSP say, and how it is numbered. */
  @Test
  void thirdPartiesHearOfWhatIsRevokedUntilItIsOverAndByNumbersThatOnlyRise() throws Exception {
    ask(WEB, KeyType.P_256.generate(), new Payment.ColonySecret());
    X509Certificate first = leaf(issued().chainPem());
    X500Principal issuer = first.getIssuerX500Principal();
    RevocationSource source = index.revocations();
    assertEquals(
        new RevocationSource.Status.Good(), source.status(issuer, first.getSerialNumber()));
    assertEquals(
        new RevocationSource.Status.Unknown(),
        source.status(new X500Principal("CN=other"), first.getSerialNumber()));
    assertEquals(List.of(), source.revoked(issuer));
    long before = source.revision();
    authority.tell(new CertificateAuthority.Revoke(WEB, "lost", TestDesk.OPERATOR, probe.ref()));
    probe.expectMessageClass(CertificateAuthority.Revoked.class, PATIENCE);
    assertTrue(source.revision() > before);
    RevocationSource.Entry entry =
        new RevocationSource.Entry(
            first.getSerialNumber(), now, RevocationSource.Reason.UNSPECIFIED);
    assertEquals(List.of(entry), source.revoked(issuer));
    long after = source.revision();
    restart();
    authority.tell(new CertificateAuthority.Status(WEB, probe.ref()));
    probe.expectMessageClass(CertificateAuthority.AgentCertificate.class, PATIENCE);
    assertEquals(List.of(entry), index.revocations().revoked(issuer));
    assertEquals(after, index.revocations().revision());
    now = first.getNotAfter().toInstant().plus(CertificateLedger.RETENTION);
    assertEquals(List.of(entry), index.revocations().revoked(issuer));
    now = now.plusSeconds(1);
    assertEquals(List.of(), index.revocations().revoked(issuer));
    assertTrue(index.isBarred(WEB), "the identity is revoked for good");
  }

  /** The renewed one is used, and with that the old one ends; nobody waits for it. */
  @Test
  void theFirstUseOfARenewedCertificateEndsTheOldOne() throws Exception {
    ask(WEB, KeyType.P_256.generate(), new Payment.ColonySecret());
    X509Certificate old = leaf(issued().chainPem());
    assertTrue(index.acceptsHolder(old));
    String serial = SerialNumbers.hex(old.getSerialNumber());
    ask(WEB, KeyType.P_256.generate(), new Payment.Certificate(serial));
    X509Certificate young = leaf(issued().chainPem());
    assertTrue(index.accepts(old) && index.accepts(young));
    assertTrue(index.acceptsHolder(young));
    probe.awaitAssert(
        PATIENCE,
        () -> {
          assertFalse(index.accepts(old));
          return null;
        });
    assertTrue(index.accepts(young));
  }

  /** The certificate of somebody who has lost it to time, and still has the key. */
  @Test
  void theOldKeySignsForTheNewOneAndNoOtherKeyDoes() throws Exception {
    KeyPair old = KeyType.P_256.generate();
    ask(WEB, old, new Payment.ColonySecret());
    X509Certificate expired = leaf(issued().chainPem());
    now = now.plus(Duration.ofDays(100));
    KeyPair young = KeyType.RSA_2048.generate();
    byte[] csr = CertificateRequests.create(WEB, young);
    PreviousKeyProof forged =
        new PreviousKeyProof(
            Pem.encode(expired).getBytes(StandardCharsets.US_ASCII),
            PreviousKeyProof.create(expired, KeyType.P_256.generate().getPrivate(), csr)
                .signature());
    prove(csr, forged);
    assertEquals(Failure.INVALID_ARGUMENT, refusal().failure());
    byte[] another = CertificateRequests.create(WEB, KeyType.P_256.generate());
    prove(another, PreviousKeyProof.create(expired, old.getPrivate(), csr));
    assertEquals(Failure.INVALID_ARGUMENT, refusal().failure());
    prove(csr, PreviousKeyProof.create(expired, old.getPrivate(), csr));
    assertEquals(young.getPublic(), leaf(issued().chainPem()).getPublicKey());
  }

  private void prove(byte[] csr, PreviousKeyProof proof) {
    authority.tell(
        new Issue(
            WEB,
            csr,
            new Payment.ColonySecret(),
            Optional.of(proof),
            TestDesk.ORIGIN,
            probe.ref()));
  }

  private static List<KeyPair> keys() {
    List<KeyPair> keys = new ArrayList<>();
    for (int i = 0; i < USES; i++) {
      keys.add(KeyType.P_256.generate());
    }
    return keys;
  }

  private Payment token(String id, KeyPair keys) {
    return new Payment.Token(
        id, now, now.plusSeconds(60), PublicKeys.hash(keys.getPublic()), CertificateRole.AGENT);
  }

  private void ask(AgentId agentId, KeyPair keys, Payment payment) {
    authority.tell(
        new Issue(
            agentId,
            CertificateRequests.create(agentId, keys),
            payment,
            Optional.empty(),
            TestDesk.ORIGIN,
            probe.ref()));
  }

  private Issued issued() {
    return assertInstanceOf(Issued.class, probe.receiveMessage(PATIENCE));
  }

  private coral.model.Refused refusal() {
    return assertInstanceOf(Refusal.class, probe.receiveMessage(PATIENCE)).refused();
  }

  private static X509Certificate leaf(String chain) {
    return Pem.certificates(chain.getBytes(StandardCharsets.US_ASCII)).get(0);
  }
}
