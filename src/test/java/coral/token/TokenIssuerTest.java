package coral.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.WireGuardKey;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The actor under a clock of the test's, with executors that run when the test says so. */
final class TokenIssuerTest {
  private static final class Held implements Executor {
    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

    @Override
    public void execute(Runnable task) {
      tasks.add(task);
    }

    void runOne() {
      try {
        Objects.requireNonNull(tasks.poll(5, TimeUnit.SECONDS), "no task was submitted").run();
      } catch (InterruptedException e) {
        throw new AssertionError("the test was interrupted", e);
      }
    }
  }

  private static final Instant START = Instant.parse("2026-03-01T12:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final ColonyId COLONY = new ColonyId("shop");
  private static final AgentId AGENT = new AgentId("web-1");
  private static final TokenSettings SETTINGS =
      new TokenSettings(Duration.ofDays(30), Duration.ofMinutes(5), 3);

  private final ActorTestKit kit = ActorTestKit.create(ManualTime.config());
  private final ManualTime time = ManualTime.get(kit.system());
  private final Held signing = new Held();
  private final Held storage = new Held();
  private final List<SigningKeys> stored = new ArrayList<>();
  private final TestProbe<TokenIssuer.Reply> probe = kit.createTestProbe();
  private final SigningKeys first = SigningKeys.first(START, RANDOM);
  private volatile Instant now = START;
  private volatile @Nullable IOException failure;

  @AfterEach
  void stop() {
    kit.shutdownTestKit();
  }

  @Test
  void aTokenIsIssuedThatAColonyVerifies() {
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    PublicKeyHash hash = new PublicKeyHash("cd".repeat(32));
    issuer.tell(issue(Optional.of(hash), Optional.empty()));
    signing.runOne();
    TokenIssuer.Issued issued = probe.expectMessageClass(TokenIssuer.Issued.class);
    TokenVerifier verifier =
        new TokenVerifier(COLONY, () -> AcceptedKeys.onFirstUse(first.published()));
    RegistrationToken verified = verifier.verify(issued.compact(), START);
    assertEquals(issued.token(), verified);
    assertEquals(AGENT, verified.agentId());
    assertEquals(Optional.of(hash), verified.keyHash());
    assertEquals(START.plusSeconds(60), verified.expiresAt());
    assertFalse(issued.toString().contains(issued.compact()), "a log must not show it");
  }

  @Test
  void noTwoTokensHaveTheSameId() {
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    Set<String> ids = new HashSet<>();
    for (int i = 0; i < 100; i++) {
      issuer.tell(issue(Optional.empty(), Optional.empty()));
      signing.runOne();
      ids.add(probe.expectMessageClass(TokenIssuer.Issued.class).token().id());
    }
    assertEquals(100, ids.size());
  }

  @Test
  void aTokenIsNotBoundToTwoKeys() {
    byte[] bytes = new byte[WireGuardKey.LENGTH];
    RANDOM.nextBytes(bytes);
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    issuer.tell(
        issue(
            Optional.of(new PublicKeyHash("cd".repeat(32))), Optional.of(WireGuardKey.of(bytes))));
    assertEquals(Failure.INVALID_ARGUMENT, refused());
  }

  @Test
  void tokensThatWaitToBeSignedAreBounded() {
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    for (int i = 0; i < 4; i++) {
      issuer.tell(issue(Optional.empty(), Optional.empty()));
    }
    assertEquals(Failure.LIMIT_REACHED, refused());
    for (int i = 0; i < 3; i++) {
      signing.runOne();
      probe.expectMessageClass(TokenIssuer.Issued.class);
    }
    issuer.tell(issue(Optional.empty(), Optional.empty()));
    signing.runOne();
    probe.expectMessageClass(TokenIssuer.Issued.class);
  }

  /** J14 */
  @Test
  void j14KeysAreRotatedAfterThirtyDays() {
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    now = START.plus(Duration.ofDays(30)).minusSeconds(1);
    time.timePasses(TokenIssuer.CHECK_INTERVAL);
    assertEquals(first.published(), keys(issuer).keys());
    assertEquals(List.of(), List.copyOf(storage.tasks));
    now = now.plusSeconds(60);
    time.timePasses(TokenIssuer.CHECK_INTERVAL);
    storage.runOne();
    TokenIssuer.Published rotated = awaitRotation(issuer);
    assertEquals(first.nextHeld().key().publicKey(), rotated.current().key());
    assertEquals(3, rotated.keys().size());
    assertEquals(rotated.keys(), stored.get(0).published());
  }

  /** J14: a process that was stopped when the rotation came due. */
  @Test
  void j14ARotationThatCameDueMeanwhileIsMadeAtTheStart() {
    now = START.plus(Duration.ofDays(31));
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    storage.runOne();
    assertEquals(first.nextHeld().key().publicKey(), awaitRotation(issuer).current().key());
  }

  /** J14: nothing is signed with a key, nor shown, that would not survive a crash. */
  @Test
  void j14AKeyIsStoredBeforeItIsShownOrSigns() {
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    now = START.plus(Duration.ofMinutes(10));
    issuer.tell(new TokenIssuer.Rotate(probe.getRef()));
    assertEquals(first.published(), keys(issuer).keys());
    issuer.tell(issue(Optional.empty(), Optional.empty()));
    signing.runOne();
    TokenIssuer.Issued before = probe.expectMessageClass(TokenIssuer.Issued.class);
    assertEquals(first.current().publicKey().id(), keyId(before));
    storage.runOne();
    TokenIssuer.Published published = probe.expectMessageClass(TokenIssuer.Published.class);
    assertEquals(stored.get(0).published(), published.keys());
    issuer.tell(issue(Optional.empty(), Optional.empty()));
    signing.runOne();
    TokenIssuer.Issued after = probe.expectMessageClass(TokenIssuer.Issued.class);
    assertEquals(published.current().key().id(), keyId(after));
    assertNotEquals(keyId(before), keyId(after));
  }

  /** J14 */
  @Test
  void j14KeysThatCannotBeStoredAreNotUsedAndTheRotationIsTriedAgain() {
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    now = START.plus(Duration.ofDays(30));
    failure = new IOException("No space left on device");
    issuer.tell(new TokenIssuer.Rotate(probe.getRef()));
    LoggingTestKit.error("could not be stored")
        .expect(
            kit.system(),
            () -> {
              storage.runOne();
              assertEquals(Failure.STORE_UNAVAILABLE, refused());
              return null;
            });
    assertEquals(first.published(), keys(issuer).keys());
    failure = null;
    time.timePasses(TokenIssuer.CHECK_INTERVAL);
    storage.runOne();
    assertEquals(first.nextHeld().key().publicKey(), awaitRotation(issuer).current().key());
  }

  /** J14 */
  @Test
  void j14TheNextKeyDoesNotSignBeforeEverybodyKnowsIt() {
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    now = START.plus(Duration.ofMinutes(9));
    issuer.tell(new TokenIssuer.Rotate(probe.getRef()));
    assertEquals(Failure.FAILED_PRECONDITION, refused());
    assertEquals(first.published(), keys(issuer).keys());
  }

  @Test
  void thoseWhoAskWhileARotationIsUnderWayGetItsResult() {
    ActorRef<TokenIssuer.Command> issuer = issuer(first);
    now = START.plus(Duration.ofMinutes(10));
    issuer.tell(new TokenIssuer.Rotate(probe.getRef()));
    issuer.tell(new TokenIssuer.Rotate(probe.getRef()));
    storage.runOne();
    TokenIssuer.Published one = probe.expectMessageClass(TokenIssuer.Published.class);
    assertEquals(one, probe.expectMessageClass(TokenIssuer.Published.class));
    assertEquals(1, stored.size());
    assertTrue(storage.tasks.isEmpty());
  }

  private ActorRef<TokenIssuer.Command> issuer(SigningKeys keys) {
    InstantSource clock = () -> now;
    return kit.spawn(
        TokenIssuer.create(keys, SETTINGS, this::store, clock, RANDOM, signing, storage));
  }

  private void store(SigningKeys keys) throws IOException {
    IOException thrown = failure;
    if (thrown != null) {
      throw thrown;
    }
    stored.add(keys);
  }

  private TokenIssuer.Issue issue(
      Optional<PublicKeyHash> keyHash, Optional<WireGuardKey> wireGuardKey) {
    return new TokenIssuer.Issue(AGENT, COLONY, keyHash, wireGuardKey, probe.getRef());
  }

  private TokenIssuer.Published keys(ActorRef<TokenIssuer.Command> issuer) {
    issuer.tell(new TokenIssuer.GetKeys(probe.getRef()));
    return probe.expectMessageClass(TokenIssuer.Published.class);
  }

  /** The task has run on this thread; what it tells the actor may still be on its way. */
  private TokenIssuer.Published awaitRotation(ActorRef<TokenIssuer.Command> issuer) {
    return probe.awaitAssert(
        Duration.ofSeconds(5),
        () -> {
          TokenIssuer.Published published = keys(issuer);
          assertEquals(3, published.keys().size());
          return published;
        });
  }

  private Failure refused() {
    return probe.expectMessageClass(TokenIssuer.Refusal.class).refused().failure();
  }

  private static String keyId(TokenIssuer.Issued issued) {
    return Forgery.part(issued.compact(), 0).get("kid").textValue();
  }
}
