package coral.colony;

import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.Caller;
import coral.rpc.RateLimit;
import coral.rpc.SourceNetwork;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;

/**
 * How often one address may show a wrong secret. A secret of 256 bits cannot be guessed; this keeps
 * those who try from filling the audit log and taking the processor. What succeeds costs nothing.
 */
final class BootstrapLimit {
  /** Failures in a row that a person with a wrong file, or a fleet behind one address, may have. */
  static final int BURST = 10;

  /** Then one more in each such time. */
  static final Duration INTERVAL = Duration.ofSeconds(6);

  /** Addresses remembered; the one that failed longest ago is forgotten first. */
  static final int MAX_ADDRESSES = RateLimit.MAX_KEYS;

  private final RateLimit<SourceNetwork> failures;

  BootstrapLimit(InstantSource clock) {
    this.failures = new RateLimit<>(clock, BURST, INTERVAL);
  }

  /**
   * @throws RefusedException LIMIT_REACHED if the caller's source has failed too often
   */
  void require(Caller caller) {
    if (!mayTry(caller.remote().getAddress())) {
      throw new RefusedException(
          Failure.LIMIT_REACHED,
          "too many wrong secrets came from this address: try again in a minute");
    }
  }

  /** Takes note of something wrong from the caller's source. */
  void failed(Caller caller) {
    failed(caller.remote().getAddress());
  }

  /** Whether the address may try. */
  boolean mayTry(InetAddress address) {
    return failures.allows(SourceNetwork.of(address));
  }

  /** Takes note of a wrong secret. */
  void failed(InetAddress address) {
    failures.count(SourceNetwork.of(address));
  }

  int size() {
    return failures.size();
  }
}
