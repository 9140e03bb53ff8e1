package coral.colony;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.certificate.Authority;
import coral.certificate.BlockedKeys;
import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateIndex;
import coral.certificate.CertificateRequests;
import coral.certificate.CertificateSettings;
import coral.certificate.IssuedCertificate;
import coral.certificate.KeyType;
import coral.certificate.Origin;
import coral.certificate.Payment;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.session.CloseReason;
import coral.testing.Eventually;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.persistence.testkit.PersistenceTestKitPlugin;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What ends with a right, whenever the right has ended. */
@Timeout(60)
class ExpulsionTest {
  private static final ColonyId COLONY = new ColonyId("shop-test-a1b2c3");
  private static final AgentId WEB = new AgentId("web");
  private static final AgentId DATABASE = new AgentId("database");
  private static final Executor AT_ONCE = Runnable::run;

  private final InstantSource clock = InstantSource.system();
  private final Authority authority = Authority.create(COLONY, clock, KeyType.P_256);
  private final CertificateIndex index =
      new CertificateIndex(COLONY, authority::signedClient, clock);
  private final ActorTestKit kit =
      ActorTestKit.create(
          "expulsion",
          ConfigFactory.parseString(
                  """
                  pekko.actor.serialization-bindings { "coral.model.JournalRecord" = jackson-cbor }
                  pekko.actor.allow-java-serialization = off
                  """)
              .withFallback(PersistenceTestKitPlugin.getInstance().config())
              .withFallback(ManualTime.config())
              .withFallback(ConfigFactory.defaultReference()));
  private final ActorRef<CertificateAuthority.Command> certificates =
      kit.spawn(
          CertificateAuthority.create(
              authority,
              new CertificateSettings(Duration.ofDays(1), 10),
              BlockedKeys.none(),
              index,
              "memory",
              clock,
              AT_ONCE));
  private final TestProbe<CertificateAuthority.Reply> probe = kit.createTestProbe();

  private final ManualTime time = ManualTime.get(kit.system());
  private final List<AgentId> peersRemoved = new CopyOnWriteArrayList<>();
  private final Map<AgentId, CloseReason> sessionsClosed = new ConcurrentHashMap<>();
  private final Set<AgentId> connectionsClosed = ConcurrentHashMap.newKeySet();

  /** What closed them last: which certificates it takes for ended. */
  private volatile Predicate<X509Certificate> ended = certificate -> false;

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  private Expulsion expulsion() {
    return new Expulsion(
        index,
        (agentId, expel) -> sessionsClosed.put(agentId, expel.reason()),
        peersRemoved::add,
        (name, which) -> {
          ended = which;
          name.map(AgentId::new).ifPresent(connectionsClosed::add);
          return 1;
        },
        kit.system());
  }

  private <R extends CertificateAuthority.Reply> R ask(
      Class<R> expected,
      Function<ActorRef<CertificateAuthority.Reply>, CertificateAuthority.Command> command) {
    certificates.tell(command.apply(probe.ref()));
    return probe.expectMessageClass(expected, Duration.ofSeconds(20));
  }

  private X509Certificate join(AgentId agentId) {
    return issue(agentId, new Payment.ColonySecret(), Origin.ANYONE);
  }

  private X509Certificate renew(AgentId agentId, X509Certificate former) {
    return issue(
        agentId, new Payment.Certificate(Protobuf.serial(former)), "agent/" + agentId.value());
  }

  private X509Certificate issue(AgentId agentId, Payment payment, String actor) {
    KeyPair keys = KeyType.P_256.generate();
    CertificateAuthority.Issued issued =
        ask(
            CertificateAuthority.Issued.class,
            replyTo ->
                new CertificateAuthority.Issue(
                    agentId,
                    CertificateRequests.create(agentId, keys),
                    payment,
                    Optional.empty(),
                    new Origin(actor, "10.0.0.1", ""),
                    replyTo));
    return Pem.certificates(issued.chainPem().getBytes(US_ASCII)).get(0);
  }

  /** The first use, which ends the certificate before. */
  private void use(X509Certificate certificate) {
    assertTrue(index.acceptsHolder(certificate));
    Eventually.holds(
        () ->
            assertEquals(
                Optional.of(Protobuf.serial(certificate)),
                index.identity(WEB).orElseThrow().current().map(IssuedCertificate::serial)));
  }

  private void revoke(AgentId agentId) {
    ask(
        CertificateAuthority.Revoked.class,
        replyTo ->
            new CertificateAuthority.Revoke(
                agentId, "stolen", new Origin("operator/ann", "10.0.0.2", ""), replyTo));
  }

  /** Peers are made early at a start, of who is good then; who follows what ends begins later. */
  @Test
  void whatEndedBeforeAnybodyFollowedIsMadeUpFor() {
    join(WEB);
    join(DATABASE);
    revoke(WEB);
    expulsion().follow();
    assertEquals(List.of(WEB), peersRemoved);
    assertTrue(sessionsClosed.isEmpty(), "there are none before the port is open");
  }

  @Test
  void whatEndsFromThenOnLosesItsPeerItsSessionAndItsConnections() {
    join(WEB);
    join(DATABASE);
    expulsion().follow();
    assertEquals(List.of(), peersRemoved);
    revoke(WEB);
    assertEquals(List.of(WEB), peersRemoved);
    assertEquals(Map.of(WEB, CloseReason.REVOKED), sessionsClosed);
    time.timePasses(Expulsion.LAST_WORD);
    Eventually.holds(() -> assertEquals(Set.of(WEB), connectionsClosed));
  }

  @Test
  void whoRenewsItsCertificateKeepsTheCallsThatItHasUnderWay() {
    X509Certificate first = join(WEB);
    use(first);
    expulsion().follow();
    X509Certificate second = renew(WEB, first);
    use(second);
    assertFalse(index.accepts(first), "no new call");
    X509Certificate third = renew(WEB, second); // the authority is done with what was before
    assertEquals(Map.of(WEB, CloseReason.CERTIFICATE_SUPERSEDED), sessionsClosed);
    time.timePasses(Expulsion.CALLS_UNDER_WAY.minusMillis(1));
    use(third);
    assertEquals(Set.of(), connectionsClosed);

    time.timePasses(Duration.ofMillis(1));
    Eventually.holds(() -> assertEquals(Set.of(WEB), connectionsClosed));
    assertTrue(ended.test(first));
    assertFalse(ended.test(second), "its calls have had no hour yet");
    assertFalse(ended.test(third));
  }

  @Test
  void aRevocationEndsTheCallsOfFormerCertificatesToo() {
    X509Certificate first = join(WEB);
    use(first);
    expulsion().follow();
    X509Certificate second = renew(WEB, first);
    use(second);
    revoke(WEB);
    time.timePasses(Expulsion.LAST_WORD);
    Eventually.holds(() -> assertEquals(Set.of(WEB), connectionsClosed));
    assertTrue(ended.test(first));
    assertTrue(ended.test(second));
  }

  /** The former holder is not who has claimed it. */
  @Test
  void anIdThatIsClaimedAnewEndsWhatItsFormerHolderHasOpen() {
    X509Certificate first = join(WEB);
    use(first);
    expulsion().follow();
    ask(
        CertificateAuthority.RebindAllowed.class,
        replyTo ->
            new CertificateAuthority.AllowRebind(
                WEB,
                Duration.ofHours(1),
                "the disk is lost",
                new Origin("operator/ann", "10.0.0.2", ""),
                replyTo));
    join(WEB);
    time.timePasses(Expulsion.LAST_WORD);
    Eventually.holds(() -> assertEquals(Set.of(WEB), connectionsClosed));
    assertTrue(ended.test(first));
  }
}
