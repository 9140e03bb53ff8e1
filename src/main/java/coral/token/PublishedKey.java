package coral.token;

import java.time.Instant;
import java.util.Optional;

/**
 * A key as discovery shows it: what a token may be signed with now, will be, or was.
 *
 * @param retiredAt present if and only if the state is PREVIOUS: from then on the key is good for
 *     nothing but its endorsement of the next
 * @param endorsement absent for the very first key
 */
public record PublishedKey(
    TokenKey key,
    State state,
    Instant createdAt,
    Optional<Instant> retiredAt,
    Optional<Endorsement> endorsement) {
  /** A key's place in the succession. */
  public enum State {
    /** Published, and not signing yet. */
    NEXT,
    /** Signing. */
    CURRENT,
    /** Not signing any more. */
    PREVIOUS
  }

  /**
   * @throws IllegalArgumentException if {@code retiredAt} does not fit the state
   */
  public PublishedKey {
    if (retiredAt.isPresent() != (state == State.PREVIOUS)) {
      throw new IllegalArgumentException("a key is retired if, and only if, it is a previous one");
    }
  }

  /** Whether what the key signed holds no more. */
  public boolean isRetired(Instant now) {
    return retiredAt.isPresent() && !now.isBefore(retiredAt.get());
  }
}
