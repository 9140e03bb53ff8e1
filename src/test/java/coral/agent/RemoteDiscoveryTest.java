package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.agent.JoinFailure.Kind;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Over real sockets. */
class RemoteDiscoveryTest {
  private static final Secret SECRET = new Secret(StandInColony.SECRET);
  private static final String KEY = "5a".repeat(32);
  private static StandInDiscovery secure;
  private static StandInDiscovery plaintext;

  private final RemoteDiscovery discovery = new RemoteDiscovery(Duration.ofSeconds(10));

  @BeforeAll
  static void serve() throws Exception {
    secure = StandInDiscovery.overTls();
    plaintext = StandInDiscovery.inPlaintext();
  }

  @AfterAll
  static void stop() {
    secure.close();
    plaintext.close();
  }

  @Test
  void theGrpcPortIsSoughtOnTheHostsOfTheWireGuardSocket() throws Exception {
    assertEquals(
        List.of(new Endpoint("192.0.2.1", 9000), new Endpoint("fd00::1", 9000)),
        discovery.find(plaintext.address(), FakeColony.COLONY));
  }

  /** What discovery says is believed only once the colony has shown its authority. */
  @Test
  void aColonyCanBeLookedUpWithoutAPin() throws Exception {
    assertEquals(2, discovery.find(unpinned(), FakeColony.COLONY).size());
  }

  @Test
  void anUnknownColonyIsNotDiscoveryBeingDown() {
    JoinException e =
        assertThrows(
            JoinException.class,
            () -> discovery.find(plaintext.address(), new ColonyId("another-colony")));
    assertEquals(Kind.COLONY_UNKNOWN, e.failure().kind());
    assertTrue(e.failure().message().contains("another-colony"), e.failure().message());
  }

  @Test
  void discoveryThatIsDownIsNamed() {
    DiscoveryAddress down =
        new DiscoveryAddress(URI.create("http://127.0.0.1:1"), Optional.empty());
    JoinException e =
        assertThrows(JoinException.class, () -> discovery.find(down, FakeColony.COLONY));
    assertEquals(Kind.DISCOVERY_UNREACHABLE, e.failure().kind());
    assertTrue(e.failure().message().contains("http://127.0.0.1:1"), e.failure().message());
  }

  @Test
  void theSecretBuysATokenOverPinnedTls() throws Exception {
    assertEquals(new Secret(StandInDiscovery.token(KEY)), token(secure.address(), SECRET));
  }

  /** S5: without a pin the secret might be shown to anybody. */
  @Test
  void withoutAPinNoSecretIsSent() {
    JoinFailure failure = refused(unpinned(), SECRET);
    assertEquals(Kind.CREDENTIALS_MISSING, failure.kind());
    assertTrue(failure.message().contains("--discovery-fingerprint"), failure.message());
    assertTrue(failure.message().contains("coral invite"), failure.message());
  }

  /** S5: whoever answers with another certificate gets nothing, and the agent says so. */
  @Test
  void aDiscoveryThatIsNotThePinnedOneGetsNoSecret() {
    Fingerprint another = Fingerprint.of(new byte[] {1});
    JoinFailure failure = refused(new DiscoveryAddress(secure.uri(), Optional.of(another)), SECRET);
    assertEquals(Kind.WRONG_PIN, failure.kind());
    assertTrue(failure.message().contains(secure.fingerprint().value()), failure.message());
    assertTrue(failure.message().contains(another.value()), failure.message());
  }

  @Test
  void aWrongSecretIsToldApartAndNeverShown() {
    JoinFailure failure = refused(secure.address(), new Secret("a guess"));
    assertEquals(Kind.WRONG_SECRET, failure.kind());
    assertFalse(failure.message().contains("a guess"), failure.message());
  }

  @Test
  void discoveryThatIsAskedTooOftenSaysWhenToComeBack() {
    secure.retryAfter = Optional.of(Duration.ofSeconds(7));
    JoinFailure failure = refused(secure.address(), SECRET);
    assertEquals(Kind.TOO_MANY_REQUESTS, failure.kind());
    assertEquals(Optional.of(Duration.ofSeconds(7)), failure.retryAfter());
  }

  private static DiscoveryAddress unpinned() {
    return new DiscoveryAddress(secure.uri(), Optional.empty());
  }

  private Secret token(DiscoveryAddress address, Secret secret) throws JoinException {
    return discovery.requestToken(address, FakeColony.COLONY, secret, AgentSettingsTest.AGENT, KEY);
  }

  private JoinFailure refused(DiscoveryAddress address, Secret secret) {
    return assertThrows(JoinException.class, () -> token(address, secret)).failure();
  }
}
