package coral.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.SpentTokens.Spent;
import coral.model.SpentTokens.Token;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** RFD 020, "Token Replay Attacks": a token buys one thing, for one agent and one key. */
class SpentTokensTest {
  private static final Instant START = Instant.parse("2026-01-02T03:04:05Z");
  private static final Duration LIFETIME = Duration.ofSeconds(60);
  private static final Duration REMEMBERED = SpentTokens.SKEW.plusSeconds(60);

  private final SpentTokens tokens = new SpentTokens();

  private static Token token(String id, String agent, String key, Instant issuedAt) {
    return new Token(id, new AgentId(agent), key, issuedAt, issuedAt.plus(LIFETIME));
  }

  private static Spent spent(Token token) {
    return new Spent(token.tokenId(), token.agentId(), token.key(), token.expiresAt());
  }

  private void assertRefused(String why, Token token, Instant started, Instant now) {
    Optional<Refused> refused = tokens.refusal(token, started, now);
    assertTrue(refused.isPresent(), why);
    assertEquals(Failure.UNAUTHENTICATED, refused.get().failure());
    assertTrue(refused.get().message().contains(why), refused.get().message());
  }

  /** RFD 020, "Token Replay Attacks". */
  @Test
  void aTokenIsSpentOnce() {
    Token token = token("t", "a", "k", START);
    assertEquals(Optional.empty(), tokens.refusal(token, START, START));
    tokens.spend(spent(token), START);
    assertRefused("was used before", token, START, START);
    assertThrows(IllegalStateException.class, () -> tokens.spend(spent(token), START));
    assertEquals(List.of(spent(token)), tokens.list());
  }

  @Test
  void onlyWhoSpentItForTheSameKeyMayHaveItsAnswerAgain() {
    Token token = token("t", "a", "k", START);
    assertFalse(tokens.isSpentBy(token));
    tokens.spend(spent(token), START);
    assertTrue(tokens.isSpentBy(token));
    assertFalse(tokens.isSpentBy(token("t", "b", "k", START)));
    assertFalse(tokens.isSpentBy(token("t", "a", "other", START)));
    assertFalse(tokens.isSpentBy(token("u", "a", "k", START)));
  }

  /** RFC 7519, section 4.1.4: a small leeway for clocks that differ, and no more. */
  @Test
  void aTokenIsTakenUntilTheSkewAfterItsEndAndNotLater() {
    Token token = token("t", "a", "k", START);
    Instant last = token.expiresAt().plus(SpentTokens.SKEW);
    assertEquals(Optional.empty(), tokens.refusal(token, START, last));
    assertRefused("has expired", token, START, last.plusNanos(1));
  }

  @Test
  void aTokenFromBeforeTheStartIsRefusedBecauseItMayHaveBeenSpentInALostJournal() {
    Token token = token("t", "a", "k", START);
    assertEquals(Optional.empty(), tokens.refusal(token, START, START));
    // The time in a token has whole seconds.
    assertEquals(Optional.empty(), tokens.refusal(token, START.plusMillis(999), START));
    assertRefused("before this colony started", token, START.plusSeconds(1), START);
  }

  @Test
  void aClockThatIsSetBackDoesNotMakeAForgottenTokenYoung() {
    Token old = token("old", "a", "k", START);
    tokens.spend(spent(old), START);
    Instant later = old.expiresAt().plus(REMEMBERED).plusNanos(1);
    tokens.spend(spent(token("new", "a", "k", later)), later);
    assertFalse(tokens.isSpentBy(old));
    assertRefused("has expired", old, START, START);
  }

  /** What all of the above means, without anything that makes it fast or small. */
  private static final class Model {
    private final Map<String, Spent> all = new TreeMap<>();
    private Instant latest = Instant.MIN;

    boolean isRemembered(String id) {
      return all.containsKey(id) && !all.get(id).expiresAt().plus(REMEMBERED).isBefore(latest);
    }

    boolean isTaken(Token token, Instant started, Instant now) {
      Instant time = now.isAfter(latest) ? now : latest;
      return !all.containsKey(token.tokenId())
          && !time.isAfter(token.expiresAt().plus(SpentTokens.SKEW))
          && !token.issuedAt().isBefore(started);
    }

    List<Spent> remembered() {
      return all.values().stream()
          .filter(each -> isRemembered(each.tokenId()))
          .sorted(Comparator.comparing(Spent::expiresAt).thenComparing(Spent::tokenId))
          .toList();
    }
  }

  /**
   * However tokens come and clocks go, a token that was ever spent is never taken again, although
   * it is forgotten; and what is remembered is exactly what could still be taken for new.
   */
  @Test
  void forgettingTakesNoTokenTwice() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    String message = "seed " + seed;
    Model model = new Model();
    List<Token> shown = new ArrayList<>();
    Instant now = START;
    int taken = 0;
    int forgotten = 0;
    for (int step = 0; step < 3_000; step++) {
      // Mostly on, sometimes back by up to the life of a token.
      now =
          now.plusMillis(random.nextInt(30) == 0 ? -random.nextInt(60_000) : random.nextInt(9_000));
      Token token =
          shown.isEmpty() || random.nextBoolean()
              ? token("t" + step, "a" + random.nextInt(3), "k" + random.nextInt(3), now)
              : shown.get(random.nextInt(shown.size()));
      shown.add(token);
      boolean mayBeTaken = model.isTaken(token, START, now);
      assertEquals(mayBeTaken, tokens.refusal(token, START, now).isEmpty(), message);
      assertEquals(
          model.isRemembered(token.tokenId())
              && model.all.getOrDefault(token.tokenId(), spent(token)).equals(spent(token)),
          tokens.isSpentBy(token),
          message);
      if (mayBeTaken) {
        model.latest = now.isAfter(model.latest) ? now : model.latest;
        model.all.put(token.tokenId(), spent(token));
        tokens.spend(spent(token), now);
        taken++;
      } else if (model.all.containsKey(token.tokenId()) && !model.isRemembered(token.tokenId())) {
        forgotten++;
      }
      assertEquals(model.remembered(), tokens.list(), message);
      assertEquals(tokens.list().size(), tokens.size(), message);
    }
    // Otherwise nothing of interest happened.
    assertTrue(taken > 1_000 && forgotten > 100, taken + " taken, " + forgotten + ", " + message);
    assertTrue(tokens.size() < 300, tokens.size() + " remembered, " + message);
  }

  /** A snapshot has the list, in its order, and the rest follows from it. */
  @Test
  void whatASnapshotKeepsRefusesTheSame() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    List<Token> all = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      Token token = token("t" + i, "a", "k", START.plusMillis(random.nextInt(120_000)));
      all.add(token);
      tokens.spend(spent(token), token.issuedAt());
    }
    SpentTokens restored = new SpentTokens();
    tokens.list().forEach(each -> restored.spend(each, START));
    assertEquals(tokens.list(), restored.list(), () -> "seed " + seed);
    for (Token token : all) {
      assertEquals(tokens.isSpentBy(token), restored.isSpentBy(token), () -> "seed " + seed);
    }
  }
}
