package coral.session;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * How recently an agent was heard. One lost heartbeat changes nothing: an interval that is also the
 * threshold makes the state flap.
 */
public enum Presence {
  /** Heard within three heartbeat intervals. */
  HEALTHY(3),
  /** Heard within ten heartbeat intervals. */
  DEGRADED(10),
  /** Not heard for longer. */
  UNHEALTHY(Integer.MAX_VALUE);

  private final int intervals;

  Presence(int intervals) {
    this.intervals = intervals;
  }

  /** The presence of an agent that was last heard at {@code lastSeen}; a bound belongs to it. */
  public static Presence at(Instant lastSeen, Instant now, Duration heartbeatInterval) {
    Duration silence = Duration.between(lastSeen, now);
    for (Presence presence : values()) {
      if (presence == UNHEALTHY
          || silence.compareTo(heartbeatInterval.multipliedBy(presence.intervals)) <= 0) {
        return presence;
      }
    }
    throw new AssertionError("the last constant has no bound");
  }

  /**
   * How long until a further silence makes the presence worse: the least time that is over the
   * bound; empty if nothing is worse.
   */
  static Optional<Duration> untilWorse(Instant lastSeen, Instant now, Duration heartbeatInterval) {
    Presence presence = at(lastSeen, now, heartbeatInterval);
    if (presence == UNHEALTHY) {
      return Optional.empty();
    }
    Instant bound = lastSeen.plus(heartbeatInterval.multipliedBy(presence.intervals));
    return Optional.of(Duration.between(now, bound).plusMillis(1));
  }
}
