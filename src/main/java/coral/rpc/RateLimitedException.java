package coral.rpc;

import coral.model.Refused;
import java.time.Duration;

/** A refusal that ends with time: its caller is told when to come again. */
public final class RateLimitedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Refused refused;
  private final Duration delay;

  /**
   * A refusal.
   *
   * @param delay until the same may be allowed; more than zero
   */
  public RateLimitedException(Refused refused, Duration delay) {
    super(refused.message());
    this.refused = refused;
    this.delay = delay;
  }

  public Refused refused() {
    return refused;
  }

  public Duration delay() {
    return delay;
  }
}
