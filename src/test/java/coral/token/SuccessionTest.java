package coral.token;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** J14: discovery's keys as they follow each other, and a colony that follows them. */
final class SuccessionTest {
  private static final Instant START = Instant.parse("2026-03-01T12:00:00Z");
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final TokenSettings SETTINGS = TokenSettings.defaults();
  private static final Duration MONTH = TokenSettings.DEFAULT_ROTATION;
  private static final ColonyId COLONY = new ColonyId("shop");

  private final SigningKeys first = SigningKeys.first(START, RANDOM);

  @Test
  void j14TheFirstKeysAreOneThatSignsAndOneThatFollows() {
    List<PublishedKey> published = first.published();
    assertEquals(
        List.of(PublishedKey.State.CURRENT, PublishedKey.State.NEXT),
        published.stream().map(PublishedKey::state).toList());
    assertEquals(first.current().publicKey(), published.get(0).key());
    assertTrue(published.get(0).endorsement().isEmpty());
    assertTrue(
        published
            .get(1)
            .endorsement()
            .orElseThrow()
            .holds(published.get(0).key(), published.get(1).key()));
  }

  @Test
  void j14AKeyIsPublishedForTwiceTheCacheTimeBeforeItSigns() {
    Instant earliest = START.plus(SETTINGS.cacheTime().multipliedBy(2));
    assertEquals(earliest, first.earliestRotation(SETTINGS));
    RefusedException refused =
        assertThrows(
            RefusedException.class, () -> first.rotated(earliest.minusMillis(1), SETTINGS, RANDOM));
    assertEquals(Failure.FAILED_PRECONDITION, refused.refused().failure());
    assertTrue(refused.refused().message().contains(earliest.toString()), refused.getMessage());
    SigningKeys second = first.rotated(earliest, SETTINGS, RANDOM);
    assertEquals(first.nextHeld().key().publicKey(), second.current().publicKey());
    assertThrows(
        RefusedException.class,
        () -> second.rotated(earliest.plusSeconds(1), SETTINGS, RANDOM),
        "the key after it has only just been published");
  }

  @Test
  void j14RotationIsDueAfterThirtyDays() {
    assertFalse(first.isRotationDue(START.plus(MONTH).minusMillis(1), SETTINGS));
    assertTrue(first.isRotationDue(START.plus(MONTH), SETTINGS));
    SigningKeys second = first.rotated(START.plus(MONTH), SETTINGS, RANDOM);
    assertFalse(second.isRotationDue(START.plus(MONTH).plusSeconds(1), SETTINGS));
    assertTrue(second.isRotationDue(START.plus(MONTH.multipliedBy(2)), SETTINGS));
  }

  @Test
  void j14AFormerKeyHoldsUntilEverythingItSignedHasExpired() {
    Instant rotation = START.plus(MONTH);
    SigningKeys second = first.rotated(rotation, SETTINGS, RANDOM);
    PublishedKey former = second.published().get(0);
    assertEquals(PublishedKey.State.PREVIOUS, former.state());
    assertEquals(first.current().publicKey(), former.key());
    Instant lastTokenEnds =
        rotation.plus(RegistrationToken.LIFETIME).plus(TokenVerifier.CLOCK_SKEW);
    assertFalse(former.isRetired(lastTokenEnds));
    assertTrue(former.isRetired(lastTokenEnds.plus(Duration.ofSeconds(60))));
  }

  @Test
  void j14AColonyAcceptsTokensOfTheFormerTheCurrentAndTheNextKey() {
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(first.published());
    Instant rotation = START.plus(MONTH);
    String before = token(first, rotation);
    SigningKeys second = first.rotated(rotation, SETTINGS, RANDOM);
    String after = token(second, rotation);
    verify(accepted, before, rotation);
    verify(accepted, after, rotation); // it has not read the keys since: it knew the next one
    AcceptedKeys followed = accepted.follow(second.published());
    verify(followed, before, rotation);
    verify(followed, after, rotation);
    assertTrue(followed.isKnown(second.nextHeld().key().publicKey().id()));
  }

  @Test
  void j14ATokenOfARetiredKeyIsRefused() {
    Instant rotation = START.plus(MONTH);
    SigningKeys second = first.rotated(rotation, SETTINGS, RANDOM);
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(first.published()).follow(second.published());
    Instant retired = rotation.plus(SigningKeys.GRACE);
    verify(accepted, token(first, retired.minusSeconds(1)), retired.minusSeconds(1));
    RefusedException refused =
        assertThrows(
            RefusedException.class, () -> verify(accepted, token(first, retired), retired));
    assertTrue(refused.refused().message().contains("retired"), refused.getMessage());
  }

  /** J14: what if the holder of an old key brings it back. */
  @Test
  void j14ARetiredKeyNeverComesBack() {
    Instant rotation = START.plus(MONTH);
    SigningKeys second = first.rotated(rotation, SETTINGS, RANDOM);
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(first.published()).follow(second.published());
    AcceptedKeys again = accepted.follow(first.published());
    Instant retired = rotation.plus(SigningKeys.GRACE);
    assertEquals(Optional.empty(), again.find(first.current().publicKey().id(), retired));
  }

  /** J14, J15 */
  @Test
  void j14AKeyThatNoAcceptedKeyEndorsedIsNotAccepted() {
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(first.published());
    SigningKeys stranger = SigningKeys.first(START, RANDOM);
    RefusedException refused =
        assertThrows(RefusedException.class, () -> accepted.follow(stranger.published()));
    assertEquals(Failure.FAILED_PRECONDITION, refused.refused().failure());

    List<PublishedKey> mixed = new ArrayList<>(first.published());
    mixed.add(stranger.published().get(0));
    mixed.add(stranger.published().get(1));
    AcceptedKeys followed = accepted.follow(mixed);
    assertFalse(followed.isKnown(stranger.current().publicKey().id()));
    assertFalse(followed.isKnown(stranger.nextHeld().key().publicKey().id()));
    assertEquals(accepted, followed);
  }

  /** J14: else a colony would be left with keys that sign nothing. */
  @Test
  void j14FormerKeysAloneAreNotFollowed() {
    SigningKeys second = first.rotated(START.plus(MONTH), SETTINGS, RANDOM);
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(first.published());
    assertThrows(RefusedException.class, () -> accepted.follow(second.published().subList(0, 1)));
  }

  /** J14, J15 */
  @Test
  void j14AnEndorsementIsForOneKeyByOneKey() {
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(first.published());
    PublishedKey next = first.published().get(1);
    TokenKey stranger = SigningKey.generate(RANDOM).publicKey();
    SigningKey other = SigningKey.generate(RANDOM);
    byte[] genuine = next.endorsement().orElseThrow().signature();
    String endorser = first.current().publicKey().id();
    for (Endorsement forged :
        List.of(
            new Endorsement(endorser, genuine), // of another key
            new Endorsement(endorser, new byte[64]),
            new Endorsement(endorser, new byte[0]),
            new Endorsement(endorser, other.endorse(stranger).signature()),
            new Endorsement(stranger.id(), genuine),
            other.endorse(stranger))) {
      List<PublishedKey> published =
          List.of(
              first.published().get(0),
              new PublishedKey(
                  stranger, PublishedKey.State.NEXT, START, Optional.empty(), Optional.of(forged)));
      assertFalse(accepted.follow(published).isKnown(stranger.id()), forged.toString());
    }
  }

  /** J14: through the former keys, which stay published for that. */
  @Test
  void j14AColonyThatWasAwayForTwoYearsFollowsFromTheKeyItKnows() {
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(first.published());
    SigningKeys keys = first;
    Instant now = START;
    for (int rotation = 0; rotation < 24; rotation++) {
      now = now.plus(MONTH);
      keys = keys.rotated(now, SETTINGS, RANDOM);
    }
    String token = token(keys, now);
    verify(accepted.follow(keys.published()), token, now);
    List<PublishedKey> shuffled = new ArrayList<>(keys.published());
    long seed = RANDOM.nextLong();
    Collections.shuffle(shuffled, new Random(seed));
    assertEquals(keys.published().size(), accepted.follow(shuffled).all().size(), "seed " + seed);
  }

  @Test
  void theFormerKeysThatStayPublishedAreBounded() {
    SigningKeys keys = first;
    Instant now = START;
    for (int rotation = 0; rotation < 50; rotation++) {
      now = now.plus(MONTH);
      keys = keys.rotated(now, SETTINGS, RANDOM);
    }
    assertEquals(SigningKeys.MAX_FORMER + 2, keys.published().size());
    assertTrue(keys.published().size() <= AcceptedKeys.MAX_PUBLISHED);
  }

  @Test
  void j14ThePinDecidesWhichKeyIsTrustedFirst() {
    SigningKeys second = first.rotated(START.plus(MONTH), SETTINGS, RANDOM);
    AcceptedKeys pinned = AcceptedKeys.pinned(first.current().publicKey().id(), second.published());
    assertEquals(3, pinned.all().size());
    SigningKeys stranger = SigningKeys.first(START, RANDOM);
    assertThrows(
        RefusedException.class,
        () -> AcceptedKeys.pinned(first.current().publicKey().id(), stranger.published()));
    assertThrows(RefusedException.class, () -> AcceptedKeys.onFirstUse(List.of()));
    assertNotEquals(pinned, AcceptedKeys.onFirstUse(stranger.published()));
  }

  @Test
  void whatDiscoveryPublishesIsBoundedAndUnambiguous() {
    AcceptedKeys accepted = AcceptedKeys.onFirstUse(first.published());
    PublishedKey current = first.published().get(0);
    assertThrows(RefusedException.class, () -> accepted.follow(List.of(current, current)));
    List<PublishedKey> many = new ArrayList<>();
    for (int i = 0; i <= AcceptedKeys.MAX_PUBLISHED; i++) {
      many.add(current);
    }
    RefusedException refused = assertThrows(RefusedException.class, () -> accepted.follow(many));
    assertTrue(refused.refused().message().contains("64"), refused.getMessage());
    assertThrows(RefusedException.class, () -> accepted.follow(List.of()));
  }

  /** J4: anybody can name an unknown key, so this is what bounds the reading of keys. */
  @Test
  void j4KeysAreReadAgainOnceInTenSeconds() {
    Instant[] now = {START};
    KeyRefresh refresh = new KeyRefresh(() -> now[0]);
    assertTrue(refresh.tryAcquire());
    for (int i = 0; i < 1000; i++) {
      assertFalse(refresh.tryAcquire());
    }
    now[0] = START.plusMillis(9_999);
    assertFalse(refresh.tryAcquire());
    now[0] = START.plusSeconds(10);
    assertTrue(refresh.tryAcquire());
    now[0] = START; // the clock was set back
    assertTrue(refresh.tryAcquire());
    assertFalse(refresh.tryAcquire());
  }

  /** RFC 7517, section 5; RFC 8037, section 2. */
  @Test
  void aKeySetHoldsTheKeysThatAreNotRetired() {
    Instant rotation = START.plus(MONTH);
    SigningKeys second = first.rotated(rotation, SETTINGS, RANDOM);
    String one = JsonWebKeySet.render(second.published().subList(1, 2), rotation);
    TokenKey key = second.current().publicKey();
    assertEquals(
        "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"EdDSA\",\"use\":\"sig\",\"kid\":\""
            + key.id()
            + "\",\"x\":\""
            + TokenKey.base64Url(key.toBytes())
            + "\"}]}",
        one);
    assertEquals(3, count(JsonWebKeySet.render(second.published(), rotation)));
    assertEquals(
        2, count(JsonWebKeySet.render(second.published(), rotation.plus(SigningKeys.GRACE))));
  }

  /** A library that knows nothing of us reads the set, and verifies with it. */
  @Test
  void anotherReaderOfTheKeySetVerifiesOurTokens() {
    io.jsonwebtoken.security.JwkSet set =
        io.jsonwebtoken.security.Jwks.setParser()
            .build()
            .parse(JsonWebKeySet.render(first.published(), START));
    java.security.Key key = set.getKeys().iterator().next().toKey();
    String subject =
        io.jsonwebtoken.Jwts.parser()
            .verifyWith((java.security.PublicKey) key)
            .clock(() -> java.util.Date.from(START))
            .build()
            .parseSignedClaims(token(first, START))
            .getPayload()
            .getSubject();
    assertEquals("web-1", subject);
  }

  @Test
  void aRotationThatLeavesNoTimeToPublishIsRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new TokenSettings(Duration.ofMinutes(9), Duration.ofMinutes(5), 1));
    assertThrows(IllegalArgumentException.class, () -> new TokenSettings(MONTH, Duration.ZERO, 1));
    assertThrows(
        IllegalArgumentException.class, () -> new TokenSettings(MONTH, Duration.ofMinutes(5), 0));
  }

  private static int count(String set) {
    return set.split("\"kid\"", -1).length - 1;
  }

  private static String token(SigningKeys keys, Instant now) {
    return keys.current()
        .sign(
            RegistrationToken.create(
                new AgentId("web-1"), COLONY, Optional.empty(), Optional.empty(), now, RANDOM));
  }

  private static void verify(AcceptedKeys accepted, String token, Instant now) {
    RegistrationToken verified = new TokenVerifier(COLONY, () -> accepted).verify(token, now);
    assertEquals(new AgentId("web-1"), verified.agentId());
  }
}
