package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.typesafe.config.ConfigFactory;
import coral.agent.JoinFailure.Kind;
import coral.certificate.Authority;
import coral.certificate.AuthorityRotation;
import coral.certificate.CertificateProfile;
import coral.certificate.CertificateRole;
import coral.certificate.KeyType;
import coral.certificate.TrustBundle;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Secret;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Which roots and certificates an agent takes from whoever speaks for its colony. */
class TrustKeeperTest {
  private static final Endpoint ENDPOINT = new Endpoint("127.0.0.1", 9000);
  private static final AuthorityRotation.Fleet READY = new AuthorityRotation.Fleet(1, 1, 1);

  @TempDir Path home;

  private FakeColony colony = new FakeColony();
  private final Authority authority =
      Authority.create(FakeColony.COLONY, () -> FakeColony.START, KeyType.P_256);
  private final AuthorityRotation rotation =
      new AuthorityRotation(authority, KeyType.P_256, () -> FakeColony.START);
  private final X509Certificate first = authority.certificate();
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private Enrolment enrolment;

  @BeforeEach
  void join() throws Exception {
    logger().addAppender(lines);
    lines.start();
    colony.authority = authority;
    enrolment = enrolment(payment());
    Credentials bought = enrolment.bought(List.of(ENDPOINT), Optional.of(enrolment.token()));
    colony.reach(List.of(ENDPOINT), bought.trust(), bought.identity());
    enrolment.remember(bought, ENDPOINT, "10.42.0.2 fd42::2");
    enrolment = enrolment("");
  }

  @AfterEach
  void stopListening() {
    logger().detachAppender(lines);
  }

  private static Logger logger() {
    return (Logger) LoggerFactory.getLogger(TrustKeeper.class);
  }

  @Test
  void aRootThatTheTrustedOneVouchesForIsTakenAndARetiredOneIsForgotten() throws Exception {
    rotation.forward(READY, false);
    TrustBundle both = authority.trustBundle();
    assertEquals(Optional.of(2L), enrolment.take(both));
    assertEquals(Optional.of(2L), enrolment.take(both), "told again with every session");
    assertEquals(2, enrolment.trust().roots().size());
    for (int i = 0; i < 4; i++) {
      rotation.forward(READY, false);
    }
    assertEquals(Optional.of(3L), enrolment.take(authority.trustBundle()));
    assertEquals(List.of(authority.certificate()), enrolment.trust().roots());
    assertFalse(enrolment.trust().includes(first), "not for being remembered");
    assertFalse(enrolment(payment()).trust().includes(first), "nor for being given once more");
    assertEquals(0, warnings());
  }

  @Test
  void aRefusedBundleChangesNothingAndIsToldOfOnce() throws Exception {
    TrustBundle stranger = stranger(2);
    byte[] before = Files.readAllBytes(files().bundleFile());
    assertEquals(Optional.empty(), enrolment.take(stranger));
    assertEquals(Optional.empty(), enrolment.take(stranger(3)));
    assertEquals(Optional.empty(), enrolment.take(new TrustBundle(5_000, List.of(first))));
    assertEquals(new String(before, StandardCharsets.UTF_8), Files.readString(bundleFile()));
    assertEquals(1, warnings());
    rotation.forward(READY, false);
    assertEquals(Optional.of(2L), enrolment.take(authority.trustBundle()));
    assertEquals(Optional.empty(), enrolment.take(new TrustBundle(1, List.of(first))));
    assertEquals(2, warnings(), "once again after one was taken");
  }

  /** A colony that speaks for itself goes on; only what it says of its roots is not believed. */
  @Test
  void aRenewalByATrustedRootIsTakenWithoutTheBundleThatComesWithIt() throws Exception {
    Credentials inUse = enrolment.kept();
    for (TrustBundle refused : List.of(stranger(2), new TrustBundle(9_999, List.of(first)))) {
      colony.answers.add(
          issued ->
              new ColonyClient.IssuedCertificate(
                  issued.chain(), refused.pem(), "", refused.version(), ""));
      Credentials renewed = enrolment.renewed(ENDPOINT, inUse, true).orElseThrow();
      assertEquals(List.of(first), renewed.trust().roots());
      colony.reach(List.of(ENDPOINT), renewed.trust(), renewed.identity());
      inUse = renewed;
    }
    assertEquals(1, warnings());
  }

  @Test
  void atTheFirstContactOnlyWhomThePinnedRootVouchesForIsBelieved() throws Exception {
    for (Path file : List.of(bundleFile(), files().directory().resolve("identity.pem"))) {
      Files.delete(file);
    }
    colony = new FakeColony();
    colony.authority = authority;
    Enrolment fresh = enrolment(payment());
    Secret token = fresh.token();
    rotation.forward(READY, false);
    TrustBundle both = authority.trustBundle();
    colony.answers.add(
        issued -> new ColonyClient.IssuedCertificate(issued.chain(), both.pem(), "", 2, ""));
    JoinFailure failure =
        assertThrows(JoinException.class, () -> fresh.bought(List.of(ENDPOINT), Optional.of(token)))
            .failure();
    assertEquals(Kind.REFUSED, failure.kind());
    assertTrue(failure.message().contains("not to be believed"), failure.message());
    assertTrue(files().trustBundle().isEmpty());
    Credentials bought = fresh.bought(List.of(ENDPOINT), Optional.of(fresh.token()));
    assertEquals(both.roots(), bought.trust().roots());
  }

  /** Before it is written: a certificate of somebody else would replace a good one. */
  @Test
  void aCertificateOfAnotherNameRoleColonyOrKeyIsRefusedBeforeItIsWritten() throws Exception {
    Credentials inUse = enrolment.kept();
    AgentId own = AgentSettingsTest.AGENT;
    Authority elsewhere =
        Authority.create(new ColonyId("shop-prod-0a1b2c"), () -> FakeColony.START, KeyType.P_256);
    record Wrong(String what, Authority by, CertificateProfile profile) {}
    List<Wrong> wrong =
        List.of(
            new Wrong(
                "another id",
                authority,
                CertificateProfile.agent(FakeColony.COLONY, new AgentId("web-2"))),
            new Wrong(
                "an administrator",
                authority,
                CertificateProfile.client(FakeColony.COLONY, CertificateRole.ADMIN, own)),
            new Wrong("the colony", authority, CertificateProfile.server(FakeColony.COLONY)),
            new Wrong(
                "another colony", elsewhere, CertificateProfile.agent(elsewhere.colonyId(), own)));
    for (Wrong one : wrong) {
      colony.answers.add(
          issued -> {
            X509Certificate asked =
                Pem.certificates(issued.chain().getBytes(StandardCharsets.US_ASCII)).get(0);
            return answer(one.by(), one.profile(), new KeyPair(asked.getPublicKey(), null));
          });
      assertUnchanged(inUse, one.what());
    }
    colony.answers.add(
        issued ->
            answer(
                authority,
                CertificateProfile.agent(FakeColony.COLONY, own),
                KeyType.P_256.generate()));
    assertUnchanged(inUse, "another key");
    assertTrue(enrolment.renewed(ENDPOINT, inUse, true).isPresent(), "the right one is taken");
  }

  private void assertUnchanged(Credentials inUse, String what) throws Exception {
    JoinFailure failure =
        assertThrows(JoinException.class, () -> enrolment.renewed(ENDPOINT, inUse, true), what)
            .failure();
    assertEquals(Kind.REFUSED, failure.kind(), what);
    assertEquals(inUse.identity(), files().identity().orElseThrow(), what);
    assertTrue(files().pendingRequest().isPresent(), what);
  }

  private ColonyClient.IssuedCertificate answer(
      Authority by, CertificateProfile profile, KeyPair keys) {
    X509Certificate leaf =
        by.issue(profile, keys.getPublic(), FakeColony.START, Duration.ofDays(90));
    return new ColonyClient.IssuedCertificate(
        Pem.encode(by.chain(leaf)), authority.trustBundle().pem(), "", 1, "");
  }

  private TrustBundle stranger(long version) {
    Authority stranger = Authority.create(FakeColony.COLONY, () -> FakeColony.START, KeyType.P_256);
    return new TrustBundle(version, List.of(first, stranger.certificate()));
  }

  private long warnings() {
    return lines.list.stream().filter(line -> line.getLevel() == Level.WARN).count();
  }

  private AgentFiles files() {
    return new AgentFiles(
        home.resolve("agents").resolve(AgentSettingsTest.AGENT.value()), AgentSettingsTest.AGENT);
  }

  private Path bundleFile() {
    return files().bundleFile();
  }

  private String payment() {
    return "colony-secret = \"the secret\", ca-fingerprint = \""
        + ColonyTrust.fingerprint(first)
        + "\"";
  }

  private Enrolment enrolment(String values) {
    AgentSettings settings =
        AgentSettings.from(
            ConfigFactory.parseString("coral.agent { home = \"" + home + "\"\n" + values + " }")
                .withFallback(AgentSettingsTest.defaults()));
    return new Enrolment(settings, files(), colony, colony, () -> FakeColony.START);
  }
}
