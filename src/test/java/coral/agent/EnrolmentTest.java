package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.agent.JoinFailure.Kind;
import coral.certificate.Authority;
import coral.model.Endpoint;
import coral.model.Secret;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How an agent comes by its certificate and keeps one, whatever stops it. */
class EnrolmentTest {
  private static final Endpoint ENDPOINT = new Endpoint("127.0.0.1", 9000);
  private static final String SECRET = "colony-secret = \"the secret\"";

  @TempDir Path temporary;

  private FakeColony colony = new FakeColony();
  private Path home = Path.of("unset");
  private Instant now = FakeColony.START;

  /** The process ends here: nothing of it may catch this. */
  private static final class Killed extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** Ends the process before or after a certain change of a file. */
  private static final class KilledAt implements FileChanges {
    private interface Change {
      void make() throws IOException;
    }

    private int left;

    KilledAt(int moment) {
      this.left = moment;
    }

    private void change(Change change) throws IOException {
      passes();
      change.make();
      passes();
    }

    private void passes() {
      if (left-- == 0) {
        throw new Killed();
      }
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
      change(() -> ON_DISK.createDirectory(directory));
    }

    @Override
    public void write(Path file, byte[] content) throws IOException {
      change(() -> ON_DISK.write(file, content));
    }

    @Override
    public void delete(Path file) throws IOException {
      change(() -> ON_DISK.delete(file));
    }
  }

  /** S6: at each moment of a first purchase. */
  @Test
  void anAgentThatIsKilledWhileItBuysGoesOnWithTheSameKey() throws Exception {
    int moment = 0;
    for (boolean killed = true; killed; moment++) {
      fresh("buy-" + moment);
      killed = isKilled(this::buy, moment);
      assertTrue(
          files().identity().isEmpty() || files().colony().isPresent(),
          "a certificate of it knows not which colony; killed at " + moment);
      Credentials credentials = again(SECRET);
      assertTrue(files().pendingRequest().isEmpty(), "killed at " + moment);
      assertEquals(1, keys(colony.orders).size(), "killed at " + moment);
      assertEquals(
          "rw-------",
          java.nio.file.attribute.PosixFilePermissions.toString(
              Files.getPosixFilePermissions(files().directory().resolve("identity.pem"))));
      assertTrue(credentials.trust().includes(FakeColony.AUTHORITY.certificate()));
    }
    assertTrue(moment > 10, "only " + moment + " moments");
  }

  /** S6: at each moment of a renewal there is a certificate that the colony takes. */
  @Test
  void anAgentThatIsKilledWhileItRenewsLosesNothing() throws Exception {
    int moment = 0;
    for (boolean killed = true; killed; moment++) {
      fresh("renew-" + moment);
      Credentials first = again(SECRET);
      colony.orders.clear();
      killed = isKilled(enrolment -> enrolment.renewed(ENDPOINT, first, true), moment);

      Enrolment next = enrolment("", FileChanges.ON_DISK);
      assertFalse(next.mustBuy(false), "killed at " + moment);
      Credentials kept = next.kept();
      colony.reach(List.of(ENDPOINT), kept.trust(), kept.identity());
      boolean isOld = kept.identity().certificate().equals(first.identity().certificate());
      // What was under way is completed without being due; what had not begun is not begun.
      boolean wasUnderWay = files().pendingRequest().isPresent();
      Optional<Credentials> completed = next.renewed(ENDPOINT, kept, false);
      assertEquals(isOld && wasUnderWay, completed.isPresent(), "killed at " + moment);
      if (isOld && completed.isEmpty()) {
        completed = next.renewed(ENDPOINT, kept, true);
      }
      Credentials last = completed.orElse(kept);
      assertNotEquals(first.identity().certificate(), last.identity().certificate());
      assertEquals(last.identity(), next.kept().identity());
      assertTrue(files().pendingRequest().isEmpty(), "killed at " + moment);
      assertEquals(1, keys(colony.orders).size(), "killed at " + moment);
    }
    assertTrue(moment > 10, "only " + moment + " moments");
  }

  @Test
  void aRenewalWhoseAnswerIsLostIsAskedForAgainWithTheSameKey() throws Exception {
    fresh("lost");
    Credentials first = again(SECRET);
    colony.orders.clear();
    colony.lostAnswers.add(new JoinException(Kind.COLONY_UNREACHABLE, "broken pipe"));
    Enrolment enrolment = enrolment("", FileChanges.ON_DISK);
    assertThrows(JoinException.class, () -> enrolment.renewed(ENDPOINT, first, true));
    Credentials renewed = enrolment.renewed(ENDPOINT, first, true).orElseThrow();
    assertEquals(Optional.of("certificate"), renewed.paidWith());
    assertEquals(Optional.of("certificate"), enrolment.known().orElseThrow().paidWith());
    assertEquals(1, keys(colony.orders).size());
    assertEquals(
        colony.orders.get(0).request().requestId(), colony.orders.get(1).request().requestId());
  }

  /** RFD 020 (token draft): a token that expires during set-up is retried. */
  @Test
  void aTokenThatIsRefusedIsFetchedAnewForTheSameKey() throws Exception {
    fresh("token");
    colony.certificateFailures.add(new JoinException(Kind.TOKEN_REFUSED, "expired"));
    assertThrows(JoinException.class, () -> buy(enrolment(SECRET, FileChanges.ON_DISK)));
    again(SECRET);
    assertEquals(
        List.of(
            "request token",
            "request certificate with token",
            "request token",
            "request certificate with token"),
        colony.takeCalls().subList(0, 4));
    assertEquals(1, keys(colony.orders).size());
  }

  @Test
  void theKeyIsOnDiskBeforeDiscoveryIsAsked() throws Exception {
    fresh("first");
    colony.tokenFailures.add(new JoinException(Kind.DISCOVERY_UNREACHABLE, "down"));
    Enrolment enrolment = enrolment(SECRET, FileChanges.ON_DISK);
    assertThrows(JoinException.class, enrolment::token);
    String hash = files().pendingRequest().orElseThrow().keyHash();
    assertEquals(new Secret("token of " + hash), enrolment(SECRET, FileChanges.ON_DISK).token());
  }

  @Test
  void anInvitationBuysWithoutDiscovery() throws Exception {
    fresh("invited");
    String line =
        new coral.model.InvitationText(
                FakeColony.COLONY,
                FakeColony.AUTHORITY.fingerprint(),
                List.of(ENDPOINT),
                Optional.empty(),
                "agent",
                Optional.empty(),
                new Secret(FakeColony.INVITATION))
            .encode();
    Credentials bought = again("invitation = \"" + line + "\"");
    assertEquals(Optional.of("invitation"), bought.paidWith());
    assertFalse(colony.takeCalls().contains("request token"));
  }

  @Test
  void anExpiredCertificateIsReplacedByWhoeverHasItsKeyAndPays() throws Exception {
    fresh("expired");
    Credentials first = again(SECRET);
    now = FakeColony.START.plus(Duration.ofDays(91));
    colony.now = now;
    Enrolment poor = enrolment("", FileChanges.ON_DISK);
    JoinFailure failure = assertThrows(JoinException.class, () -> poor.mustBuy(false)).failure();
    assertEquals(Kind.CERTIFICATE_EXPIRED, failure.kind());
    assertTrue(failure.message().contains("coral invite --agent web-1"), failure.message());

    colony.orders.clear();
    Credentials recovered = again(SECRET);
    assertNotEquals(first.identity(), recovered.identity());
    ColonyClient.Order order = colony.orders.get(0);
    assertTrue(isSigned(first, order), "not signed by the old key");
  }

  private static boolean isSigned(Credentials by, ColonyClient.Order order)
      throws GeneralSecurityException {
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initVerify(by.identity().certificate().getPublicKey());
    signature.update(
        coral.files.Pem.decode(
            coral.files.Pem.CERTIFICATE_REQUEST,
            order.request().pem().getBytes(StandardCharsets.US_ASCII),
            coral.files.Pem.MAX_REQUEST_BYTES));
    return signature.verify(order.proof().orElseThrow().signature());
  }

  /** The colony has given the identity's keys up: after allow-rebind it wants one it never saw. */
  @Test
  void anIdentityThatIsFrozenIsAskedForWithAnotherKeyNextTime() throws Exception {
    fresh("frozen");
    Credentials first = again(SECRET);
    colony.orders.clear();
    colony.certificateFailures.add(new JoinException(Kind.IDENTITY_SUSPENDED, "frozen"));
    Enrolment enrolment = enrolment("", FileChanges.ON_DISK);
    assertThrows(JoinException.class, () -> enrolment.renewed(ENDPOINT, first, true));
    enrolment.renewed(ENDPOINT, first, true);
    assertEquals(2, keys(colony.orders).size());
  }

  @Test
  void anotherPinThrowsAwayWhatTheFormerColonyHandedOn() throws Exception {
    fresh("pin");
    again(SECRET);
    Enrolment enrolment =
        new Enrolment(
            settings("ca-fingerprint = \"" + another().fingerprint() + "\""),
            files(),
            colony,
            colony,
            () -> now);
    assertEquals(ColonyTrust.pinned(another().fingerprint()), enrolment.trust());
    enrolment.remember(enrolment.kept(), ENDPOINT, "10.42.0.2 fd42::2");
    assertTrue(files().trustBundle().isEmpty());
  }

  @Test
  void keyAndCertificateOfAFormerReleaseAreRead() throws Exception {
    fresh("former");
    Credentials bought = again(SECRET);
    Path directory = files().directory();
    Files.delete(directory.resolve("identity.pem"));
    bought.identity().save(directory.resolve("cert.pem"), directory.resolve("key.pem"));
    Enrolment enrolment = enrolment("", FileChanges.ON_DISK);
    assertFalse(enrolment.mustBuy(false));
    Credentials kept = enrolment.kept();
    assertEquals(bought.identity(), kept.identity());
    colony.reach(List.of(ENDPOINT), kept.trust(), kept.identity());
    enrolment.renewed(ENDPOINT, kept, true);
    assertFalse(Files.exists(directory.resolve("cert.pem")));
    assertFalse(Files.exists(directory.resolve("key.pem")));
  }

  private interface Action {
    void run(Enrolment enrolment) throws JoinException, IOException;
  }

  private boolean isKilled(Action action, int moment) throws Exception {
    try {
      action.run(enrolment(SECRET, new KilledAt(moment)));
      return false;
    } catch (Killed e) {
      return true;
    }
  }

  private void buy(Enrolment enrolment) throws JoinException, IOException {
    if (enrolment.mustBuy(false)) {
      Optional<Secret> token =
          enrolment.paysWithToken() ? Optional.of(enrolment.token()) : Optional.empty();
      enrolment.bought(List.of(ENDPOINT), token);
    }
    enrolment.remember(enrolment.kept(), ENDPOINT, "10.42.0.2 fd42::2");
  }

  /** What a process with these settings has after it came to its end undisturbed. */
  private Credentials again(String payment) throws Exception {
    Enrolment enrolment = enrolment(payment, FileChanges.ON_DISK);
    if (enrolment.mustBuy(false)) {
      Optional<Secret> token =
          enrolment.paysWithToken() ? Optional.of(enrolment.token()) : Optional.empty();
      enrolment.bought(List.of(ENDPOINT), token);
    }
    Credentials kept = enrolment.kept();
    colony.reach(List.of(ENDPOINT), kept.trust(), kept.identity());
    enrolment.remember(kept, ENDPOINT, "10.42.0.2 fd42::2");
    return enrolment.kept();
  }

  private void fresh(String name) {
    home = temporary.resolve(name);
    colony = new FakeColony();
  }

  private AgentFiles files() {
    return new AgentFiles(
        home.resolve("agents").resolve(AgentSettingsTest.AGENT.value()), AgentSettingsTest.AGENT);
  }

  private Enrolment enrolment(String payment, FileChanges changes) {
    String pin =
        payment.contains("colony-secret")
            ? ", ca-fingerprint = \"" + FakeColony.AUTHORITY.fingerprint() + "\""
            : "";
    return new Enrolment(
        settings(payment + pin),
        new AgentFiles(
            home.resolve("agents").resolve(AgentSettingsTest.AGENT.value()),
            AgentSettingsTest.AGENT,
            changes),
        colony,
        colony,
        () -> now);
  }

  private AgentSettings settings(String values) {
    return AgentSettings.from(
        ConfigFactory.parseString("coral.agent { home = \"" + home + "\"\n" + values + " }")
            .withFallback(AgentSettingsTest.defaults()));
  }

  private static Set<String> keys(List<ColonyClient.Order> orders) {
    return orders.stream().map(order -> order.request().keyHash()).collect(Collectors.toSet());
  }

  private static Authority another() {
    return Another.AUTHORITY;
  }

  /** Made once, and only if it is needed: RSA-4096 takes its time. */
  private static final class Another {
    static final Authority AUTHORITY = Authority.create(FakeColony.COLONY, () -> FakeColony.START);
  }
}
