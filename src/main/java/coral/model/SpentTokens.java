package coral.model;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Which registration tokens were spent, by whom and for which key. It belongs to whoever journals
 * what a token buys, so that both are in one write. Not thread-safe; knows no clock.
 *
 * <p>What it remembers is bounded by how many tokens live at a time: one that has expired is
 * forgotten a while later, and refused for its age from then on.
 */
public final class SpentTokens {
  /** How far clocks may differ: a token is taken for so long after its end (RFC 7519, 4.1.4). */
  public static final Duration SKEW = Duration.ofSeconds(5);

  /** How long after its end and the skew a spent token is remembered. */
  private static final Duration MARGIN = Duration.ofSeconds(60);

  /**
   * A token as it is shown.
   *
   * @param tokenId its {@code jti}
   * @param key what it buys something for: a hash of a public key, or a WireGuard key
   */
  public record Token(
      String tokenId, AgentId agentId, String key, Instant issuedAt, Instant expiresAt) {}

  /** A token that was spent. */
  public record Spent(String tokenId, AgentId agentId, String key, Instant expiresAt) {}

  private final Map<String, Spent> spent = new HashMap<>();
  private final PriorityQueue<Spent> byExpiry =
      new PriorityQueue<>(Comparator.comparing(Spent::expiresAt).thenComparing(Spent::tokenId));

  /** The latest time heard of: a clock that is set back does not make old tokens young. */
  private Instant latest = Instant.MIN;

  /** Whether this agent has spent this token for this key: it may have its answer again. */
  public boolean isSpentBy(Token token) {
    @Nullable Spent known = spent.get(token.tokenId());
    return known != null
        && known.agentId().equals(token.agentId())
        && known.key().equals(token.key());
  }

  /**
   * Why a token cannot be spent; empty if it can. One that is spent is refused here whoever shows
   * it: ask {@link #isSpentBy} first.
   *
   * @param started when this process did: a token from before that it does not know as spent may
   *     have been spent in a journal that was lost since
   */
  public Optional<Refused> refusal(Token token, Instant started, Instant now) {
    if (spent.containsKey(token.tokenId())) {
      return refused("the registration token was used before; ask discovery for a new one");
    }
    Instant time = now.isAfter(latest) ? now : latest;
    if (time.isAfter(token.expiresAt().plus(SKEW))) {
      return refused("the registration token has expired; ask discovery for a new one");
    }
    // A token's time has whole seconds: one of the second of the start is not older than it.
    if (token.issuedAt().isBefore(started.truncatedTo(ChronoUnit.SECONDS))) {
      return refused(
          "the registration token was issued before this colony started; ask discovery for a new"
              + " one");
    }
    return Optional.empty();
  }

  private static Optional<Refused> refused(String message) {
    return Optional.of(new Refused(Failure.UNAUTHENTICATED, message));
  }

  /**
   * Spends a token and forgets those that are long expired.
   *
   * @param at when the token was spent
   * @throws IllegalStateException if it was spent before
   */
  public void spend(Spent token, Instant at) {
    latest = at.isAfter(latest) ? at : latest;
    if (spent.putIfAbsent(token.tokenId(), token) != null) {
      throw new IllegalStateException("the token " + token.tokenId() + " was spent before");
    }
    byExpiry.add(token);
    while (!byExpiry.isEmpty()
        && byExpiry.element().expiresAt().plus(SKEW).plus(MARGIN).isBefore(latest)) {
      spent.remove(byExpiry.remove().tokenId());
    }
  }

  /** How many tokens are remembered. */
  public int size() {
    return spent.size();
  }

  /** All that are remembered, the first to be forgotten first: what a snapshot keeps. */
  public List<Spent> list() {
    return byExpiry.stream().sorted(byExpiry.comparator()).toList();
  }
}
