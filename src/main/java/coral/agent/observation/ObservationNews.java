package coral.agent.observation;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What of a series of observations the colony has to be told: a change at once, what stays the same
 * every fourth time, because the colony forgets what is not repeated. A host that is connected to
 * nothing says so once, if it had said anything else before.
 */
public final class ObservationNews {
  private static final int REPEAT = 4;

  private @Nullable Observation told;
  private int since;

  /** The next observation; empty if the colony need not hear of it. */
  public Optional<Observation> of(Observation now) {
    since++;
    @Nullable Observation last = told;
    boolean nothing = now.connections().isEmpty();
    boolean silent = last == null ? nothing : now.isLike(last) && (nothing || since < REPEAT);
    if (silent) {
      return Optional.empty();
    }
    told = now;
    since = 0;
    return Optional.of(now);
  }
}
