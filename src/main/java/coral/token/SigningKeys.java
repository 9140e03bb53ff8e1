package coral.token;

import coral.model.Failure;
import coral.model.RefusedException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Discovery's keys in their succession: one signs, the next is already published, former ones hold
 * until what they signed has expired. Immutable: {@link #rotated} gives the keys that follow, to be
 * stored before they are used. The private half of a former key is gone.
 */
public final class SigningKeys {
  /** How far the clocks of discovery and colonies may differ, in either direction. */
  static final Duration CLOCK_SKEW = TokenVerifier.CLOCK_SKEW;

  /**
   * How long a former key holds: what it signed may live as long, on a colony whose clock is late;
   * the last minute is for tokens that are signed while the rotation is being stored.
   */
  static final Duration GRACE =
      RegistrationToken.LIFETIME.plus(CLOCK_SKEW).plus(Duration.ofSeconds(60));

  /**
   * Former keys stay published, without being good for tokens, so that a colony that was away finds
   * its way from the key it knows to the one that signs: at one rotation a month, for over two
   * years.
   */
  static final int MAX_FORMER = 32;

  /** A key whose private half is held. */
  record Held(SigningKey key, Instant createdAt, Optional<Endorsement> endorsement) {
    PublishedKey published(PublishedKey.State state, Optional<Instant> retiredAt) {
      return new PublishedKey(key.publicKey(), state, createdAt, retiredAt, endorsement);
    }
  }

  private final List<PublishedKey> former;
  private final Held current;
  private final Instant currentSince;
  private final Held next;

  SigningKeys(List<PublishedKey> former, Held current, Instant currentSince, Held next) {
    this.former = List.copyOf(former);
    this.current = current;
    this.currentSince = currentSince;
    this.next = next;
  }

  /** The first keys of a discovery: one that signs at once, and its successor. */
  public static SigningKeys first(Instant now, SecureRandom random) {
    SigningKey key = SigningKey.generate(random);
    return new SigningKeys(
        List.of(), new Held(key, now, Optional.empty()), now, successor(key, now, random));
  }

  /** The key that signs. */
  public SigningKey current() {
    return current.key();
  }

  /** All keys in the order in which they came: former, current, next. */
  public List<PublishedKey> published() {
    List<PublishedKey> all = new ArrayList<>(former);
    all.add(current.published(PublishedKey.State.CURRENT, Optional.empty()));
    all.add(next.published(PublishedKey.State.NEXT, Optional.empty()));
    return List.copyOf(all);
  }

  /** When the next key may sign at the earliest. */
  public Instant earliestRotation(TokenSettings settings) {
    return next.createdAt().plus(settings.publishedBeforeUse());
  }

  /** Whether the current key has signed for long enough, and the next may follow it. */
  public boolean isRotationDue(Instant now, TokenSettings settings) {
    return !now.isBefore(currentSince.plus(settings.rotation()))
        && !now.isBefore(earliestRotation(settings));
  }

  /**
   * The keys after a rotation: the next signs, a new one is published after it, and the current one
   * holds for {@link #GRACE} more.
   *
   * @throws RefusedException FAILED_PRECONDITION if the next key has not been published for long
   *     enough: somebody would refuse what it signs
   */
  public SigningKeys rotated(Instant now, TokenSettings settings, SecureRandom random) {
    Instant earliest = earliestRotation(settings);
    if (now.isBefore(earliest)) {
      throw new RefusedException(
          Failure.FAILED_PRECONDITION,
          "the next signing key has not been published for long enough to be known everywhere;"
              + " rotate again at "
              + earliest
              + " or later");
    }
    List<PublishedKey> nowFormer = new ArrayList<>(former);
    nowFormer.add(current.published(PublishedKey.State.PREVIOUS, Optional.of(now.plus(GRACE))));
    int dropped = Math.max(0, nowFormer.size() - MAX_FORMER);
    return new SigningKeys(
        nowFormer.subList(dropped, nowFormer.size()),
        next,
        now,
        successor(next.key(), now, random));
  }

  private static Held successor(SigningKey endorser, Instant now, SecureRandom random) {
    SigningKey key = SigningKey.generate(random);
    return new Held(key, now, Optional.of(endorser.endorse(key.publicKey())));
  }

  List<PublishedKey> former() {
    return former;
  }

  Held currentHeld() {
    return current;
  }

  Instant currentSince() {
    return currentSince;
  }

  Held nextHeld() {
    return next;
  }

  /** The ids, and nothing of the private halves. */
  @Override
  public String toString() {
    return "SigningKeys[current " + current.key() + ", next " + next.key() + "]";
  }
}
