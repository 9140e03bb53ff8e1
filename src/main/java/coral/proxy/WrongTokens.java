package coral.proxy;

import coral.model.Failure;
import coral.model.Refused;
import coral.rpc.RateLimit;
import coral.rpc.RateLimitedException;
import coral.rpc.SourceNetwork;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;

/**
 * How often callers at one place may show a wrong access token. None can be guessed that is as long
 * as it has to be; this keeps those who try from taking the processor, and gives a token that
 * leaked in part no machine to complete it. What is right costs nothing.
 */
final class WrongTokens {
  /** Failures in a row, of one with a former token, or of many behind one address. */
  static final int BURST = 10;

  /** Then one more in each such time. */
  static final Duration INTERVAL = Duration.ofSeconds(6);

  private final RateLimit<SourceNetwork> failures;

  WrongTokens(InstantSource clock) {
    this.failures = new RateLimit<>(clock, BURST, INTERVAL);
  }

  /**
   * To be asked before a token is compared: else the right one would still be found out.
   *
   * @throws RateLimitedException LIMIT_REACHED if too many wrong ones came from there
   */
  void require(InetAddress from) {
    Duration delay = failures.delay(SourceNetwork.of(from));
    if (!delay.isZero()) {
      throw new RateLimitedException(
          new Refused(
              Failure.LIMIT_REACHED,
              "too many wrong access tokens came from this address: try again later"),
          delay);
    }
  }

  /** Takes note of a wrong one. */
  void count(InetAddress from) {
    failures.count(SourceNetwork.of(from));
  }

  /** How many places are remembered. */
  int size() {
    return failures.size();
  }
}
