package coral.token;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * When a colony reads discovery's keys again because of a token whose key it does not know: anybody
 * can send such tokens, so at most once in {@link #INTERVAL}. Thread-safe.
 */
public final class KeyRefresh {
  /** Short against the wait of an agent that has been told to try again. */
  public static final Duration INTERVAL = Duration.ofSeconds(10);

  private final InstantSource clock;
  private @Nullable Instant last;

  public KeyRefresh(InstantSource clock) {
    this.clock = clock;
  }

  /** Whether the caller should read the keys now; whoever is told so counts as having done it. */
  public synchronized boolean tryAcquire() {
    Instant now = clock.instant();
    // A clock that was set back must not stop refreshes until it has caught up.
    if (last != null && !now.isBefore(last) && now.isBefore(last.plus(INTERVAL))) {
      return false;
    }
    last = now;
    return true;
  }
}
