package coral.agent;

import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;

/**
 * When a certificate is to be renewed, and how often to look. The last third of its life is for
 * that, but no more than 30 days (RFD 020, mTLS draft: 30 days before the end of 90): an agent that
 * is away, or a colony that is, has the rest to come back.
 *
 * @param due from when on to renew
 * @param checkInterval how often to look whether it is due
 */
record RenewalSchedule(Instant due, Duration checkInterval) {
  /** RFD 020, mTLS draft. */
  private static final Duration LONGEST_WINDOW = Duration.ofDays(30);

  private static final int PARTS_OF_LIFE = 3;

  /** Of the window, either way: agents that joined together do not renew together. */
  private static final double JITTER = 0.1;

  private static final Duration LONGEST_INTERVAL = Duration.ofHours(1);

  /** Several tries fit into the window of the shortest certificate. */
  private static final int CHECKS_PER_WINDOW = 10;

  private static final Duration SHORTEST_INTERVAL = Duration.ofSeconds(1);

  /** Of this certificate: the same at each call, for the jitter comes from its serial number. */
  static RenewalSchedule of(X509Certificate certificate) {
    return of(
        certificate.getNotBefore().toInstant(),
        certificate.getNotAfter().toInstant(),
        certificate.getSerialNumber().longValue());
  }

  /**
   * Of a certificate with this life.
   *
   * @param seed of the jitter
   */
  static RenewalSchedule of(Instant notBefore, Instant notAfter, long seed) {
    Duration third = Duration.between(notBefore, notAfter).dividedBy(PARTS_OF_LIFE);
    Duration window = third.compareTo(LONGEST_WINDOW) > 0 ? LONGEST_WINDOW : third;
    double jitter = JITTER * (2 * new SplittableRandom(seed).nextDouble() - 1);
    Instant due = notAfter.minus(window).minusMillis((long) (window.toMillis() * jitter));
    Duration interval = window.dividedBy(CHECKS_PER_WINDOW);
    if (interval.compareTo(LONGEST_INTERVAL) > 0) {
      interval = LONGEST_INTERVAL;
    } else if (interval.compareTo(SHORTEST_INTERVAL) < 0) {
      interval = SHORTEST_INTERVAL;
    }
    return new RenewalSchedule(due, interval);
  }
}
